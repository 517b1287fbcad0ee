"""The quantities that all parts pass around: joint vectors and tool poses, in rad, m and s."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
ImageArray: TypeAlias = NDArray[np.uint8]

ARM_JOINTS = ("joint1", "joint2", "joint3", "joint4", "joint5")
GRIP_JOINT = "grip_joint"
JOINT_NAMES = (*ARM_JOINTS, GRIP_JOINT)
N_ARM = len(ARM_JOINTS)
N_JOINTS = len(JOINT_NAMES)
GRIP = N_ARM
"""Index of the gripper in a joint vector of shape (6,)."""


@dataclass(frozen=True)
class ToolPose:
    """Position of `tool_link` in `base_link` and the two angles that a five-joint arm can choose.

    Attributes:
        x: [m], forward.
        y: [m], left.
        z: [m], up from the underside of the base plate.
        pitch: [rad] tool axis against straight up: 0 up, pi/2 level, pi straight down (joint2 + joint3 + joint4).
        roll: [rad] joint5, about the tool axis.
    """

    x: float
    y: float
    z: float
    pitch: float
    roll: float = 0.0

    @property
    def tilt(self) -> float:
        """Angle between the tool and straight down, leaning outward [rad]."""
        return math.pi - self.pitch

    def __str__(self) -> str:
        return (
            f"x {self.x:.4f} y {self.y:.4f} z {self.z:.4f} m, "
            f"pitch {math.degrees(self.pitch):.1f} roll {math.degrees(self.roll):.1f} deg"
        )
