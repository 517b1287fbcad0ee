"""A picture of a scene with what is known of its camera."""

from __future__ import annotations

from dataclasses import dataclass

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.vision.intrinsics import Intrinsics


@dataclass(frozen=True, eq=False)
class Photograph:
    """What a camera took.

    Attributes:
        image: RGB (height, width, 3).
        intrinsics: of the camera.
        T_base_camera: where it is believed to be, (4, 4).
    """

    image: ImageArray
    intrinsics: Intrinsics
    T_base_camera: FloatArray
