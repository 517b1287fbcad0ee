"""Readings of the servos, gathered into reports that name all joints: what `joint_states` carries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.backend import ArmReading
from dofbot_ros.core.types import N_JOINTS, FloatArray
from dofbot_ros.driver.joint_velocity import JointVelocity


@dataclass(frozen=True, eq=False)
class JointReport:
    """All joints at one moment.

    Attributes:
        stamp_s: when the joint was read that was read first [s]: no position is older.
        position: [rad] shape (6,).
        velocity: [rad/s] shape (6,).
    """

    stamp_s: float
    position: FloatArray
    velocity: FloatArray


class JointReports:
    """Makes a report as soon as every joint has been read since the last one, and a period has passed.

    While a joint does not answer there are none: a position that nobody has measured must not come with a new stamp.

    Args:
        period_s: of the reports [s].
        slack_s: a report may come this much before its time, so that jitter of the readings does not halve the rate
            [s].
    """

    def __init__(self, period_s: float, slack_s: float) -> None:
        self._period_s, self._slack_s = period_s, slack_s
        self._velocity = JointVelocity()
        self._told_s: FloatArray = np.full(N_JOINTS, -np.inf)
        self._next_s = -np.inf

    def of(self, reading: ArmReading) -> JointReport | None:
        """The report that `reading`, which comes after those before, completes; None where none is due."""
        if not reading.fresh.any() or not np.isfinite(reading.stamps_s).all():
            return None
        velocity = self._velocity.of(reading)
        stamp_s = float(reading.stamps_s.min())
        if not (reading.stamps_s > self._told_s).all() or stamp_s < self._next_s - self._slack_s:
            return None
        self._told_s = reading.stamps_s.copy()
        due_s = self._next_s if np.isfinite(self._next_s) else stamp_s
        self._next_s = max(due_s, stamp_s - self._period_s) + self._period_s
        return JointReport(stamp_s, reading.position, velocity)
