"""A path of joint vectors gets the shortest smooth timing that the limits allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.motion.trajectory import MotionLimits

KNOTS = 17
"""Knots of a timed path: at 20 the trajectory's cubics follow the path to hundredths of a millimetre."""

HEADROOM = 0.97
"""Share of the limits that is used: the cubics between the knots swing a little over the velocities at them."""

SAME_PLACE = 1e-9
"""Neighbours that are no further apart are one point of a path [rad]."""


@dataclass(frozen=True)
class TimedPath:
    """A motion of the five arm joints from rest to rest.

    Attributes:
        times: [s] shape (n,), from 0, or from when it is `later`.
        positions: [rad] shape (n, 5).
        velocities: [rad/s] shape (n, 5).
    """

    times: FloatArray
    positions: FloatArray
    velocities: FloatArray

    @property
    def duration_s(self) -> float:
        """How long it takes [s]."""
        return float(self.times[-1])

    def then(self, other: TimedPath) -> TimedPath:
        """This motion, and `other` from where this one rests."""
        return TimedPath(
            np.concatenate([self.times, self.times[-1] + other.times[1:]]),
            np.concatenate([self.positions, other.positions[1:]]),
            np.concatenate([self.velocities, other.velocities[1:]]),
        )

    def later(self, seconds: float) -> TimedPath:
        """The same motion after `seconds`, in which an arm that rests a little beside its start comes there."""
        return TimedPath(self.times + seconds, self.positions, self.velocities)

    def reversed(self) -> TimedPath:
        """The same motion from its end to its start."""
        return TimedPath(self.times[-1] - self.times[::-1], self.positions[::-1], -self.velocities[::-1])


def retime(path: FloatArray, limits: MotionLimits) -> TimedPath:
    """Run along `path` with the time law s = 3 u^2 - 2 u^3, which starts and ends at rest, as fast as `limits` allow.

    s is the length of the path, measured as the turn of the joint that turns most. Velocities grow with the inverse of
    the duration and accelerations with its square, so that one look at the motion of duration 1 s gives the shortest.

    Args:
        path: [rad] shape (n, 5), n >= 2; neighbours so near that straight lines between them will do.
        limits: of all six joints; the gripper's are not used.

    Raises:
        InputError: a path that goes nowhere.
    """
    steps = np.abs(np.diff(path, axis=0)).max(axis=1)
    moves = steps > SAME_PLACE
    path, length = path[np.append(True, moves)], np.append(0.0, np.cumsum(steps[moves]))
    if len(path) < 2:
        raise InputError("a path of one point takes no time: leave it out")
    u = np.linspace(0.0, 1.0, KNOTS)
    s = length[-1] * u * u * (3.0 - 2.0 * u)
    q = np.stack([np.interp(s, length, column) for column in path.T], axis=1)
    # Tangents over the knots rather than along the polyline, whose corners would ask for endless accelerations.
    v = np.gradient(q, u, axis=0)
    v[[0, -1]] = 0.0
    velocity, acceleration = _peaks(u, q, v)
    lim_v, lim_a = HEADROOM * limits.velocity[:N_ARM], HEADROOM * limits.acceleration[:N_ARM]
    duration = max(float((velocity / lim_v).max()), float(np.sqrt((acceleration / lim_a).max())))
    return TimedPath(duration * u, q, v / duration)


def _peaks(u: FloatArray, q: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Largest velocity and acceleration of the cubics through the knots, each of shape (5,)."""
    h = np.diff(u)[:, None]
    slope, v0, v1 = np.diff(q, axis=0) / h, v[:-1], v[1:]
    middle = 1.5 * slope - 0.25 * (v0 + v1)
    accelerations = np.concatenate([6 * slope - 4 * v0 - 2 * v1, -6 * slope + 2 * v0 + 4 * v1]) / np.tile(h, (2, 1))
    velocities = np.concatenate([v, middle])
    return np.abs(velocities).max(axis=0), np.abs(accelerations).max(axis=0)
