"""One arm as everything above it knows it: its calibration, and the kinematics and joint limits that follow from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration, load_calibration
from dofbot_ros.arm.gripper import CLOSED
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP
from dofbot_ros.errors import CalibrationError

NOMINAL = Kinematics()


class Robot:
    """Made once by each program and passed to whatever plans or moves.

    Args:
        calibration: of the arm; the vendor's nominal values by default.

    Attributes:
        calibration: ids, zeros, signs and scales of the servos, and the base height.
        kinematics: lengths, and the limits of the five joints.
        lower, upper: limits of all joints [rad] (6,): the nominal ones, narrowed to what the servos are allowed to do.

    Raises:
        CalibrationError: a servo's min_ticks..max_ticks leave its joint no room.
    """

    def __init__(self, calibration: Calibration = DEFAULT_CALIBRATION) -> None:
        self.calibration = calibration
        low, high = calibration.limits
        self.lower = np.maximum(np.append(NOMINAL.lower, 0.0), low)
        self.upper = np.minimum(np.append(NOMINAL.upper, CLOSED), high)
        if (self.lower >= self.upper).any():
            raise CalibrationError(
                f"min_ticks and max_ticks leave a joint no room: {self.lower.round(3).tolist()} to "
                f"{self.upper.round(3).tolist()} rad"
            )
        self.kinematics = Kinematics(
            base_height=calibration.base_height_m, lower=self.lower[:GRIP].tolist(), upper=self.upper[:GRIP].tolist()
        )


def load_robot(calibration_file: str | Path = "") -> Robot:
    """The robot of a calibration file, or the nominal one for "".

    Raises:
        ConfigError: no such file, an unknown key, a value of another type.
        CalibrationError: a value that no DofBot could have.
    """
    return Robot(load_calibration(calibration_file)) if calibration_file else Robot()
