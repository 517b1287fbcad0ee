"""Motions straight up and down with a tool that has to lean: a column of tool poses and its joint angles.

At each point this arm reaches a narrow band of tilts, which rises with the point's height: a vertical line at one tilt
leaves it after two or three centimetres. A column therefore keeps its place within the band, not its tilt.
"""

from __future__ import annotations

import math

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.errors import UnreachableError

STEP_M = 0.003
"""Distance of the poses in a column [m]."""

MAX_JOINT_STEP = 0.25
"""Neighbours in a column further apart than this [rad] belong to different branches of the solution."""


class TiltBand:
    """The tilts of the tool that reach a point.

    Args:
        kinematics: of the arm.
        margin: kept from both ends of the band [rad].
    """

    def __init__(self, kinematics: Kinematics, margin: float) -> None:
        self._kinematics = kinematics
        self._margin = margin

    def tilt(self, x: float, y: float, z: float, place: float) -> float | None:
        """The tilt [rad] at `place` in the band, 0 its steepest and 1 its flattest end; None where there is no band."""
        for low, high in reversed(self._kinematics.pitch_range(x, y, z)):
            steep, flat = math.pi - high + self._margin, math.pi - low - self._margin
            if 0.0 <= steep <= flat < 0.5 * math.pi:
                return steep + place * (flat - steep)
        return None

    def column(self, x: float, y: float, z: tuple[float, float], place: float, roll: float) -> FloatArray | None:
        """Joint angles (n, 5) [rad] of the tool moving from height z[0] to z[1] [m]; None where it cannot."""
        heights = np.linspace(z[0], z[1], max(2, math.ceil(abs(z[1] - z[0]) / STEP_M) + 1))
        path: list[FloatArray] = []
        for height in heights:
            tilt = self.tilt(x, y, float(height), place)
            if tilt is None:
                return None
            goal = ToolPose(x, y, float(height), math.pi - tilt, roll)
            try:
                q = self._kinematics.solve(goal, near=path[-1] if path else None)
            except UnreachableError:
                return None
            if path and np.abs(q - path[-1]).max() > MAX_JOINT_STEP:
                return None
            path.append(q)
        return np.array(path)
