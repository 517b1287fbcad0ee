"""Shadows of blocks and arm on the table: outlines cast along the light's direction, softened at their edges."""

from __future__ import annotations

from itertools import pairwise, product

import cv2
import numpy as np

from dofbot_ros.core.transforms import apply, invert
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.sim.world import World
from dofbot_ros.vision.intrinsics import Intrinsics

ARM_LINKS = ("link1", "link2", "link3", "link4", "link5")
ARM_WIDTH_M = 0.05
SOFT_M = 0.003
"""Standard deviation of a shadow's edge [m]."""
HALF_CUBE = np.array(list(product((-0.5, 0.5), repeat=3)))


def shade(
    picture: ImageArray,
    world: World,
    intrinsics: Intrinsics,
    pose: FloatArray,
    *,
    light: tuple[float, float, float],
    share: float,
) -> None:
    """Darken a picture of the bare table where something stands in the light.

    Args:
        picture: RGB (height, width, 3), changed in place.
        world: what stands there.
        intrinsics: of the camera, without distortion.
        pose: of its optical frame in the world (4, 4) [m].
        light: direction towards the light.
        share: of the light that is taken, 0..1.
    """
    if light[2] <= 0.0:
        return
    camera = invert(pose)
    mask = np.zeros(picture.shape[:2], np.uint8)
    for name, T in world.truth().items():
        _fill(mask, _cast(apply(T, world.block_size(name) * HALF_CUBE), light), intrinsics, camera)
    joints = [world.arm.link_pose(link) for link in ARM_LINKS]
    corners = [apply(T, ARM_WIDTH_M * (HALF_CUBE * (1.0, 1.0, 0.2))) for T in joints]
    for first, second in pairwise(corners):
        _fill(mask, _cast(np.vstack([first, second]), light), intrinsics, camera)
    if not mask.any():
        return
    sigma = SOFT_M * intrinsics.focal_px / max(pose[2, 3], 0.05)
    soft = cv2.GaussianBlur(mask, (0, 0), max(sigma, 0.5))
    left, top, width, height = cv2.boundingRect(soft)
    part = slice(top, top + height), slice(left, left + width)
    dark = 1.0 - share * soft[part][..., None].astype(np.float32) / 255.0
    picture[part] = np.rint(picture[part] * dark).astype(np.uint8)


def _cast(points: FloatArray, light: tuple[float, float, float]) -> FloatArray:
    """Where points (n, 3) [m] throw their shadow on the table, (n, 3)."""
    direction = np.array(light) / light[2]
    shadow: FloatArray = points - np.maximum(points[:, 2:], 0.0) * direction
    return shadow


def _fill(mask: ImageArray, shadow: FloatArray, intrinsics: Intrinsics, camera: FloatArray) -> None:
    seen = apply(camera, shadow)
    if seen[:, 2].min() <= 0.0:
        return
    pixels = seen @ intrinsics.K.T
    outline = cv2.convexHull(np.rint(pixels[:, :2] / pixels[:, 2:]).astype(np.int32))
    cv2.fillConvexPoly(mask, outline, (255.0,), cv2.LINE_AA)
