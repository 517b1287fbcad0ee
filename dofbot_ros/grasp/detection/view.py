"""The square of the table that the grasp network sees: pixels <-> base_link, and a camera image turned into it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np

from dofbot_ros.config.ranges import Checked, Positive, Range
from dofbot_ros.core.transforms import invert
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.vision.intrinsics import Intrinsics

OVERSAMPLING = 2
"""A view is warped this much larger and then averaged down, so that fine texture does not alias."""


@dataclass(frozen=True)
class TopDownView(Checked):
    """A square seen from straight above: row 0 is furthest from the arm (+x), column 0 furthest left (+y).

    It lies in the plane z = `height`, where the fingers close, and not in the table: what stands on the table is seen
    from one side by a camera that is not above it, and a grasp has to be in the right place at the fingers' height.

    Attributes:
        size: pixels along each side.
        centre: x, y of the middle in base_link [m].
        side: length of each side [m].
        height: of the plane above the table [m].
    """

    size: Annotated[int, Range(8)] = 64
    centre: tuple[float, float] = (0.190, 0.0)
    side: Positive = 0.160
    height: float = 0.012

    @property
    def resolution(self) -> float:
        """Length of a pixel's side [m]."""
        return self.side / self.size

    def to_table(self, row: float, column: float) -> tuple[float, float]:
        """x, y in base_link [m] of a pixel; whole numbers are pixel centres."""
        middle = 0.5 * (self.size - 1)
        x = self.centre[0] + (middle - row) * self.resolution
        return x, self.centre[1] + (middle - column) * self.resolution

    def to_pixel(self, x: float, y: float) -> tuple[float, float]:
        """Row and column, not rounded, of a point in base_link [m]; outside the view they leave 0..size-1."""
        middle = 0.5 * (self.size - 1)
        row = middle - (x - self.centre[0]) / self.resolution
        return row, middle - (y - self.centre[1]) / self.resolution

    def rectify(self, image: ImageArray, intrinsics: Intrinsics, T_base_camera: FloatArray) -> ImageArray:
        """What the camera saw, as this view: (size, size, 3).

        Args:
            image: RGB (height, width, 3), as the camera took it, lens distortion included.
            intrinsics: of that camera.
            T_base_camera: its optical frame in base_link (4, 4).

        Raises:
            InputError: the image has another size than the intrinsics, or the camera does not see the view.
        """
        if image.shape[:2] != (intrinsics.height, intrinsics.width):
            raise InputError(
                f"the image is {image.shape[1]}x{image.shape[0]}, the calibration is for "
                f"{intrinsics.width}x{intrinsics.height} pixels"
            )
        side = OVERSAMPLING * self.size
        step = self.side / side
        row, column = np.mgrid[0:side, 0:side].astype(np.float64)
        x = self.centre[0] + (0.5 * (side - 1) - row) * step
        y = self.centre[1] + (0.5 * (side - 1) - column) * step
        points = np.stack([x, y, np.full_like(x, self.height)], axis=-1).reshape(-1, 3)
        camera = invert(T_base_camera)
        if (points @ camera[2, :3] + camera[2, 3]).min() <= 0.0:
            raise InputError("part of the view lies behind the camera: its pose in base_link is wrong")
        seen, _ = cv2.projectPoints(
            points, cv2.Rodrigues(camera[:3, :3])[0], camera[:3, 3], intrinsics.K, intrinsics.distortion
        )
        maps = seen.reshape(side, side, 2).astype(np.float32)
        large = cv2.remap(image, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(large, (self.size, self.size), interpolation=cv2.INTER_AREA), np.uint8)


def rotation_yaw(index: int, rotations: int) -> float:
    """Yaw of the closing line [rad] in base_link for rotation `index` of `rotations`: 0 is along y, across the arm.

    Half a turn brings a pair of fingers back onto itself, so `rotations` steps cover pi.
    """
    return 0.5 * math.pi + index * math.pi / rotations


def nearest_rotation(yaw: float, rotations: int) -> int:
    """Index of the rotation nearest to a closing line at `yaw` [rad] in base_link."""
    return round((yaw - 0.5 * math.pi) * rotations / math.pi) % rotations
