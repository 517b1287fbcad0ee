"""What the arm is asked to do at each moment: hold, follow a trajectory, go to a pose, follow a stream or a twist."""

from __future__ import annotations

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

    def wish(self, now_s: float, scale: float) -> Sample:
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

    def wish(self, now_s: float, scale: float) -> Sample:
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

    def wish(self, now_s: float, scale: float) -> Sample:
        """The next moment of the way there; the governor sees to `scale`."""
        del scale
        self.stamp_s = now_s
        sample = self._motion.update(self._target)
        self.done = self._motion.at_rest and bool(np.abs(sample.position - self._target).max() < 1e-6)
        return sample


class Stream:
    """Follows single points as they arrive, carried on at their own velocity until the next one is due."""

    kind = "stream"

    def __init__(self, position: FloatArray, stamp_s: float) -> None:
        self._position = np.array(position, dtype=np.float64)
        self._velocity = np.zeros_like(self._position)
        self._interval_s = 0.0
        self.stamp_s = stamp_s
        self.done = False

    def renew(self, position: FloatArray, stamp_s: float) -> None:
        """The next point (6,) [rad], made at `stamp_s` [s]."""
        interval = stamp_s - self.stamp_s
        if interval <= 0:
            return
        if interval > 0.1:
            # A pause is no velocity: start over rather than extrapolate from a point of long ago.
            self._velocity = np.zeros_like(self._position)
        else:
            self._velocity = (position - self._position) / interval
        self._position, self._interval_s, self.stamp_s = np.array(position, dtype=np.float64), interval, stamp_s

    def wish(self, now_s: float, scale: float) -> Sample:
        """The last point, moved on by its velocity for at most the last interval."""
        del scale
        ahead = now_s - self.stamp_s
        if ahead > self._interval_s:
            return Sample(self._position + self._velocity * self._interval_s, np.zeros_like(self._velocity))
        return Sample(self._position + self._velocity * max(0.0, ahead), self._velocity)


class Jog:
    """Moves with a joint velocity that is renewed from outside, as a twist of the tool is."""

    def __init__(self, kind: str, motion: OnlineMotion, velocity: FloatArray, stamp_s: float) -> None:
        self.kind = kind
        self._motion = motion
        self.velocity = velocity
        self.stamp_s = stamp_s
        self.done = False

    def renew(self, velocity: FloatArray, stamp_s: float) -> None:
        """The next joint velocity (n,) [rad/s], made at `stamp_s` [s]."""
        self.velocity, self.stamp_s = velocity, stamp_s

    def wish(self, now_s: float, scale: float) -> Sample:
        """One period on at a velocity that approaches the wanted one."""
        del now_s
        return self._motion.update_velocity(self.velocity * scale)
