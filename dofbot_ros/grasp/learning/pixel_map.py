"""An affine map of pixels: where a view shows what another one shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray


@dataclass(frozen=True, eq=False)
class PixelMap:
    """p -> matrix p + offset for p = (row, column).

    Attributes:
        matrix: rotation, with or without a reflection, (2, 2).
        offset: [pixels], (2,).
    """

    matrix: FloatArray
    offset: FloatArray

    def point(self, row: float, column: float) -> FloatArray:
        """Where a pixel goes, (2,)."""
        return np.asarray(self.matrix @ (row, column) + self.offset)

    def yaw(self, yaw: float) -> float:
        """Where a closing line's yaw in base_link goes [rad]: row runs along -x, column along -y."""
        dx, dy = self.matrix @ (math.cos(yaw), math.sin(yaw))
        return math.atan2(dy, dx)

    def image(self, image: ImageArray) -> ImageArray:
        """The image (size, size, 3) carried along; what comes in over the border repeats the border."""
        # OpenCV's points are (column, row).
        swapped = np.hstack([self.matrix[::-1, ::-1], self.offset[::-1, None]])
        size = image.shape[1], image.shape[0]
        return np.asarray(
            cv2.warpAffine(image, swapped, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
