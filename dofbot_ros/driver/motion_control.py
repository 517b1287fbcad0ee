"""The motion that runs: asks its source for a setpoint each period, lets the governor judge it, and ends it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from dofbot_ros.arm.backend import ArmReading
from dofbot_ros.core.types import GRIP, N_JOINTS, FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.motion_events import EndCode, MotionEvent, MotionLog
from dofbot_ros.motion.grip import GripGuard, GripMotion
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.pressing import Pressing
from dofbot_ros.motion.source import Follow, GoTo, MotionSource
from dofbot_ros.motion.tool_jog import ToolJog
from dofbot_ros.motion.trajectory import MotionLimits, Sample
from dofbot_ros.safety.adherence import Adherence
from dofbot_ros.safety.governor import Governed, Governor
from dofbot_ros.safety.workspace import Workspace

PATH_TOLERANCE = 0.15
"""A trajectory whose command lags it by more than this [rad] has been stopped by the governor: it is given up."""
SETTLE_S = 0.15
"""In which servos come to rest after the last goal of a halt [s]."""
ASKED_S = 0.12
"""So much longer a joint that rests beside its goal is given to tell whether it has that goal [s]."""
MISSED_LEAD = 0.04
"""So far a joint may be from where it was to stop for having missed its last goals, if it answers [rad]."""
LATE_PERIODS = 1.5
"""A control period that comes after this many has been late."""
BLOCKED_S = 0.3
"""A motion that the governor keeps at rest for this long is given up [s]."""
REPLACED = "replaced by the next command"
GRIPPER = "gripper"
"""Kind of the gripper's own motions."""


class MotionControl:
    """One arm motion and one gripper motion at a time, through one governor.

    Args:
        limits: what no command may exceed.
        workspace: where the arm may be.
        config: rates and behaviour.
        log: goes on counting motions where another control has ended; a new one when None.
    """

    def __init__(
        self, limits: MotionLimits, workspace: Workspace, config: DriverConfig, log: MotionLog | None = None
    ) -> None:
        self.period_s = 1.0 / config.control_rate_hz
        jerk = np.full(N_JOINTS, config.max_jerk)
        self.generator = OnlineMotion(self.period_s, limits.velocity, limits.acceleration, jerk)
        """Shared by all motions that are planned on the way; started anew by each."""
        pressing = Pressing(config.grip_lead)
        self._grip_generator = OnlineMotion(
            self.period_s, limits.velocity[GRIP:], limits.acceleration[GRIP:], jerk[GRIP:]
        )
        self.grip = GripMotion(self._grip_generator, config.grip_lead, pressing)
        self._guard = GripGuard(config.grip_lead, pressing)
        self.adherence = Adherence(config.tracking_error)
        self._governor = Governor(limits, workspace, self.period_s, config.soft_start_s, config.command_timeout_s)
        self.source: MotionSource | None = None
        self._source_grips = False
        self._blocked_since: float | None = None
        self._running: MotionEvent | None = None
        self._gripping: MotionEvent | None = None
        self.log = log or MotionLog()
        self._braking = False
        self._cycle_s = np.inf
        self._settle_s = np.inf
        self._unsettled = np.ones(N_JOINTS, dtype=np.bool_)
        self._missing = np.zeros(N_JOINTS, dtype=np.bool_)
        self.halting = False
        """Whether the arm is to brake from where it is underway; said once, and taken back by fall_back()."""
        self.settling = False
        """Whether joints are still on their way to where they were commanded: a motion ends once they are not."""
        self.limited: tuple[str, ...] = ()
        self.limited_counts: Counter[str] = Counter()

    @property
    def number(self) -> int:
        """Of the arm motion that runs; 0 for none."""
        return self._running.motion if self._running is not None else 0

    @property
    def at(self) -> Sample:
        """Position and velocity commanded last."""
        return self._governor.state

    @property
    def at_rest(self) -> bool:
        """Whether the commanded velocity is zero."""
        return self._governor.at_rest

    @property
    def braking(self) -> bool:
        """Whether the arm is coming to rest, rather than moving as it was told to; the gripper's own motion is none."""
        arm_moves = bool(np.abs(self.at.velocity[:GRIP]).max() > 1e-9)
        return self.source is None and not self.at_rest and (self._braking or arm_moves)

    @property
    def moving(self) -> bool:
        """Whether anything moves or is about to."""
        return self.source is not None or not self._governor.at_rest or self.grip.moving

    def limit(self, limits: MotionLimits) -> None:
        """Other limits of the velocity, from the next period on; what is faster brakes to them."""
        self._governor.limits = limits
        self.generator.limit_velocity(limits.velocity)
        self._grip_generator.limit_velocity(limits.velocity[GRIP:])
        if isinstance(self.source, ToolJog):
            self.source.limit(limits)

    def start(self, measured: FloatArray, now_s: float) -> None:
        """Begin at rest, softly, from where the arm was measured to be (6,) [rad]."""
        self.give_up(EndCode.TORQUE_CHANGED, "the torque was switched on anew")
        self._governor.start(measured, now_s)
        self.adherence.start(now_s, measured)
        self.grip.reset(float(measured[GRIP]))

    def begin(self, source: MotionSource, grips: bool = False, commander: str = "") -> int:
        """Let `source` of `commander` take over; `grips` when it moves the gripper too. Returns the motion's number."""
        self.end(EndCode.REPLACED, REPLACED)
        if grips:
            self._end_grip(EndCode.REPLACED, REPLACED)
        self.source, self._source_grips = source, grips
        self.adherence.begin()
        self._braking, self._settle_s = False, np.inf
        self._running = self.log.begin(source.kind, commander)
        return self._running.motion

    def go_gripper(self, goal: float, commander: str = "") -> int:
        """Move the gripper to `goal` [rad], beside whatever the arm does. Returns the motion's number."""
        self._end_grip(EndCode.REPLACED, REPLACED)
        self._braking, self._settle_s = False, np.inf
        self.grip.go(goal)
        self._gripping = self.log.begin(GRIPPER, commander)
        return self._gripping.motion

    def end(self, code: EndCode, reason: str = "") -> None:
        """Give up the arm motion that runs, if any: the arm brakes."""
        if self._running is not None:
            self.log.end(self._running, code, reason)
        self._running = None
        self.source, self._source_grips, self._blocked_since = None, False, None

    def stop(self, code: EndCode, reason: str, now_s: float) -> None:
        """Brake the arm and the gripper; whatever comes next starts softly."""
        self.log.stop(reason)
        self.halt(code, reason)
        self._governor.soften(now_s)
        self.grip.reset(float(self.at.position[GRIP]))

    def halt(self, code: EndCode, reason: str) -> None:
        """Give up whatever moves, and brake from where the arm is."""
        self.halting = self._braking = not self.at_rest
        self._missing[:] = False
        self.give_up(code, reason)

    def give_up(self, code: EndCode, reason: str) -> None:
        """End what runs, of arm and gripper, without a word on how the arm comes to rest."""
        self.end(code, reason)
        self._end_grip(code, reason)

    def _end_grip(self, code: EndCode, reason: str = "") -> None:
        if self._gripping is not None:
            self.log.end(self._gripping, code, reason)
        self._gripping = None

    def fall_back(self, underway: FloatArray) -> None:
        """Brake from where the joints are underway (6,) [rad]."""
        self._governor.fall_back(underway)
        self.halting = False

    def move_time_s(self, now_s: float) -> float:
        """What the servos are given for their next goals [s]: a control period, or more to draw a goal back."""
        return max(self.period_s, self.adherence.settling_s(now_s)) if self.at_rest else self.period_s

    def soften(self, now_s: float) -> None:
        """Let the velocity limit grow from its floor again: another commander has the arm."""
        self._governor.soften(now_s)

    def paused(self, reason: str, now_s: float, rests: FloatArray) -> None:
        """No goals went out for so long that the servos have come to rest by themselves, at `rests` [rad] (6,)."""
        self.give_up(EndCode.PAUSED, reason)
        self._governor.rest()
        self._governor.rebase(rests)
        self._governor.soften(now_s)
        self.grip.reset(float(self.at.position[GRIP]))

    def brake(self, reading: ArmReading, now_s: float) -> Governed:
        """One control period of braking everything; at rest, of holding it without pressing on anything."""
        self._keep_near(reading, now_s, rest=True)
        self._settle(reading, now_s)
        governed = self._brake_or_hold(reading, now_s, braking=not self.at_rest)
        self.limited = ()
        self._cycle_s = now_s
        self.adherence.commanded(now_s, governed.position)
        return governed

    def decide(self, reading: ArmReading, now_s: float) -> Governed:
        """One control period: what may be sent.

        Args:
            reading: where the arm is.
            now_s: on the control clock [s].
        """
        self._keep_near(reading, now_s, rest=self.source is None and self.at_rest)
        if self.source is None:
            self._settle(reading, now_s)
            self._braking = self._braking and not self.at_rest
            governed = self._brake_or_hold(reading, now_s, self._braking)
        elif self.adherence.lagging.any():
            # Going on would only press harder on what stops the joint; the monitor gives it a moment to follow.
            governed = self._governor.halt()
        else:
            governed = self._follow(self.source, float(reading.position[GRIP]), now_s)
        if not self._source_grips:
            self.grip.keep_near(float(governed.position[GRIP]), float(governed.velocity[GRIP]))
        if self._gripping is not None and not self.grip.moving:
            self._end_grip(EndCode.STALLED if self.grip.stalled else EndCode.ARRIVED)
        self.limited = governed.reasons
        self.limited_counts.update({reason.split(":")[0] for reason in governed.reasons})
        self._cycle_s = now_s
        self.adherence.commanded(now_s, governed.position)
        return governed

    def _follow(self, source: MotionSource, grip_measured: float, now_s: float) -> Governed:
        setpoint = source.setpoint(now_s, self._governor.soft_start_scale(now_s))
        setpoint = self._with_gripper(setpoint, grip_measured, now_s)
        governed = self._governor.step(setpoint, source.stamp_s, now_s)
        if isinstance(source, ToolJog) and source.limited:
            governed = replace(governed, reasons=(*governed.reasons, source.limited))
        self._supervise(source, setpoint, governed, now_s)
        return governed

    def _brake_or_hold(self, reading: ArmReading, now_s: float, braking: bool) -> Governed:
        """Bring everything to rest; or hold the arm, while the gripper does what it was told."""
        if braking:
            # By the clock, not by the cycle: the servos have been moving since the last one, however late this one is.
            late_s = now_s - self._cycle_s
            governed = self._governor.halt(late_s if late_s > LATE_PERIODS * self.period_s else self.period_s)
            self.grip.reset(float(governed.position[GRIP]))
            return governed
        setpoint = self._with_gripper(
            Sample(self.at.position, np.zeros(N_JOINTS)), float(reading.position[GRIP]), now_s
        )
        return self._governor.step(setpoint, now_s, now_s)

    def _settle(self, reading: ArmReading, now_s: float) -> None:
        """Once the arm has come to rest after a halt, hold it where it is: each joint from its next reading on.

        A joint that is far from where it was to stop although it answered all the while has a sensor that lies.
        """
        self._missing |= reading.silent_s > 0.0
        if not self.at_rest:
            self._settle_s = now_s + SETTLE_S if self._braking else np.inf
            self._unsettled[:] = True
        elif now_s >= self._settle_s:
            # A reading from before is where a joint was on its way.
            known = self._unsettled & reading.fresh
            held = self.adherence.settled(self.at.position, reading)
            if now_s < self._settle_s + ASKED_S:
                unasked = np.array([heard is None for heard in reading.heard])
                known &= ~unasked | (held == self.at.position)
            near = np.abs(held - self.at.position) <= MISSED_LEAD
            self._take_for_commanded(np.where(known & (near | self._missing), held, self.at.position))
            self._unsettled &= ~known
            if not self._unsettled.any():
                self._settle_s = np.inf

    def _take_for_commanded(self, position: FloatArray) -> None:
        moved = position[GRIP] != self.at.position[GRIP]
        self._governor.rebase(position)
        if moved and self._gripping is not None:
            self.grip.keep_near(float(position[GRIP]), 0.0)  # from there its motion goes on
        elif moved:
            self.grip.reset(float(position[GRIP]))

    def _keep_near(self, reading: ArmReading, now_s: float, rest: bool) -> None:
        self._take_for_commanded(self.adherence.correct(self.at.position, reading, now_s, rest))

    def _with_gripper(self, setpoint: Sample, measured: float, now_s: float) -> Sample:
        """The setpoint with the gripper's own motion in place of its last entry; or the source's, when it moves it too,
        with the same care for the servo."""
        if self._source_grips:
            position, velocity = float(setpoint.position[GRIP]), float(setpoint.velocity[GRIP])
            if np.isfinite(position):
                drawn = self._guard.limit(position, measured, now_s, sent=float(self.at.position[GRIP]))
                position, velocity = drawn, velocity if drawn == position else 0.0
                self.grip.reset(position, velocity)
        else:
            self._guard.reset()
            position, velocity = self.grip.update(measured, now_s)
        both = Sample(setpoint.position.copy(), setpoint.velocity.copy())
        both.position[GRIP], both.velocity[GRIP] = position, velocity
        return both

    def _supervise(self, source: MotionSource, setpoint: Sample, governed: Governed, now_s: float) -> None:
        """End a motion that has arrived, gone stale or been stopped; keep generators near what was really commanded."""
        gap = float(np.abs(setpoint.position - governed.position)[:GRIP].max())
        why = "; ".join(governed.reasons)
        if source.done and gap < 1e-3 and np.abs(governed.velocity[:GRIP]).max() < 1e-3:
            if not self.settling:
                self.end(EndCode.ARRIVED)
        elif governed.unusable:
            self.end(EndCode.STALE, why)
        elif isinstance(source, Follow) and gap > PATH_TOLERANCE:
            self.end(EndCode.LIMITED, f"stopped on the way: {why or 'limits'}")
        elif isinstance(source, ToolJog):
            source.keep_near(governed.position, governed.velocity)
        elif isinstance(source, GoTo) and gap > 1e-3:
            # Planned anew from what was really commanded, or a soft start would end in an overshoot.
            self.generator.reset(governed.position, governed.velocity)
        stands = self.at_rest and bool(governed.reasons)
        if not stands:
            self._blocked_since = None
        elif self._blocked_since is None:
            self._blocked_since = now_s
        elif isinstance(source, (GoTo, Follow)) and now_s - self._blocked_since > BLOCKED_S:
            self.end(EndCode.LIMITED, f"stopped on the way: {why}")
