"""Finds out from what the servos say whether something is wrong with the arm."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dofbot_ros.arm.backend import ArmReading
from dofbot_ros.core.types import GRIP, JOINT_NAMES, N_JOINTS, FloatArray

NO_ANSWER = "does not answer"
"""What diagnostics say of a servo that leaves questions unanswered."""


class ArmMonitor:
    """Judges each reading; a fault is a sentence, "" is health.

    Args:
        stale_read_s: a servo that has not answered for this long is a fault [s].
        tracking_error: a joint this far from what it was commanded lately [rad] ...
        tracking_error_s: ... for this long is a fault [s]. The gripper is exempt: a block stops it.
        voltage_fault_s: a servo that reports a supply voltage out of its range for this long is a fault [s]. It may dip
            for a moment when all servos start; one that stays low loses torque, and then the arm sinks.
    """

    def __init__(
        self, stale_read_s: float, tracking_error: float, tracking_error_s: float, voltage_fault_s: float
    ) -> None:
        self._stale_read_s = stale_read_s
        self._tracking_error = tracking_error
        self._tracking_error_s = tracking_error_s
        self._voltage_fault_s = voltage_fault_s
        self._late_since: float | None = None
        self._weak_since = np.full(N_JOINTS, np.inf)

    def reset(self) -> None:
        """Forget what was seen so far."""
        self._late_since = None
        self._weak_since[:] = np.inf

    def judge(self, reading: ArmReading, error: FloatArray | None, now_s: float) -> str:
        """The fault that stands, or "".

        Args:
            reading: the last one, however old.
            error: how far each joint is from what it was commanded lately [rad] (6,); None while the torque is off.
            now_s: on the clock of the reading [s].
        """
        return (
            self._silence(reading)
            or self._complaint(reading)
            or self._voltage(reading, now_s)
            or (error is not None and (self._torque_lost(reading) or self._late(error, now_s)))
            or ""
        )

    def _silence(self, reading: ArmReading) -> str:
        if reading.silent_s.max() <= self._stale_read_s:
            return ""
        silent = np.flatnonzero(reading.silent_s > self._stale_read_s)
        return f"no answer from {servos(silent)} for {reading.silent_s.max():.1f} s: check its cable"

    @staticmethod
    def _complaint(reading: ArmReading) -> str:
        for i, health in enumerate(reading.health):
            if health.overheated:
                return f"{servos([i])} overheated: let it cool down and check for an obstruction"
            if health.overloaded:
                return f"{servos([i])} is overloaded and has let go: check for an obstruction"
        return ""

    def _voltage(self, reading: ArmReading, now_s: float) -> str:
        weak = [health.voltage_fault for health in reading.health]
        if not any(weak):
            self._weak_since[:] = np.inf
            return ""
        self._weak_since = np.where(weak, np.minimum(self._weak_since, now_s), np.inf)
        lasting = np.flatnonzero(now_s - self._weak_since >= self._voltage_fault_s)
        if len(lasting) == 0:
            return ""
        return f"supply voltage out of range at {servos(lasting)}: check the power supply and its plugs"

    @staticmethod
    def _torque_lost(reading: ArmReading) -> str:
        lost = [i for i, torque in enumerate(reading.torque) if torque is False]
        if not lost:
            return ""
        return f"{servos(lost)} lost its torque: check its power, then switch the torque off and on"

    def _late(self, error: FloatArray, now_s: float) -> str:
        late = np.abs(error[:GRIP])
        if late.max() <= self._tracking_error:
            self._late_since = None
            return ""
        if self._late_since is None:
            self._late_since = now_s
        if now_s - self._late_since < self._tracking_error_s:
            return ""
        joint = int(late.argmax())
        return (
            f"{JOINT_NAMES[joint]} is {late[joint]:.2f} rad away from its command and does not follow: is it blocked?"
        )


def servos(indices: Iterable[int]) -> str:
    """Servos by their place in a joint vector, for a message: "servo 3 (joint3), servo 6 (grip_joint)"."""
    return ", ".join(f"servo {i + 1} ({JOINT_NAMES[i]})" for i in indices)
