"""What objects and table look like: colours that can be told apart, textures, and a camera over a textured table."""

from __future__ import annotations

import math

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.sim.config import CameraConfig
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World

Colour = tuple[float, float, float]
"""Red, green, blue, each 0..1."""

CONTRAST = 0.30
"""Objects differ at least this much from the table, as a distance in RGB: what nobody can see nobody can grasp."""


class TexturedTableCamera(SimCamera):
    """A simulated camera over a table that may carry a picture.

    Args:
        world: what it looks at.
        config: where it is and what it is like.
        rng: draws the sensor's noise.
        texture: laid over the table, stretched, RGB (h, w, 3); None for the plain table.
    """

    def __init__(
        self, world: World, config: CameraConfig, rng: np.random.Generator, texture: ImageArray | None
    ) -> None:
        super().__init__(world, config, rng)
        if texture is not None:
            self.table = np.asarray(cv2.resize(texture, self.table.shape[1::-1], interpolation=cv2.INTER_CUBIC))


def random_colour(rng: np.random.Generator) -> Colour:
    """Any hue."""
    hue, saturation, value = rng.uniform(0, 360), rng.uniform(0.0, 1.0), rng.uniform(0.15, 1.0)
    pixel = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.float32), cv2.COLOR_HSV2RGB)[0, 0]
    return float(pixel[0]), float(pixel[1]), float(pixel[2])


def distinct_colour(rng: np.random.Generator, others: list[Colour]) -> Colour:
    """A colour that can be told from `others`; of thirty that cannot, the one that differs most."""
    best, most = others[0], 0.0
    for _ in range(30):
        colour = random_colour(rng)
        contrast = min(math.dist(colour, other) for other in others)
        if contrast > most:
            best, most = colour, contrast
        if most > CONTRAST:
            break
    return best


def random_texture(rng: np.random.Generator, size: int, a: Colour, b: Colour) -> ImageArray:
    """Blotches or checks in two colours, RGB (size, size, 3)."""
    if rng.random() < 0.5:
        cells = int(rng.integers(2, 9))
        share = (np.indices((size, size)) * cells // size).sum(axis=0)[..., None] % 2
    else:
        coarse = rng.random((int(rng.integers(4, 24)),) * 2).astype(np.float32)
        share = np.clip(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1)[..., None]
    return np.asarray(np.rint(255 * (np.array(a) + share * np.subtract(b, a))), np.uint8)


def as_bytes(colour: Colour) -> tuple[int, int, int]:
    """Each 0..255."""
    return round(255 * colour[0]), round(255 * colour[1]), round(255 * colour[2])
