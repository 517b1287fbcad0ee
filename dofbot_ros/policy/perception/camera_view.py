"""A camera's picture as training's camera would have taken it: same field of view, no distortion, small."""

from __future__ import annotations

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.policy.perception.pixels import nominal_view, shrunk
from dofbot_ros.vision.intrinsics import Intrinsics

FINE = 4
"""Straightened pixels a pixel of the policy's along each axis: about as many as a camera has, then averaged."""

SAME_PX = 0.5
"""Cameras whose pictures differ by less than this anywhere, at a policy's size, are taken to be the same [px]."""


class CameraView:
    """Turns pictures of one camera into those of the nominal camera at the same place.

    Args:
        intrinsics: of the camera.
        width: of the policy's pictures [px].
    """

    def __init__(self, intrinsics: Intrinsics, width: int) -> None:
        self._size, self._width = intrinsics.size, width
        fine, _ = nominal_view(FINE * width)
        shape = (fine.width, fine.height)
        columns, lines = cv2.initUndistortRectifyMap(
            intrinsics.K, intrinsics.distortion, np.eye(3), fine.K, shape, cv2.CV_32FC1
        )
        # Pixel centres: where a plain reduction in size would take each of them from.
        plain = (np.indices((fine.height, fine.width)).transpose(1, 2, 0) + 0.5)[..., ::-1]
        plain = plain * (np.array(self._size) / shape) - 0.5
        off = np.abs(np.dstack([columns, lines]) - plain).max() * width / self._size[0]
        self._maps = None if off < SAME_PX else (columns, lines)

    def shown(self, picture: ImageArray) -> ImageArray:
        """What the policy is shown of `picture`, RGB (rows, width, 3).

        Raises:
            InputError: a picture of another size than the calibration.
        """
        if picture.shape[1::-1] != self._size:
            raise InputError(f"the picture has {picture.shape[1::-1]} pixels, its calibration is for {self._size}")
        if self._maps is not None:
            straight = cv2.remap(picture, *self._maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            picture = np.asarray(straight, np.uint8)
        return shrunk(picture, self._width)
