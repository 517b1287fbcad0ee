"""The motion that runs: asks its source for a wish each period, lets the governor judge it, and ends it."""

from __future__ import annotations

from collections import Counter

import numpy as np

from dofbot_ros.core.types import GRIP, N_JOINTS, FloatArray
from dofbot_ros.motion.grip import GripGuard, GripMotion
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.source import Follow, GoTo, Jog, MotionSource
from dofbot_ros.motion.trajectory import MotionLimits, Sample
from dofbot_ros.safety.governor import Governed, Governor
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.service.config import DriverConfig
from dofbot_ros.service.snapshot import MotionResult

PATH_TOLERANCE = 0.15
"""A trajectory whose command lags it by more than this [rad] has been stopped by the governor: it is given up."""
BLOCKED_S = 0.3
"""A motion that the governor keeps at rest for this long is given up [s]."""


class MotionControl:
    """One arm motion and one gripper motion at a time, through one governor.

    Args:
        limits: what no command may exceed.
        workspace: where the arm may be.
        config: rates and behaviour.
    """

    def __init__(self, limits: MotionLimits, workspace: Workspace, config: DriverConfig) -> None:
        self.period_s = 1.0 / config.control_rate_hz
        jerk = np.full(N_JOINTS, config.max_jerk)
        self.generator = OnlineMotion(self.period_s, limits.velocity, limits.acceleration, jerk)
        """Shared by all motions that are planned on the way; started anew by each."""
        self.grip = GripMotion(
            OnlineMotion(self.period_s, limits.velocity[GRIP:], limits.acceleration[GRIP:], jerk[GRIP:]),
            config.grip_lead,
        )
        self._guard = GripGuard(config.grip_lead)
        self._governor = Governor(limits, workspace, self.period_s, config.soft_start_s, config.command_timeout_s)
        self.source: MotionSource | None = None
        self._source_grips = False
        self._blocked_since: float | None = None
        self.number = 0
        self.result: MotionResult | None = None
        self.stops = 0
        self.limited: tuple[str, ...] = ()
        self.limited_counts: Counter[str] = Counter()

    @property
    def at(self) -> Sample:
        """Position and velocity commanded last."""
        return self._governor.state

    @property
    def at_rest(self) -> bool:
        """Whether the commanded velocity is zero."""
        return self._governor.at_rest

    @property
    def moving(self) -> bool:
        """Whether anything moves or is about to."""
        return self.source is not None or not self._governor.at_rest or self.grip.moving

    def start(self, measured: FloatArray, now_s: float) -> None:
        """Begin at rest, softly, from where the arm was measured to be (6,) [rad]."""
        self.end("the arm starts anew")
        self._governor.start(measured, now_s)
        self.grip.reset(float(measured[GRIP]))

    def begin(self, source: MotionSource, grips: bool = False) -> int:
        """Let `source` take over; `grips` when it moves the gripper too. Returns the number of the motion."""
        self.end("replaced by the next command")
        self.source, self._source_grips = source, grips
        self.number += 1
        return self.number

    def end(self, reason: str) -> None:
        """Give up the arm motion that runs, if any: the arm brakes. "" means it has arrived."""
        if self.source is not None:
            self.result = MotionResult(self.number, self.source.kind, reason)
        self.source, self._source_grips, self._blocked_since = None, False, None

    def stop(self, reason: str) -> None:
        """Brake the arm and the gripper."""
        self.stops += 1
        self.end(reason)
        self.grip.reset(float(self.at.position[GRIP]))

    def brake(self) -> Governed:
        """One control period of braking everything."""
        governed = self._governor.halt()
        self.grip.reset(float(governed.position[GRIP]))
        self.limited = ()
        return governed

    def decide(self, measured: FloatArray, now_s: float) -> Governed:
        """One control period: what may be sent.

        Args:
            measured: where the arm is, (6,) [rad].
            now_s: on the control clock [s].
        """
        at = self.at
        wish, stamp = Sample(at.position, np.zeros(N_JOINTS)), now_s
        if self.source is not None:
            wish = self.source.wish(now_s, self._governor.soft_start_scale(now_s))
            stamp = self.source.stamp_s
        wish = self._with_gripper(wish, float(measured[GRIP]), now_s)
        governed = self._governor.step(wish, stamp, now_s)
        self.limited = governed.reasons
        self.limited_counts.update({reason.split(":")[0] for reason in governed.reasons})
        if self.source is not None:
            self._supervise(self.source, wish, governed, now_s)
        return governed

    def _with_gripper(self, wish: Sample, measured: float, now_s: float) -> Sample:
        """The wish with the gripper's own motion in place of its last entry; a source's own, when it moves it too, with
        the same care for the servo."""
        if self._source_grips:
            position, velocity = float(wish.position[GRIP]), float(wish.velocity[GRIP])
            if np.isfinite(position):
                drawn = self._guard.limit(position, measured, now_s)
                position, velocity = drawn, velocity if drawn == position else 0.0
                self.grip.reset(position, velocity)
        else:
            self._guard.reset()
            position, velocity = self.grip.update(measured, now_s)
        return Sample(np.append(wish.position[:GRIP], position), np.append(wish.velocity[:GRIP], velocity))

    def _supervise(self, source: MotionSource, wish: Sample, governed: Governed, now_s: float) -> None:
        """End a motion that has arrived, gone stale or been stopped; keep generators near what was really commanded."""
        gap = float(np.abs(wish.position - governed.position)[:GRIP].max())
        why = "; ".join(governed.reasons)
        if source.done and gap < 1e-3 and np.abs(governed.velocity[:GRIP]).max() < 1e-3:
            self.end("")
        elif any(reason.startswith(("stale", "not finite")) for reason in governed.reasons):
            self.end(why)
        elif isinstance(source, Follow) and gap > PATH_TOLERANCE:
            self.end(f"stopped on the way: {why or 'limits'}")
        elif isinstance(source, Jog) and gap > 1e-3:
            self.generator.reset(governed.position, governed.velocity)
        stands = self.at_rest and bool(governed.reasons)
        if not stands:
            self._blocked_since = None
        elif self._blocked_since is None:
            self._blocked_since = now_s
        elif isinstance(source, (GoTo, Follow)) and now_s - self._blocked_since > BLOCKED_S:
            self.end(f"stopped on the way: {why}")
