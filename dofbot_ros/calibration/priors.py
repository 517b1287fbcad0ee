"""What a calibration believes beforehand of an arm and of a pose, and how well it knows it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dofbot_ros.calibration.fitting.parameters import Parameter
from dofbot_ros.core.transforms import exp_so3_batch
from dofbot_ros.core.types import FloatArray

Carrier = Literal["base_link", "link4", "tool_link"]
"""What a camera or a target is fixed to."""

POSE = ("x", "y", "z", "rx", "ry", "rz")
"""Endings of a pose's six unknowns: translation [m] and rotation vector [rad], both in the parent frame."""


@dataclass(frozen=True)
class ArmSigma:
    """How well an arm is known beforehand: standard deviations.

    Attributes:
        zero: of a servo's zero [rad]; owners report +-2 degrees.
        scale: of its ticks a radian, relative; owners report 1 to 3 %.
        turn: of the amplitudes of its once-per-turn error [rad].
        base_height: of joint 2 above the table [m]; 98 to 120 mm seen.
        link: of upper arm and forearm [m].
        tool: of joint 4 to tool_link [m].
        play: of half the play of each gear [rad].
        flex: of what a joint gives at full load [rad].
    """

    zero: float = math.radians(2.0)
    scale: float = 0.01
    turn: float = math.radians(0.02)
    base_height: float = 0.01
    link: float = 0.001
    tool: float = 0.002
    play: float = math.radians(0.01)
    flex: float = math.radians(0.01)


@dataclass(frozen=True, eq=False)
class UnknownPose:
    """A rigid pose that is known roughly.

    Attributes:
        name: its parameters are name.x ... name.rz.
        parent: frame that it is in.
        nominal: the pose believed, shape (4, 4) [m].
        sigma: standard deviations along and about the parent's axes, shape (6,) [m, rad].
        size_sigma: of the relative error of a target's printed size, its parameter name.size; 0: it is exact.
    """

    name: str
    parent: Carrier
    nominal: FloatArray
    sigma: FloatArray
    size_sigma: float = 0.0

    def parameters(self) -> tuple[Parameter, ...]:
        """The six deviations from the nominal pose, and that of the size."""
        pose = [Parameter(f"{self.name}.{end}", 0.0, float(s)) for end, s in zip(POSE, self.sigma, strict=True)]
        size = [Parameter(f"{self.name}.size", 0.0, self.size_sigma)] if self.size_sigma else []
        return (*pose, *size)

    def pose(self, deviation: FloatArray) -> FloatArray:
        """The poses with those deviations (..., 6), shape (..., 4, 4)."""
        T = np.broadcast_to(self.nominal, (*deviation.shape[:-1], 4, 4)).copy()
        T[..., :3, 3] += deviation[..., :3]
        T[..., :3, :3] = exp_so3_batch(deviation[..., 3:]) @ T[..., :3, :3]
        return T
