"""The judge is judged: logs made up to break each rule, and logs that come close and do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.bench.faults.judge import Judgement, Rules, judge
from dofbot_ros.bench.faults.record import Commanded, Halt, Hand, Record, TorqueOrder
from dofbot_ros.hardware.emulation.truth_log import GoalWrite, Truth
from dofbot_ros.safety.states import ArmState

RULES = Rules()
STEP_S = 0.005
POSE = np.array([0.1, 0.3, 0.5, 0.4, 0.0, 0.8])
DEGREE = np.radians(1.0)


def truth_of(seconds: float, joint1: Callable[[np.ndarray], np.ndarray]) -> Truth:
    """An arm that stands at POSE but for joint 1, which is at POSE[0] + joint1(t) [rad]."""
    time_s = np.arange(0.0, seconds, STEP_S)
    angles = np.tile(POSE, (len(time_s), 1))
    angles[:, 0] += joint1(time_s)
    ticks = np.array([unrounded(q) for q in angles])
    return Truth(time_s, ticks, ticks, np.ones(ticks.shape, dtype=bool))


def unrounded(q: np.ndarray) -> list[float]:
    """Ticks of joint angles, not in whole ticks: joint 1 alone leaves the grid."""
    ticks = DEFAULT_CALIBRATION.rad_to_ticks(POSE).astype(float)
    ticks[0] = 2000.0 + np.degrees(q[0]) * 2200.0 / 180.0
    return ticks.tolist()


def ramp(speed: float, begin_s: float, end_s: float) -> Callable[[np.ndarray], np.ndarray]:
    """Rest, an even motion [rad/s] from begin to end [s], rest."""
    return lambda t: speed * (np.clip(t, begin_s, end_s) - begin_s)


def through(*joint1: float, at: float, rest: float, kind: str = "trajectory") -> Commanded:
    points = np.tile(POSE, (len(joint1), 1))
    points[:, 0] += joint1
    return Commanded.of(at, points, rest, kind)


def rules_broken(judgement: Judgement) -> list[str]:
    return sorted({violation.rule for violation in judgement.violations})


def test_an_arm_that_does_as_it_is_told_breaks_nothing():
    record = Record(commands=[through(0.0, 0.8, at=0.5, rest=2.0)])
    judgement = judge(truth_of(4.0, ramp(0.8, 0.5, 1.5)), record, RULES)
    assert judgement.violations == ()
    assert judgement.worst_motion_deg < 0.1
    assert judgement.worst_speed == pytest.approx(0.8, rel=0.02)


@pytest.mark.parametrize(("degrees", "broken"), [(0.4, []), (0.7, ["motion"])])
def test_motion_before_anything_was_commanded(degrees, broken):
    judgement = judge(truth_of(3.0, ramp(0.1 * degrees * DEGREE / 0.1, 1.0, 2.0)), Record(), RULES)
    assert rules_broken(judgement) == broken
    assert judgement.worst_motion_deg == pytest.approx(degrees, abs=0.05)


def test_motion_beyond_what_was_commanded_while_it_is():
    record = Record(commands=[through(0.0, 0.3, at=0.5, rest=3.0)])
    judgement = judge(truth_of(4.0, ramp(0.4, 0.5, 1.5)), record, RULES)
    (violation,) = judgement.violations
    assert violation.rule == "motion"
    assert violation.joint == "joint1"
    assert violation.value == pytest.approx(np.degrees(0.1), abs=0.05)
    assert "during a trajectory" in violation.what


def test_a_stream_that_is_extrapolated_is_beyond_what_was_asked():
    points = [through(0.1 * k, at=0.5 + 0.1 * k, rest=1.2 + 0.1 * k, kind="stream") for k in range(4)]
    fine = judge(truth_of(3.0, ramp(1.0, 0.6, 0.9)), Record(commands=points), RULES)
    too_far = judge(truth_of(3.0, ramp(1.0, 0.6, 0.95)), Record(commands=points), RULES)
    assert fine.violations == ()
    assert rules_broken(too_far) == ["motion"]


def test_a_motion_that_comes_to_its_box_back_after_rest_was_due_is_uncommanded_all_the_same():
    record = Record(commands=[through(0.0, 0.5, at=0.5, rest=2.0)])
    path = ramp(0.5, 0.5, 1.5)
    judgement = judge(truth_of(4.0, lambda t: path(t) - ramp(0.2, 3.0, 3.5)(t)), record, RULES)
    assert rules_broken(judgement) == ["motion"]
    assert "after the end of a trajectory" in judgement.violations[0].what


@pytest.mark.parametrize("why", ["estop", "stop", "FAULT", "DISCONNECTED"])
def test_braking_counts_apart_and_what_comes_after_does_not(why):
    record = Record(commands=[through(0.0, 2.0, at=0.5, rest=4.0)], halts=[Halt(1.5, why)])
    path = braked(1.52)
    fine = judge(truth_of(4.0, path), record, RULES)
    assert fine.violations == ()
    snap = judge(truth_of(4.0, lambda t: path(t) + ramp(1.0, 3.0, 3.2)(t)), record, RULES)
    assert rules_broken(snap) == ["motion"]
    assert f"after {why}" in snap.violations[0].what
    assert snap.worst_motion_deg == pytest.approx(np.degrees(0.2), abs=0.1)


def test_a_halt_ends_what_was_commanded_before_it_and_a_new_command_begins_anew():
    commands = [through(0.0, 1.0, at=0.5, rest=9.0), through(0.0, 0.3, at=2.0, rest=3.0)]
    record = Record(commands=commands, halts=[Halt(1.0, "stop")])
    fine = judge(truth_of(4.0, ramp(0.3, 2.0, 3.0)), record, RULES)
    assert fine.violations == ()
    early = judge(truth_of(4.0, ramp(0.3, 1.5, 2.0)), record, RULES)
    assert rules_broken(early) == ["motion"]


def test_a_joint_that_a_hand_turned_is_where_the_hand_left_it():
    jump = 0.3

    def leap(t: np.ndarray) -> np.ndarray:
        return np.where(t < 1.0, 0.0, jump)

    record = Record(hands=[Hand(1.0, 0)])
    assert judge(truth_of(3.0, leap), record, RULES).violations == ()
    assert rules_broken(judge(truth_of(3.0, leap), Record(), RULES)) == ["motion", "speed"]
    back = judge(truth_of(3.0, lambda t: leap(t) - ramp(0.5, 2.0, 2.6)(t)), record, RULES)
    assert rules_broken(back) == ["motion"]


@pytest.mark.parametrize(("speed", "broken"), [(1.6, []), (1.9, []), (2.3, ["speed"]), (3.4, ["speed"])])
def test_speed_over_a_window(speed, broken):
    record = Record(commands=[through(0.0, 2.0, at=0.4, rest=9.0)])
    judgement = judge(truth_of(3.0, ramp(speed, 0.5, 0.5 + 1.5 / speed)), record, RULES)
    assert rules_broken(judgement) == broken
    assert judgement.worst_speed == pytest.approx(speed, rel=0.02)


def test_a_short_leap_through_the_play_of_the_gears_is_no_speed():
    record = Record(commands=[through(0.0, 2.0, at=0.4, rest=9.0)])
    judgement = judge(truth_of(3.0, lambda t: np.where(t < 1.0, 0.0, 0.01)), record, RULES)
    assert judgement.violations == ()


def braked(brake_s: float, speed: float = 0.8, brake: float = 8.0) -> Callable[[np.ndarray], np.ndarray]:
    """Even motion from 0.5 s on that brakes from `brake_s` on."""

    def path(t: np.ndarray) -> np.ndarray:
        braking = np.clip(t - brake_s, 0.0, speed / brake)
        return ramp(speed, 0.5, brake_s)(t) + speed * braking - 0.5 * brake * braking**2

    return path


def goals_along(path: Callable[[np.ndarray], np.ndarray], times: np.ndarray) -> tuple[GoalWrite, ...]:
    """Goals of joint 1 written at `times`: where `path` is a control period of 20 ms later."""
    return tuple(
        GoalWrite(float(t), 0, round(unrounded(POSE + np.array([q, 0, 0, 0, 0, 0]))[0]), 60)
        for t, q in zip(times, path(times + 0.02), strict=True)
    )


@pytest.mark.parametrize("phase_s", [0.0, 0.007, 0.013])
@pytest.mark.parametrize(("late_s", "broken"), [(0.0, []), (0.02, []), (0.06, ["estop"]), (0.5, ["estop", "motion"])])
def test_an_emergency_stop_is_heeded_in_time(late_s, broken, phase_s):
    stop_s = 1.5
    path = braked(stop_s + late_s)
    truth = truth_of(4.0, path)
    # A goal every 40 ms before, one every 20 ms from the first that brakes on: the last cycle may be up to one ago.
    before = np.arange(0.5 + phase_s, stop_s + late_s, 0.04)
    after = np.arange(stop_s + late_s + 0.001, 2.5, 0.02)
    goals = goals_along(path, np.concatenate([before, after]))
    record = Record(commands=[through(0.0, 3.0, at=0.5, rest=5.0)], halts=[Halt(stop_s, "estop")])
    judgement = judge(Truth(truth.time_s, truth.links, truth.goals, truth.torque, goals), record, RULES)
    assert rules_broken(judgement) == broken
    assert judgement.estop_ms == pytest.approx(1e3 * late_s, abs=21.0)


def test_an_emergency_stop_that_no_goal_can_follow_is_not_timed():
    path = braked(1.55)
    truth = truth_of(4.0, path)
    goals = goals_along(path, np.arange(0.5, 1.5, 0.04))
    record = Record(commands=[through(0.0, 3.0, at=0.5, rest=5.0)], halts=[Halt(1.5, "estop")])
    judgement = judge(Truth(truth.time_s, truth.links, truth.goals, truth.torque, goals), record, RULES)
    assert judgement.estop_ms is None
    assert judgement.violations == ()


def test_an_emergency_stop_that_goals_never_heed_is_late():
    path = ramp(0.8, 0.5, 3.5)
    goals = goals_along(path, np.arange(0.5, 3.5, 0.04))
    truth = truth_of(4.0, path)
    record = Record(commands=[through(0.0, 3.0, at=0.5, rest=5.0)], halts=[Halt(1.5, "estop")])
    judgement = judge(Truth(truth.time_s, truth.links, truth.goals, truth.torque, goals), record, RULES)
    assert rules_broken(judgement) == ["estop", "motion"]
    assert judgement.estop_ms > 900


def test_an_arm_that_brakes_already_when_the_emergency_stop_comes_is_not_timed():
    path = ramp(0.8, 0.5, 1.5)
    goals = goals_along(path, np.arange(0.5, 1.45, 0.04))
    late = (*goals, GoalWrite(2.2, 0, goals[-1].ticks, 60))
    truth = truth_of(4.0, path)
    halts = [Halt(1.4, "FAULT"), Halt(1.52, "estop")]
    record = Record(commands=[through(0.0, 0.8, at=0.5, rest=1.5)], halts=halts)
    judgement = judge(Truth(truth.time_s, truth.links, truth.goals, truth.torque, late), record, RULES)
    assert judgement.estop_ms is None
    assert rules_broken(judgement) == []


@pytest.mark.parametrize(("load", "sags", "broken"), [(1.3, 1.3, []), (1.3, 2.3, ["motion"]), (-1.3, 1.3, ["motion"])])
def test_a_limp_joint_under_a_load_may_sag_by_it_and_no_more(load, sags, broken):
    record = Record(hands=[Hand(t, 0, load * DEGREE) for t in (1.0, 1.05)] + [Hand(3.0, 0)])
    judgement = judge(truth_of(4.0, ramp(sags * DEGREE / 0.01, 2.0, 2.01)), record, RULES)
    assert [v.rule for v in judgement.violations if v.rule == "motion"] == broken


@pytest.mark.parametrize(("after_s", "broken"), [(0.1, []), (0.45, ["fault"]), (None, ["fault"])])
def test_a_lasting_fault_is_noticed_in_time(after_s, broken):
    states = [(0.0, ArmState.HOLD, "")]
    if after_s is not None:
        states.append((1.0 + after_s, ArmState.FAULT, "servo 2 is silent"))
    record = Record(states=states, onset_s=1.0, end_s=2.0)
    still = truth_of(3.0, ramp(0.0, 0.0, 1.0))
    assert rules_broken(judge(still, record, RULES, fault_due=True)) == broken
    assert rules_broken(judge(still, record, RULES)) == []


def test_a_state_that_stood_before_the_fault_began_counts():
    record = Record(states=[(0.0, ArmState.DISCONNECTED, "")], onset_s=1.0, end_s=2.0)
    judgement = judge(truth_of(3.0, ramp(0.0, 0.0, 1.0)), record, RULES, fault_due=True)
    assert judgement.fault_ms == 0.0
    assert judgement.violations == ()


def test_an_arm_that_does_not_obey_again_and_a_driver_that_ended_are_violations():
    still = truth_of(3.0, ramp(0.0, 0.0, 1.0))
    record = Record(onset_s=1.0, end_s=2.0, recovered=False, crash="RuckigError: no solution")
    assert rules_broken(judge(still, record, RULES, recovery_due=True)) == ["crash", "recovery"]
    assert rules_broken(judge(still, Record(recovered=True), RULES, recovery_due=True)) == []


@pytest.mark.parametrize("enabled", [True, False])
def test_torque_is_what_the_driver_says(enabled):
    still = truth_of(3.0, ramp(0.0, 0.0, 1.0))
    torque = np.full(still.torque.shape, not enabled)
    torque[still.time_s > 1.03] = enabled
    record = Record(torque_orders=[TorqueOrder(1.0, enabled)])
    done = Truth(still.time_s, still.links, still.goals, torque)
    assert judge(done, record, RULES).violations == ()
    torque[:, 3] = not enabled
    (violation,) = judge(done, record, RULES).violations
    assert violation.rule == "torque"
    assert "joint4" in violation.what


def taken_over(peak_margin: float) -> list[str]:
    """A joint at 0.4 rad/s is sent back within 2 s; it goes `peak_margin` [rad] beyond where a cubic turns."""
    speed, over_s, seconds = 0.4, 1.5, 2.0
    begin, goal = speed * (over_s - 0.5), 0.0
    lead = speed * 0.05  # a servo is a little behind what it was sent

    def path(times):
        u = np.clip((times - over_s) / seconds, 0.0, 1.0)
        back = begin + lead + (goal - begin - lead) * u * u * (3 - 2 * u) + speed * seconds * u * (1 - u) ** 2
        back = back + peak_margin * np.sin(np.pi * np.clip(u, 0.0, 1.0)) ** 2
        return np.where(times < over_s, np.clip(speed * (times - 0.5), 0.0, None), back)

    first = through(0.0, begin, at=0.5, rest=9.0)
    then = replace(through(0.0, begin, at=over_s, rest=5.0), first_s=seconds, first=POSE)
    return rules_broken(judge(truth_of(5.0, path), Record(commands=[first, then]), RULES))


@pytest.mark.parametrize(("peak_margin", "broken"), [(0.0, []), (0.4, ["motion"])])
def test_a_joint_that_is_underway_when_a_trajectory_takes_over_turns_softly_and_no_farther(peak_margin, broken):
    assert taken_over(peak_margin) == broken


@pytest.mark.parametrize(("others", "broken"), [(True, []), (False, ["estop"])])
def test_a_servo_that_is_sent_nothing_tells_of_the_driver_only_where_nobody_is(others, broken):
    stop_s = 1.5
    path = braked(stop_s)
    truth = truth_of(4.0, path)
    goals = goals_along(path, np.array([*np.arange(0.5, stop_s, 0.04), 1.8, 1.84]))
    if others:
        goals = tuple(sorted((*goals, GoalWrite(1.51, 1, 2000, 30)), key=lambda w: w.time_s))
    record = Record(commands=[through(0.0, 3.0, at=0.5, rest=5.0)], halts=[Halt(stop_s, "estop")])
    judgement = judge(Truth(truth.time_s, truth.links, truth.goals, truth.torque, goals), record, RULES)
    assert rules_broken(judgement) == broken
