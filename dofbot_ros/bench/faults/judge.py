"""Judges a run by what the servos truly did: the rules that docs/safety.md promises, each as one function of the log.

A motion is uncommanded when it is outside what has been asked for:

- while a command is in effect, a joint may be anywhere in the box of all points asked for since it last was at rest,
  where it was when the first of them came included;
- from the moment that rest is due until the next accepted command, it may be where it was at that moment, and nowhere
  else. Rest is due at the planned end of a motion, or at an emergency stop, a stop, a fault or a lost port, each with
  the time that braking takes from the speed the joint had; what it moves until then is braking and counts apart.

A joint that a hand has turned is from then on where the hand has left it; one that was limp when a load was put on it
may sag by that load when its torque comes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.bench.faults.record import Commanded, Record
from dofbot_ros.core.types import GRIP, JOINT_NAMES, N_JOINTS, FloatArray
from dofbot_ros.hardware.emulation.servo_model import TICKS_PER_RAD
from dofbot_ros.hardware.emulation.truth_log import Truth
from dofbot_ros.safety.states import ArmState

GRID_S = 0.005
"""Time step in which the truth is looked at [s]."""
EVEN_S = 0.25
"""So long before an emergency stop the goals have to have moved evenly, for its latency to be told [s]."""
MIN_SPEED_TICKS = 140.0
"""Slower goals are no motion to tell a latency by: 0.2 rad/s [ticks/s]."""
UNEVEN_TICKS = 6.0
"""Goals that stray further from an even motion are none [ticks]."""
SHORT_TICKS = 4.0
"""A goal this far short of even motion brakes for certain [ticks]."""


@dataclass(frozen=True)
class Rules:
    """What is allowed.

    Attributes:
        max_velocity: of every joint [rad/s].
        max_acceleration: at which a joint brakes [rad/s^2].
        motion: how far an uncommanded motion may go [rad].
        speed_margin: true speed may be so many times `max_velocity`, over `speed_window_s` ...
        speed_window_s: ... [s] ...
        play: ... and so much more way than that: the gears' play [rad].
        estop_s: from the emergency stop to goals that brake, on a free bus [s].
        transaction_s: what one bus transaction takes at most [s].
        last_move_s: the last goal before an end may still be under way for so long [s].
        fault_s: from the beginning of a lasting fault to a state that says so [s].
        switch_s: from a torque switch that was said to be carried out to servos that have done so [s].
    """

    max_velocity: float = 1.6
    max_acceleration: float = 8.0
    motion: float = np.radians(0.5)
    speed_margin: float = 1.15
    speed_window_s: float = 0.05
    play: float = 8.0 / 700.0
    estop_s: float = 0.020
    transaction_s: float = 0.0165
    last_move_s: float = 0.1
    fault_s: float = 0.3
    switch_s: float = 0.05

    def brake_s(self, speed: float) -> float:
        """From an order to halt to rest, for a joint at `speed` [rad/s]."""
        return self.estop_s + self.transaction_s + abs(speed) / self.max_acceleration + self.last_move_s

    def coast(self, speed: float) -> float:
        """How far a joint at `speed` [rad/s] goes from an order to halt to rest, with its sign [rad]."""
        if abs(speed) < 0.02:
            return 0.0
        return speed * abs(speed) / (2 * self.max_acceleration) + speed * self.brake_s(0.0)


@dataclass(frozen=True)
class Violation:
    """A rule that was broken: when [s], by which joint ("" for the driver), and by how much.

    `value` and `limit` are degrees for "motion", deg/s for "speed", seconds for "estop" and "fault".
    """

    rule: str
    time_s: float
    joint: str
    value: float
    limit: float
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.what}"


@dataclass(frozen=True)
class Judgement:
    """What a run amounts to.

    Attributes:
        violations: rules that were broken.
        worst_motion_deg: the largest uncommanded motion [deg].
        worst_speed: the largest true speed over the window [rad/s].
        estop_ms: from the emergency stop to the first goal that brakes; None where no joint moved evenly, or no goal
            can have reached the servos.
        fault_ms: from the fault to the state that says so; None where it never did.
    """

    violations: tuple[Violation, ...]
    worst_motion_deg: float
    worst_speed: float
    estop_ms: float | None = None
    fault_ms: float | None = None


@dataclass(frozen=True)
class JointTruth:
    """The joints on an even grid of time: angles [rad] (n, 6), and who had torque."""

    time_s: FloatArray
    angle: FloatArray
    start_s: float = field(default=0.0)

    @staticmethod
    def of(truth: Truth) -> JointTruth:
        """Resample a log."""
        time_s = np.arange(truth.time_s[0], truth.time_s[-1] + 1e-9, GRID_S)
        angles = DEFAULT_CALIBRATION.ticks_to_rad(truth.links)
        even = np.column_stack([np.interp(time_s, truth.time_s, column) for column in angles.T])
        return JointTruth(time_s, even, float(time_s[0]))

    def index(self, time_s: float) -> int:
        """The sample at or just after `time_s` [s]."""
        return int(min(len(self.time_s) - 1, max(0, np.ceil((time_s - self.start_s) / GRID_S - 1e-6))))

    def speed(self, time_s: float, joint: int, window_s: float = 0.05) -> float:
        """Mean speed of a joint over the window before `time_s` [rad/s]."""
        end = self.index(time_s)
        begin = max(0, end - round(window_s / GRID_S))
        if end == begin:
            return 0.0
        return float((self.angle[end, joint] - self.angle[begin, joint]) / ((end - begin) * GRID_S))


def judge(
    truth: Truth, record: Record, rules: Rules, *, fault_due: bool = False, recovery_due: bool = False
) -> Judgement:
    """Hold a run against the rules.

    Args:
        truth: of the servos.
        record: of the operators.
        rules: what is allowed.
        fault_due: whether the driver has to notice the fault.
        recovery_due: whether the arm has to obey again afterwards.
    """
    joints = JointTruth.of(truth)
    motions = [uncommanded(joints, record, rules, joint) for joint in range(N_JOINTS)]
    violations = [v for _, found in motions for v in found]
    worst_speed, too_fast = speeds(joints, record, rules)
    estop_s, late = estops(truth, record, rules)
    fault_s, unnoticed = notice(record, rules, fault_due)
    violations += too_fast + late + unnoticed + torque_words(truth, record, rules)
    if recovery_due and not record.recovered:
        violations.append(Violation("recovery", record.end_s, "", 0.0, 0.0, "the arm did not obey again"))
    if record.crash:
        violations.append(Violation("crash", record.onset_s, "", 0.0, 0.0, f"the driver ended: {record.crash}"))
    return Judgement(
        tuple(violations),
        float(np.degrees(max(worst for worst, _ in motions))),
        worst_speed,
        None if estop_s is None else 1e3 * estop_s,
        None if fault_s is None else 1e3 * fault_s,
    )


def uncommanded(truth: JointTruth, record: Record, rules: Rules, joint: int) -> tuple[float, list[Violation]]:
    """The largest uncommanded motion of a joint [rad], and the violations: the worst of each kind of interval."""
    commands = [command for command in record.commands if command.joints[joint]]
    worst = 0.0
    found: dict[str, Violation] = {}
    for begin_s, end_s, lower, upper, why in _intervals(truth, record, rules, joint, commands):
        first, last = truth.index(begin_s), truth.index(end_s)
        angles = truth.angle[first:last, joint]
        if len(angles) == 0:
            continue
        outside = np.maximum(angles - upper, lower - angles)
        worst = max(worst, float(outside.max()))
        if outside.max() > rules.motion:
            at = first + int((outside > rules.motion).argmax())
            degrees = float(np.degrees(outside.max()))
            what = f"{JOINT_NAMES[joint]} went {degrees:.1f} degrees beyond what was asked, {why}"
            limit = float(np.degrees(rules.motion))
            violation = Violation("motion", float(truth.time_s[at]), JOINT_NAMES[joint], degrees, limit, what)
            # A stream is a motion for each of its points; once is enough to say so.
            if why not in found or degrees > found[why].value:
                found[why] = violation
    return worst, list(found.values())


def _intervals(
    truth: JointTruth, record: Record, rules: Rules, joint: int, commands: list[Commanded]
) -> list[tuple[float, float, float, float, str]]:
    """Times in which a joint has a box to be in: (from, to, lower, upper, in words); braking lies between them."""
    end_s = float(truth.time_s[-1]) + GRID_S
    halts = sorted((halt.time_s, halt.why) for halt in record.halts)
    hands = sorted(hand.time_s for hand in record.hands if hand.joint == joint)
    sags = {hand.time_s: hand.sag for hand in record.hands if hand.joint == joint}
    starts = [command.time_s for command in commands]
    found: list[tuple[float, float, float, float, str]] = []
    # The log is sampled: around the moment of a hand it shows neither the old place nor the new one.
    blur_s = 2.0 * GRID_S

    def rest(begin_s: float, until_s: float, why: str) -> None:
        marks = [begin_s - blur_s, *(t for t in hands if begin_s < t < until_s), until_s + blur_s]
        for a, b in pairwise(marks):
            here, sag = float(truth.angle[truth.index(a + blur_s), joint]), sags.get(a, 0.0)
            found.append((a + blur_s, b - blur_s, here + min(0.0, sag), here + max(0.0, sag), why))

    def box(begin_s: float, until_s: float, lower: float, upper: float, why: str) -> tuple[float, float]:
        """Allow a joint to be between `lower` and `upper`, and where a hand leaves it meanwhile."""
        for a, b in pairwise([begin_s, *(t for t in hands if begin_s < t < until_s), until_s]):
            moved = a in hands
            if moved:
                left = float(truth.angle[truth.index(a + blur_s), joint])
                lower, upper = min(lower, left), max(upper, left)
            found.append((a + blur_s if moved else a, b - blur_s if b in hands else b, lower, upper, why))
        return lower, upper

    rest_from_s, why = truth.start_s, "before anything was commanded"
    lower = upper = np.nan
    for k, command in enumerate(commands):
        next_s = starts[k + 1] if k + 1 < len(starts) else end_s
        if rest_from_s <= command.time_s:
            rest(rest_from_s, command.time_s, why)
            lower = upper = np.nan
        here = float(truth.angle[truth.index(command.time_s), joint])
        speed = truth.speed(command.time_s, joint)
        # What moved before has to brake first; the next point of the same stream is no such change.
        renewed = k > 0 and command.kind in ("stream", "twist") and commands[k - 1].kind == command.kind
        ways = [here] if renewed else [here, here + rules.coast(speed), *swing(here, speed, command, joint, rules)]
        lower = float(np.nanmin([lower, command.lower[joint], *ways]))
        upper = float(np.nanmax([upper, command.upper[joint], *ways]))
        halt = next(((t, w) for t, w in halts if t >= command.time_s), None)
        rest_from_s, why = command.rest_s, f"after the end of a {command.kind}"
        until_s = min(next_s, rest_from_s)
        if halt is not None and halt[0] < until_s:
            until_s = halt[0]
            speed = truth.speed(halt[0], joint)
            rest_from_s, why = halt[0] + rules.brake_s(speed), f"after {halt[1]}"
        lower, upper = box(command.time_s, until_s, lower, upper, f"during a {command.kind}")
        braked_s = min(next_s, rest_from_s)
        if halt is not None and until_s == halt[0] and until_s < braked_s:
            place = float(truth.angle[truth.index(until_s), joint])
            halted = (place, place + rules.coast(truth.speed(until_s, joint)))
            lower, upper = min(lower, *halted), max(upper, *halted)
            lower, upper = box(until_s, braked_s, lower, upper, f"while braking {why}")
    if rest_from_s < end_s:
        rest(rest_from_s, end_s, why)
    return found


def swing(here: float, speed: float, command: Commanded, joint: int, rules: Rules) -> list[float]:
    """How far a joint goes that is underway when a trajectory takes over: its first piece is a cubic, and turns softly.

    Args:
        here: where it is [rad].
        speed: how fast [rad/s].
        command: what takes over.
        joint: which.
        rules: tell how far the joint may be behind what it was sent.

    Returns:
        The cubic's lowest and highest place [rad]; nothing for other commands, or a joint at rest.
    """
    if command.first is None or abs(speed) < 0.02:
        return []
    begin, end = here + speed * rules.brake_s(0.0), float(command.first[joint])
    u = np.linspace(0.0, 1.0, 101)
    path = begin + (end - begin) * u * u * (3 - 2 * u) + speed * command.first_s * u * (1 - u) ** 2
    return [float(path.min()), float(path.max())]


def speeds(truth: JointTruth, record: Record, rules: Rules) -> tuple[float, list[Violation]]:
    """The largest true speed over the window [rad/s], and a violation for each joint that was too fast."""
    step = max(1, round(rules.speed_window_s / GRID_S))
    way = np.abs(truth.angle[step:] - truth.angle[:-step])
    for hand in record.hands:
        first = max(0, truth.index(hand.time_s) - step - 1)
        way[first : first + step + 3, hand.joint] = 0.0
    limit = rules.speed_margin * rules.max_velocity * rules.speed_window_s + rules.play
    violations = []
    for joint in np.flatnonzero(way.max(axis=0, initial=0.0) > limit):
        at = int((way[:, joint] > limit).argmax())
        worst = float(np.degrees(way[:, joint].max())) / rules.speed_window_s
        allowed = float(np.degrees(limit)) / rules.speed_window_s
        what = f"{JOINT_NAMES[joint]} moved at {worst:.0f} deg/s, allowed are {allowed:.0f}"
        violations.append(Violation("speed", float(truth.time_s[at]), JOINT_NAMES[joint], worst, allowed, what))
    return float(way.max(initial=0.0)) / rules.speed_window_s, violations


def estops(truth: Truth, record: Record, rules: Rules) -> tuple[float | None, list[Violation]]:
    """How long goals went on as before after an emergency stop [s], and whether that was too long."""
    worst: float | None = None
    limit = rules.estop_s + rules.transaction_s
    for halt in record.halts:
        # Goals of an arm that brakes already, for a fault, tell no latency.
        braking = any(halt.time_s - EVEN_S <= other.time_s < halt.time_s for other in record.halts)
        if halt.why != "estop" or braking:
            continue
        for column in range(GRIP):
            latency = brakes_after(truth, halt.time_s, column, rules)
            if latency is not None and not left_alone(truth, halt.time_s, column, limit):
                worst = max(latency, worst or 0.0)
    if worst is None or worst <= limit:
        return worst, []
    what = f"an emergency stop was heeded after {1e3 * worst:.0f} ms, allowed are {1e3 * limit:.0f}"
    return worst, [Violation("estop", record.onset_s, "", worst, limit, what)]


def brakes_after(truth: Truth, stop_s: float, column: int, rules: Rules) -> float | None:
    """From `stop_s` to the first goal for a servo that brakes [s].

    Goals before the stop make out an even motion, and what would have been the next ones; those that lie short of that
    brake. In whole ticks the first of them is hard to tell, so the moment from which on they brake is worked out from
    one that lies well short, and the first goal from that moment on is the answer.

    Returns:
        The time; None for a servo that was not sent an even motion before, or no goal after.
    """
    mine = [(w.time_s, float(w.ticks)) for w in truth.goal_writes if w.column == column]
    before = [w for w in mine if stop_s - EVEN_S <= w[0] < stop_s]
    after = [w for w in mine if stop_s <= w[0] < stop_s + 1.0]
    if len(before) < 3 or not after:
        return None
    times, ticks = np.array(before).T
    speed, at_zero = np.polyfit(times - stop_s, ticks, 1)
    uneven = float(np.abs(ticks - (at_zero + speed * (times - stop_s))).max())
    if uneven > UNEVEN_TICKS or abs(speed) < MIN_SPEED_TICKS:
        return None
    braking = rules.max_acceleration * TICKS_PER_RAD
    for time_s, goal in after:
        short = float(np.sign(speed)) * (at_zero + speed * (time_s - stop_s) - goal)
        if short > max(SHORT_TICKS, 2.0 * uneven):
            begin_s = time_s - float(np.sqrt(2.0 * short / braking))
            first_s = next((t for t, _ in after if t >= begin_s), time_s)
            return first_s - stop_s
    return after[-1][0] - stop_s


def left_alone(truth: Truth, stop_s: float, column: int, limit_s: float) -> bool:
    """Whether a servo came to rest at its last goal from before `stop_s` [s], while others were told to brake in time.

    A servo that does not answer is sent nothing; where nobody was sent anything within `limit_s` [s], it is the driver
    that was late.
    """
    mine = [w for w in truth.goal_writes if w.column == column]
    before, after = [w for w in mine if w.time_s < stop_s], [w for w in mine if w.time_s >= stop_s]
    rest_s = before[-1].time_s + 1e-3 * before[-1].time_ms if before else stop_s
    others = any(stop_s <= w.time_s <= stop_s + limit_s for w in truth.goal_writes if w.column != column)
    return others and (not after or after[0].time_s > rest_s)


def notice(record: Record, rules: Rules, due: bool) -> tuple[float | None, list[Violation]]:
    """How long it took the driver to say that something is wrong [s], and whether that was too long."""
    if not np.isfinite(record.onset_s):
        return None, []
    seen = record.first_state((ArmState.FAULT, ArmState.DISCONNECTED), record.onset_s)
    after = None if seen is None else seen - record.onset_s
    if not due or (after is not None and after <= rules.fault_s):
        return after, []
    word = "never" if after is None else f"after {after:.2f} s"
    what = f"the fault was noticed {word}, allowed are {rules.fault_s:.2f} s"
    return after, [Violation("fault", record.onset_s, "", np.inf if after is None else after, rules.fault_s, what)]


def torque_words(truth: Truth, record: Record, rules: Rules) -> list[Violation]:
    """The first time that torque is not what the driver said it had switched it to."""
    for order in record.torque_orders:
        at = int(np.searchsorted(truth.time_s, order.time_s + rules.switch_s))
        if at >= len(truth.time_s):
            continue
        wrong = np.flatnonzero(truth.torque[at] != order.enabled)
        if len(wrong):
            names = ", ".join(JOINT_NAMES[joint] for joint in wrong)
            word = "on" if order.enabled else "off"
            what = f"torque was said to be {word}, which is not true of {names}"
            return [Violation("torque", order.time_s, JOINT_NAMES[wrong[0]], float(len(wrong)), 0.0, what)]
    return []
