"""From the light that falls into a lens to the image that a program gets: distortion, blur, tone, noise, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.sim.rendering.flaws import PictureFlaws
from dofbot_ros.vision.intrinsics import Intrinsics

RADIUS_STEPS = 2000
SPARE_PX = 4
"""Rendered beyond what the lens needs, so that interpolation finds a neighbour [px]."""


@dataclass(frozen=True, eq=False)
class LensMap:
    """Makes a lens's image of one without distortion.

    Attributes:
        pinhole: what to render: the same focal length, larger where the lens shows more.
        columns, rows: where each pixel of the lens's image, `fine` times as large, lies in that one, `fine` times as
            large [px].
    """

    pinhole: Intrinsics
    columns: FloatArray
    rows: FloatArray

    @classmethod
    def of(cls, lens: Intrinsics, fine: int) -> LensMap:
        """The map for a camera with radial distortion and square pixels.

        Args:
            lens: of the camera.
            fine: samples a pixel along each axis.
        """
        large = lens.scaled(fine * lens.width, fine * lens.height)
        u, v = np.meshgrid(np.arange(large.width, dtype=np.float64), np.arange(large.height, dtype=np.float64))
        centre, focal = large.K[:2, 2], large.focal_px
        across = np.stack([u - centre[0], v - centre[1]], axis=-1) / focal
        radius = np.linalg.norm(across, axis=-1)
        # Undone along one radius only: a point at a time would take seconds.
        bent = np.linspace(0.0, float(radius.max()), RADIUS_STEPS)[1:]
        straight = large.rays(np.column_stack([centre[0] + focal * bent, np.full(len(bent), centre[1])]))[:, 0]
        rays = across * np.interp(radius, bent, straight / bent)[..., None]
        edge = np.abs(np.concatenate([rays[0], rays[-1], rays[:, 0], rays[:, -1]])).max(axis=0)
        half = np.ceil(edge * (lens.K[0, 0], lens.K[1, 1])) + SPARE_PX
        width, height = (int(2 * h + 1) for h in half)
        K = lens.K.copy()
        K[:2, 2] = half
        pinhole = Intrinsics(width, height, K, frame=lens.frame)
        fine_K = pinhole.scaled(fine * width, fine * height).K
        return cls(
            pinhole,
            (rays[..., 0] * fine_K[0, 0] + fine_K[0, 2]).astype(np.float32),
            (rays[..., 1] * fine_K[1, 1] + fine_K[1, 2]).astype(np.float32),
        )

    def image(self, fine: ImageArray, size: tuple[int, int]) -> ImageArray:
        """The lens's image, of `size` (width, height) [px], from `fine`, which shows what `pinhole` does, larger."""
        bent = cv2.remap(fine, self.columns, self.rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(bent, size, interpolation=cv2.INTER_AREA), np.uint8)

    def labels(self, seen: NDArray[np.int32], fine: int) -> NDArray[np.int32]:
        """The lens's picture of body numbers (height, width) that `pinhole` shows, at the size of the lens's image."""
        columns, rows = (np.rint((axis[::fine, ::fine] + 0.5) / fine - 0.5) for axis in (self.columns, self.rows))
        height, width = seen.shape
        at = np.clip(rows, 0, height - 1).astype(int), np.clip(columns, 0, width - 1).astype(int)
        return np.asarray(seen[at], np.int32)


def develop(light: ImageArray, flaws: PictureFlaws, noise: float, rng: np.random.Generator) -> ImageArray:
    """The image that a camera with these flaws delivers.

    Args:
        light: what a perfect camera shows, RGB (height, width, 3).
        flaws: of the camera.
        noise: standard deviation of the sensor's noise [grey levels of 255].
        rng: draws the noise.
    """
    picture = light
    if flaws.defocus_px > 0.0:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), flaws.defocus_px), np.uint8)
    gains = flaws.exposure * np.array(flaws.white_balance)
    if flaws.gamma != 1.0 or (gains != 1.0).any():
        levels = np.linspace(0.0, 1.0, 256)[:, None] * gains
        curve = np.rint(255.0 * np.clip(levels, 0.0, 1.0) ** flaws.gamma).astype(np.uint8)
        picture = np.asarray(cv2.LUT(picture, curve[None]), np.uint8)
    if noise > 0.0:
        levels = rng.standard_normal(picture.shape, dtype=np.float32)
        levels *= noise
        levels += picture
        picture = np.clip(np.rint(levels, out=levels), 0, 255, out=levels).astype(np.uint8)
    if flaws.jpeg_quality:
        packed = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, flaws.jpeg_quality])[1]
        picture = np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1])
    return picture
