"""A hand made of numbers, seen with the noise of a real one: for measurements that need to know the truth."""

from __future__ import annotations

import math

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.teleop.config import CameraConfig
from dofbot_ros.teleop.input.landmarks import MIDDLE_MCP, PALM, WRIST, Landmarks, Observation

WIDTH, HEIGHT = 640, 480
FOCAL_PX = 0.5 * WIDTH / math.tan(math.radians(0.5 * CameraConfig().horizontal_fov_deg))
PALM_M = 0.095
"""Wrist to middle knuckle [m]."""

OPEN_PALM = 1e-3 * np.array([
    (27, 56, 2), (47, 23, -6), (60, -9, -3), (73, -39, 6), (79, -64, 20),
    (12, -39, 7), (8, -65, -1), (5, -82, -11), (2, -93, -44),
    (-13, -30, 8), (-29, -64, -5), (-36, -79, -27), (-38, -96, -51),
    (-32, -16, -2), (-48, -42, -14), (-56, -57, -30), (-60, -75, -52),
    (-41, 6, -9), (-59, -11, -13), (-75, -22, -21), (-87, -36, -32),
])  # fmt: skip
"""A recorded right hand: its landmarks from the middle of the palm, in the camera's axes right, down, away [m]."""


class SyntheticHand:
    """One right hand that can be shown anywhere in front of the camera.

    The noise is that of MediaPipe on pictures of eight hands of this size with sensor noise (sigma 4 of 255): 0.15 px
    of the whole hand, 0.2 % of its size, 0.2 px and 0.5 mm of each landmark.

    Args:
        rng: draws the noise.
        world: landmarks [m], shape (21, 3), in the camera's axes; brought to the size of `PALM_M`.
        noise: as a multiple of that; 0 for none.
    """

    def __init__(self, rng: np.random.Generator, world: FloatArray = OPEN_PALM, noise: float = 1.0) -> None:
        centred = world - world[list(PALM)].mean(axis=0)
        self._world = centred * (PALM_M / np.linalg.norm(centred[MIDDLE_MCP] - centred[WRIST]))
        self._noise, self._rng = noise, rng

    def at(self, forward: float, left: float, up: float, stamp_s: float, score: float = 0.95) -> Observation:
        """The palm at (forward, left, up) from the camera [m]; forward is negative."""
        n, rng = self._noise, self._rng
        points = self._world + (left, -up, -forward)
        uv = points[:, :2] / points[:, 2:] * FOCAL_PX
        centre = uv[list(PALM)].mean(axis=0)
        uv = centre + (uv - centre) * (1.0 + n * 0.002 * rng.standard_normal())
        uv = uv + n * (0.15 * rng.standard_normal(2) + 0.2 * rng.standard_normal(uv.shape))
        image = np.column_stack([uv + (WIDTH / 2, HEIGHT / 2), np.zeros(len(uv))])
        world = self._world + n * 0.0005 * rng.standard_normal(self._world.shape)
        return Observation(stamp_s, WIDTH, HEIGHT, Landmarks(image, world, score, "right"))
