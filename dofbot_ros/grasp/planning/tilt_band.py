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

    def tilt(self, x: float, y: float, z: float, place: float, roll: float = 0.0) -> float | None:
        """The tilt [rad] at `place` in the band, 0 its steepest and 1 its flattest end; None where there is no band."""
        for low, high in reversed(self._kinematics.pitch_range(x, y, z, roll)):
            steep, flat = math.pi - high + self._margin, math.pi - low - self._margin
            if 0.0 <= steep <= flat < 0.5 * math.pi:
                return steep + place * (flat - steep)
        return None

    def column(self, x: float, y: float, z: tuple[float, float], place: float, roll: float) -> FloatArray | None:
        """Joint angles (n, 5) [rad] of the tool going from height z[0] to z[1] [m]; None if it cannot."""
        heights = np.linspace(z[0], z[1], max(2, math.ceil(abs(z[1] - z[0]) / STEP_M) + 1))
        path: list[FloatArray] = []
        for height in heights:
            q = self._solve((x, y, float(height)), place, roll, path[-1] if path else None)
            if q is None:
                return None
            if path and np.abs(q - path[-1]).max() > MAX_JOINT_STEP:
                return None
            path.append(q)
        return np.array(path)

    def _solve(
        self, at: tuple[float, float, float], place: float, roll: float, near: FloatArray | None
    ) -> FloatArray | None:
        """Joint angles (5,) [rad] that bring the tool to `at`; None where there is no band, or no solution in it."""
        tilt = self.tilt(*at, place, roll)
        if tilt is None:
            return None
        try:
            return self._kinematics.solve(ToolPose(*at, math.pi - tilt, roll), near=near)
        except UnreachableError:
            return None
