"""One arm: its kinematics and the limits of its joints, as they follow from a calibration or from a URDF."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration, calibration_of
from dofbot_ros.arm.gripper import CLOSED
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import ArmModel, at_base_height, load_model, with_fingers, with_footprint, with_limits
from dofbot_ros.core.types import GRIP, JOINT_NAMES, N_JOINTS, FloatArray
from dofbot_ros.errors import CalibrationError, InputError

LENGTHS = ("base_height", "upper_arm", "forearm", "tool", "finger_across", "finger_along")
"""The lengths that make a DofBot, by their names in Kinematics [m]."""


@dataclass(frozen=True, eq=False)
class Robot:
    """Lengths and joint limits of one arm. A program makes one Robot and passes it to all code that plans or moves.

    A driver makes it from its calibration (`calibrated`), a client from the driver's robot_description (`described`).

    Attributes:
        kinematics: lengths, and the limits of the five joints.
        lower, upper: limits of all joints [rad] (6,).
    """

    kinematics: Kinematics
    lower: FloatArray
    upper: FloatArray

    @classmethod
    def drawn(cls) -> Robot:
        """The arm of the vendor's drawing with its nominal joint limits: the one in simulation and in training.

        A calibrated arm, also one with the vendor's nominal calibration, has limits that are a little narrower.
        """
        kinematics = Kinematics()
        return cls(kinematics, np.append(kinematics.lower, 0.0), np.append(kinematics.upper, CLOSED))

    @classmethod
    def calibrated(cls, calibration: Calibration = DEFAULT_CALIBRATION) -> Robot:
        """The arm of a calibration: its base height, and nominal limits narrowed to min_ticks..max_ticks of each servo.

        Raises:
            CalibrationError: a servo's min_ticks..max_ticks leave its joint no room.
        """
        drawn, (low, high) = Robot.drawn(), calibration.limits
        lower, upper = np.maximum(drawn.lower, low), np.minimum(drawn.upper, high)
        for name, least, most in zip(JOINT_NAMES, lower, upper, strict=True):
            if least >= most:
                raise CalibrationError(
                    f"{name}: min_ticks and max_ticks leave no room within the nominal limits: {least:.3f}..{most:.3f}"
                )
        kinematics = Kinematics(
            base_height=calibration.base_height_m,
            tool=drawn.kinematics.tool + calibration.finger_along_m,
            fingers=(calibration.finger_across_m, calibration.finger_along_m),
            lower=lower[:GRIP].tolist(),
            upper=upper[:GRIP].tolist(),
        )
        return cls(kinematics, lower, upper)

    @classmethod
    def described(cls, model: ArmModel) -> Robot:
        """The arm of a URDF, for instance of a driver's robot_description.

        Raises:
            InputError: its joints have other names or another order than a DofBot's.
        """
        if model.joint_names != JOINT_NAMES:
            raise InputError(f"the arm has {', '.join(model.joint_names)}, and needs {', '.join(JOINT_NAMES)}")
        return cls(Kinematics.from_model(model), model.lower, model.upper)

    def same_as(self, other: Robot) -> bool:
        """Whether lengths [m] and limits [rad] of both robots differ by 1e-6 at most."""
        mine, theirs = (
            [*(getattr(r.kinematics, length) for length in LENGTHS), *r.lower, *r.upper] for r in (self, other)
        )
        return bool(np.allclose(mine, theirs, rtol=0.0, atol=1e-6))

    def describe(self, max_velocity: float | None = None) -> ArmModel:
        """This arm as a URDF: the shipped one with its base height and joint limits, on a massless root.

        Args:
            max_velocity: the driver's velocity limit for all joints [rad/s]; None keeps the shipped URDF's.
        """
        kinematics = self.kinematics
        own = with_fingers(load_model(), kinematics.finger_across, kinematics.finger_along)
        raised = at_base_height(own, kinematics.base_height)
        limits = {JOINT_NAMES[i]: (self.lower[i], self.upper[i]) for i in range(N_JOINTS)}
        return with_footprint(with_limits(raised, limits, max_velocity))


DRAWN = Robot.drawn()
"""The arm that environments simulate and policies learned on. Programs that move an arm make a Robot of their own."""


def load_robot(calibration_file: str | Path = "") -> Robot:
    """The robot of a calibration file, or of the nominal calibration for "".

    Raises:
        ConfigError: no such file, an unknown key, a value of another type.
        CalibrationError: a value that no DofBot could have.
    """
    return Robot.calibrated(calibration_of(calibration_file))
