"""How fast the joints turn, from their positions one after the other."""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.backend import ArmReading
from dofbot_ros.core.types import N_JOINTS, FloatArray

TIME_CONSTANT_S = 0.06
"""A servo's tick in one cycle would be 0.07 rad/s: differences are smoothed over this [s]."""
LOST_S = 0.5
"""After a gap as long as this the velocity begins anew [s]."""


class JointVelocity:
    """Differences of positions by their own stamps, through a first-order low-pass filter."""

    def __init__(self) -> None:
        self._position: FloatArray = np.zeros(N_JOINTS)
        self._stamps_s: FloatArray = np.full(N_JOINTS, -np.inf)
        self._velocity: FloatArray = np.zeros(N_JOINTS)

    def of(self, reading: ArmReading) -> FloatArray:
        """Velocities [rad/s] (6,) at `reading`, which comes after those before; zero at the first."""
        elapsed = reading.stamps_s - self._stamps_s
        again = reading.fresh & (elapsed > 0.0) & (elapsed < LOST_S)
        seconds = np.where(again, elapsed, 1.0)
        slope = (reading.position - self._position) / seconds
        share = 1.0 - np.exp(-seconds / TIME_CONSTANT_S)
        smoothed = self._velocity + share * (slope - self._velocity)
        self._velocity = np.where(again, smoothed, np.where(elapsed >= LOST_S, 0.0, self._velocity))
        self._position = np.where(reading.fresh, reading.position, self._position)
        self._stamps_s = np.where(reading.fresh, reading.stamps_s, self._stamps_s)
        return self._velocity.copy()
