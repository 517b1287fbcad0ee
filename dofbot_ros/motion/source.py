"""What the arm is asked to do at each moment: hold, follow a trajectory, go to a pose, follow a stream or a twist."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.trajectory import Sample, Trajectory


class MotionSource(Protocol):
    """A setpoint per control period, for the governor to judge."""

    kind: str
    stamp_s: float
    """When the setpoint was last renewed [s]; a source that needs no renewing is stamped with each period."""
    done: bool
    """There is no further setpoint: the arm has been asked to rest where it shall be."""

    def setpoint(self, now_s: float, scale: float) -> Sample:
        """Where the arm shall be at the end of this period. `scale` in (0, 1] slows a motion that can be slowed."""
        ...


class Follow:
    """Plays a checked trajectory; its own time runs slower while `scale` is below one."""

    kind = "trajectory"

    def __init__(self, trajectory: Trajectory, period_s: float) -> None:
        self._trajectory = trajectory
        self._period_s = period_s
        self._time_s = 0.0
        self.stamp_s = 0.0
        self.done = False

    def setpoint(self, now_s: float, scale: float) -> Sample:
        """The trajectory one (scaled) period on."""
        self.stamp_s = now_s
        self._time_s += scale * self._period_s
        self.done = self._time_s >= self._trajectory.duration_s
        sample = self._trajectory.sample(self._time_s)
        return Sample(sample.position, sample.velocity * scale)


class GoTo:
    """Moves to rest at a joint vector, from whatever the arm is doing now."""

    def __init__(self, kind: str, motion: OnlineMotion, target: FloatArray) -> None:
        self.kind = kind
        self._motion = motion
        self._target = np.array(target, dtype=np.float64)
        self.stamp_s = 0.0
        self.done = False

    def setpoint(self, now_s: float, scale: float) -> Sample:
        """The next moment of the way there; the governor sees to `scale`."""
        del scale
        self.stamp_s = now_s
        sample = self._motion.update(self._target)
        self.done = self._motion.at_rest and bool(np.abs(sample.position - self._target).max() < 1e-6)
        return sample


class Stream:
    """Follows single points as they arrive, each as if it were the last: the arm can always stop there.

    So it trails a stream that moves at v by v^2 / 2a, the way that it needs to brake. A sender that knows where it
    would come to rest itself sends that point, and is followed without a lag.

    Args:
        position: the first point (6,) [rad].
        stamp_s: when it was made [s].
    """

    kind = "stream"

    def __init__(self, position: FloatArray, stamp_s: float) -> None:
        self._point = np.array(position, dtype=np.float64)
        self.stamp_s = stamp_s
        self.done = False

    def renew(self, position: FloatArray, stamp_s: float) -> None:
        """The next point (6,) [rad], made at `stamp_s` [s]; one that is older than the last is passed over."""
        if stamp_s > self.stamp_s:
            self._point, self.stamp_s = np.array(position, dtype=np.float64), stamp_s

    def setpoint(self, now_s: float, scale: float) -> Sample:
        """At rest on the last point."""
        del now_s, scale
        return Sample(self._point, np.zeros_like(self._point))
