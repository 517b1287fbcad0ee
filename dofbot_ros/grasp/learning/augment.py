"""Augmentation of grasp views: every geometric change moves the label with the object, to the very pixel.

A change is an affine map of pixels. Its translation is chosen so that the labelled pixel's centre lands on a pixel's
centre: the label is never rounded. The closing line turns with the image, and takes the rotation that is nearest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dofbot_ros.config.ranges import Checked, Index, NotNegative, Share
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.grasp.detection.view import TopDownView, nearest_rotation, rotation_yaw
from dofbot_ros.grasp.learning.pixel_map import PixelMap

Action = tuple[int, int, int]
"""Row, column, rotation index."""


@dataclass(frozen=True)
class AugmentConfig(Checked):
    """How views are varied while training.

    The arm looks the same after a flip of left and right and after a turn of joint 1; after a quarter turn of the
    picture it does not, because its tool leans outward. So quarter turns teach a little that is wrong, and pay where
    data are few.

    Attributes:
        quarter_turns: turn by multiples of 90 degrees.
        flip: mirror left and right.
        arm_turn_deg: largest turn about joint 1's axis [deg].
        turn_deg: largest turn about the grasp [deg].
        shift: largest shift along each axis [pixels].
        colour: how much brightness, contrast and the channels vary, 0..1.
        grey: share of views without colour.
        noise: largest standard deviation of added noise [grey levels].
    """

    quarter_turns: bool = False
    flip: bool = True
    arm_turn_deg: NotNegative = 8.0
    turn_deg: NotNegative = 5.0
    shift: Index = 4
    colour: Share = 0.4
    grey: Share = 0.15
    noise: NotNegative = 6.0


def draw_map(rng: np.random.Generator, config: AugmentConfig, view: TopDownView, row: int, column: int) -> PixelMap:
    """A random change of a view that keeps the pixel (row, column) inside and puts it on a pixel's centre."""
    middle = np.full(2, 0.5 * (view.size - 1))
    base = np.array(view.to_pixel(0.0, 0.0))
    label = np.array([row, column], dtype=np.float64)
    matrix, at = np.eye(2), label.copy()
    if config.quarter_turns:
        matrix = _turn(0.5 * math.pi * rng.integers(4)) @ matrix
        at = matrix @ (at - middle) + middle
    if config.flip and rng.random() < 0.5:
        mirror = np.diag([1.0, -1.0])
        matrix, at = mirror @ matrix, mirror @ (at - middle) + middle
    arm = _turn(math.radians(rng.uniform(-config.arm_turn_deg, config.arm_turn_deg)))
    matrix, at = arm @ matrix, arm @ (at - base) + base
    matrix = _turn(math.radians(rng.uniform(-config.turn_deg, config.turn_deg))) @ matrix
    at = at + rng.integers(-config.shift, config.shift + 1, size=2)
    at = np.clip(np.rint(at), 0, view.size - 1)
    return PixelMap(matrix, at - matrix @ label)


def augment(
    rng: np.random.Generator, config: AugmentConfig, image: ImageArray, action: Action, rotations: int
) -> tuple[ImageArray, Action]:
    """A varied view (size, size, 3) and its action."""
    row, column, rotation = action
    change = draw_map(rng, config, TopDownView(size=len(image)), row, column)
    new_row, new_column = (int(v) for v in np.rint(change.point(row, column)))
    new_rotation = nearest_rotation(change.yaw(rotation_yaw(rotation, rotations)), rotations)
    return recolour(rng, config, change.image(image)), (new_row, new_column, new_rotation)


def recolour(rng: np.random.Generator, config: AugmentConfig, image: ImageArray) -> ImageArray:
    """Brightness, contrast, channels, grey and noise, at random; nothing moves."""
    pixels = image.astype(np.float32)
    if rng.random() < config.grey:
        pixels = np.repeat(pixels @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=2)
    elif rng.random() < config.colour:
        pixels = pixels[..., rng.permutation(3)]
    gain = rng.uniform(1 - config.colour, 1 + config.colour) * rng.uniform(1 - 0.3 * config.colour, 1.0, size=3)
    mean = pixels.mean(axis=(0, 1))
    pixels = (pixels - mean) * gain.astype(np.float32) + mean * rng.uniform(1 - config.colour, 1 + config.colour)
    if config.noise:
        pixels += rng.uniform(0.0, config.noise) * rng.standard_normal(pixels.shape, dtype=np.float32)
    return np.asarray(np.clip(np.rint(pixels), 0, 255), np.uint8)


def _turn(angle: float) -> FloatArray:
    """Counter-clockwise seen from above; x is up and y is left in a view, and (row, column) is (-x, -y)."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s], [s, c]])
