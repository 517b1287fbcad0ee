"""What the arm is asked to do at each moment: hold, follow a trajectory, go to a pose, follow a stream or a twist."""

from __future__ import annotations

from collections import deque
from typing import Protocol

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.trajectory import Sample, Trajectory


class MotionSource(Protocol):
    """A wish per control period, for the governor to judge."""

    kind: str
    stamp_s: float
    """When the wish was last renewed [s]; a source that needs no renewing is stamped with each period."""
    done: bool
    """Nothing more to wish for: the arm has been asked to rest where it shall be."""

    @property
    def last_point(self) -> FloatArray | None:
        """Where the arm may not go beyond: the newest point of a stream; None for motions that end by themselves."""
        ...

    def wish(self, now_s: float, scale: float) -> Sample:
        """Where the arm shall be at the end of this period. `scale` in (0, 1] slows a motion that can be slowed."""
        ...


class Follow:
    """Plays a checked trajectory; its own time runs slower while `scale` is below one."""

    kind = "trajectory"
    last_point = None

    def __init__(self, trajectory: Trajectory, period_s: float) -> None:
        self._trajectory = trajectory
        self._period_s = period_s
        self._time_s = 0.0
        self.stamp_s = 0.0
        self.done = False

    def wish(self, now_s: float, scale: float) -> Sample:
        """The trajectory one (scaled) period on."""
        self.stamp_s = now_s
        self._time_s += scale * self._period_s
        self.done = self._time_s >= self._trajectory.duration_s
        sample = self._trajectory.sample(self._time_s)
        return Sample(sample.position, sample.velocity * scale)


class GoTo:
    """Moves to rest at a joint vector, from whatever the arm is doing now."""

    last_point = None

    def __init__(self, kind: str, motion: OnlineMotion, target: FloatArray) -> None:
        self.kind = kind
        self._motion = motion
        self._target = np.array(target, dtype=np.float64)
        self.stamp_s = 0.0
        self.done = False

    def wish(self, now_s: float, scale: float) -> Sample:
        """The next moment of the way there; the governor sees to `scale`."""
        del scale
        self.stamp_s = now_s
        sample = self._motion.update(self._target)
        self.done = self._motion.at_rest and bool(np.abs(sample.position - self._target).max() < 1e-6)
        return sample


class Stream:
    """Follows single points as they arrive, and never passes the last one.

    The points are played a little late, by the longest interval between them less a control period, so that there is
    one to go to whenever they come. The wish trails this play by the distance that the arm needs to brake: a stream
    that falls silent leaves the arm at its last point.

    Args:
        position: the first point (6,) [rad].
        stamp_s: when it was made [s].
        period_s: control period [s].
        acceleration: with which the arm brakes (6,) [rad/s^2].
    """

    kind = "stream"
    PAUSE_S = 0.1
    """Points farther apart than this have no velocity [s]."""
    FORGET = 0.98
    """Share of the longest interval that is left of it at the next point."""

    def __init__(self, position: FloatArray, stamp_s: float, period_s: float, acceleration: FloatArray) -> None:
        self.last_point = np.array(position, dtype=np.float64)
        self._points = deque([(stamp_s, self.last_point)], maxlen=8)
        self._velocity = np.zeros_like(self.last_point)
        self._interval_s = 0.0
        self._period_s = period_s
        self._acceleration = acceleration
        self.stamp_s = stamp_s
        self.done = False

    def renew(self, position: FloatArray, stamp_s: float) -> None:
        """The next point (6,) [rad], made at `stamp_s` [s]."""
        interval = stamp_s - self.stamp_s
        if interval <= 0:
            return
        if interval > self.PAUSE_S:
            self._points.clear()
            self._velocity, self._interval_s = np.zeros_like(self.last_point), 0.0
        else:
            # Half of the velocity before: a point that came a little early or late is no jump in speed.
            self._velocity = 0.5 * (self._velocity + (position - self.last_point) / interval)
            self._interval_s = max(interval, self.FORGET * self._interval_s)
        self.last_point, self.stamp_s = np.array(position, dtype=np.float64), stamp_s
        self._points.append((stamp_s, self.last_point))

    def wish(self, now_s: float, scale: float) -> Sample:
        """Where the play is, short of it by the braking distance while points keep coming."""
        del scale
        if now_s - self.stamp_s > self._interval_s + self._period_s:
            return Sample(self.last_point, np.zeros_like(self._velocity))
        trail = 0.5 * self._velocity * np.abs(self._velocity) / self._acceleration
        return Sample(self._play(now_s - max(0.0, self._interval_s - self._period_s)) - trail, self._velocity)

    def _play(self, time_s: float) -> FloatArray:
        """The points at `time_s`, straight between them."""
        later = self._points[-1]
        for earlier in reversed(self._points):
            if earlier[0] <= time_s:
                share = min(1.0, (time_s - earlier[0]) / max(later[0] - earlier[0], 1e-9))
                return earlier[1] + share * (later[1] - earlier[1])
            later = earlier
        return later[1]
