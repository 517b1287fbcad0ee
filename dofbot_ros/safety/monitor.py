"""Finds out from what the servos say whether something is wrong with the arm."""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.backend import ArmReading
from dofbot_ros.core.types import GRIP, JOINT_NAMES, FloatArray


class ArmMonitor:
    """Judges each reading; a fault is a sentence, "" is health.

    Args:
        stale_read_s: a servo not read for this long is a fault [s].
        tracking_error: a joint further than this from its command [rad] ...
        tracking_error_s: ... for this long is a fault [s]. The gripper is exempt: a block stops it.
    """

    def __init__(self, stale_read_s: float, tracking_error: float, tracking_error_s: float) -> None:
        self._stale_read_s = stale_read_s
        self._tracking_error = tracking_error
        self._tracking_error_s = tracking_error_s
        self._astray_since: float | None = None

    def reset(self) -> None:
        """Forget what was seen so far."""
        self._astray_since = None

    def judge(self, reading: ArmReading, commanded: FloatArray | None, now_s: float) -> str:
        """The fault that stands, or "".

        Args:
            reading: the last one, however old.
            commanded: [rad] (6,) what the arm was told, None while the torque is off.
            now_s: on the clock of the reading [s].
        """
        return (
            self._silence(reading, now_s)
            or self._complaint(reading)
            or self._astray(reading.position, commanded, now_s)
        )

    def _silence(self, reading: ArmReading, now_s: float) -> str:
        age = now_s - reading.stamps_s
        silent = np.flatnonzero(age > self._stale_read_s)
        if len(silent) == 0:
            return ""
        names = ", ".join(f"servo {i + 1} ({JOINT_NAMES[i]})" for i in silent)
        return f"no answer from {names} for {age.max():.1f} s: check its cable"

    @staticmethod
    def _complaint(reading: ArmReading) -> str:
        for i, health in enumerate(reading.health):
            if health.overheated or health.overloaded:
                what = " and ".join(fault for fault in health.faults if fault != "voltage")
                return f"servo {i + 1} ({JOINT_NAMES[i]}) reports {what}: let it rest, look for what blocks it"
        return ""

    def _astray(self, measured: FloatArray, commanded: FloatArray | None, now_s: float) -> str:
        error = np.zeros(GRIP) if commanded is None else np.abs(measured - commanded)[:GRIP]
        if error.max() <= self._tracking_error:
            self._astray_since = None
            return ""
        if self._astray_since is None:
            self._astray_since = now_s
        if now_s - self._astray_since < self._tracking_error_s:
            return ""
        joint = int(error.argmax())
        return f"{JOINT_NAMES[joint]} is {error[joint]:.2f} rad away from its command and does not follow: blocked?"
