"""Which way the tool leans where: a table of tool pitches over radius and height, and the joints that go with it."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.planar import PitchAngles, PlanarArm
from dofbot_ros.arm.robot import DRAWN, Robot
from dofbot_ros.core.types import FloatArray
from dofbot_ros.grasp.planning.tilt_band import TiltBand

STEP = 0.005
"""Grid of the table [m]."""

RADII = (0.130, 0.300)
HEIGHTS = (0.005, 0.200)
PLACE = 0.1
"""Place in the band of reachable tilts, 0 the steepest tool, 1 the flattest."""

MARGIN = math.radians(0.5)


class ToolPitchMap:
    """The tool's pitch as a function of its place, so that a policy steers three coordinates and the tilt follows.

    Args:
        kinematics: of the arm.
    """

    def __init__(self, kinematics: Kinematics) -> None:
        band = TiltBand(kinematics, MARGIN)
        radii = np.arange(RADII[0], RADII[1] + 0.5 * STEP, STEP)
        heights = np.arange(HEIGHTS[0], HEIGHTS[1] + 0.5 * STEP, STEP)
        tilts = [[band.tilt(float(r), 0.0, float(z), PLACE) for z in heights] for r in radii]
        self._pitch: list[list[float]] = [
            [math.nan if tilt is None else math.pi - tilt for tilt in column] for column in tilts
        ]
        lower, upper = kinematics.lower.tolist(), kinematics.upper.tolist()
        self._arm = PlanarArm(
            kinematics.upper_arm,
            kinematics.forearm,
            kinematics.tool,
            (lower[1], lower[2], lower[3]),
            (upper[1], upper[2], upper[3]),
        )
        self._base_height, self._across = kinematics.base_height, kinematics.finger_across

    def pitch(self, radius: float, z: float) -> float | None:
        """Tool pitch [rad] at this distance of its point from joint 1's axis and this height [m]; None out of reach."""
        u, v = (radius - RADII[0]) / STEP, (z - HEIGHTS[0]) / STEP
        i, j = math.floor(u), math.floor(v)
        if not (0 <= i < len(self._pitch) - 1 and 0 <= j < len(self._pitch[0]) - 1):
            return None
        u, v = u - i, v - j
        left, right = self._pitch[i], self._pitch[i + 1]
        pitch = (1 - u) * ((1 - v) * left[j] + v * left[j + 1]) + u * ((1 - v) * right[j] + v * right[j + 1])
        return None if math.isnan(pitch) else pitch

    def solve(self, radius: float, z: float) -> PitchAngles | None:
        """Joints 2, 3 and 4 [rad] that bring the tool's axis there, leaning as the table says; None out of reach."""
        pitch = self.pitch(radius, z)
        if pitch is None:
            return None
        forward, backward = self._arm.solve(radius, z - self._base_height, pitch)
        return forward or backward

    def point(self, joints: PitchAngles) -> tuple[float, float]:
        """Radius and height of the tool, on its axis, [m] at joints 2, 3 and 4 [rad]."""
        radius, height = self._arm.point(joints)
        return radius, height + self._base_height

    def tool(self, joints: Sequence[float]) -> tuple[float, float, float]:
        """Place of the tool in base_link [m] at `joints` [rad], five or more."""
        radius, z = self.point((joints[1], joints[2], joints[3]))
        x, y, up = self.beside(joints[0], joints[1] + joints[2] + joints[3], joints[4])
        return radius * math.cos(joints[0]) + x, radius * math.sin(joints[0]) + y, z + up

    def beside(self, yaw: float, pitch: float, roll: float) -> tuple[float, float, float]:
        """How far the fingers are beside the tool's axis, in base_link [m], at these angles [rad]."""
        if not self._across:
            return 0.0, 0.0, 0.0
        ahead, left = -self._across * math.sin(roll), self._across * math.cos(roll)
        out, c, s = ahead * math.cos(pitch), math.cos(yaw), math.sin(yaw)
        return out * c - left * s, out * s + left * c, -ahead * math.sin(pitch)

    def sample(self, rng: np.random.Generator, radius: tuple[float, float], z: tuple[float, float]) -> FloatArray:
        """A place within reach, (radius, z) [m], uniform over the part of the rectangle that is."""
        while True:
            place = np.array([rng.uniform(*radius), rng.uniform(*z)])
            if self.solve(float(place[0]), float(place[1])) is not None:
                return place


@functools.lru_cache(maxsize=8)
def reach_map(robot: Robot = DRAWN) -> ToolPitchMap:
    """The map of `robot`, made once a process for each: it takes a tenth of a second."""
    return ToolPitchMap(robot.kinematics)
