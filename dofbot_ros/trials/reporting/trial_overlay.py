"""What a trial was about, drawn on its camera image: the block as it was localised, the way, the target."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.trials.arm import View
from dofbot_ros.trials.place import PlaceRecord

START_COLOUR = (255, 140, 0)
TARGET_COLOUR = (0, 150, 70)
BLOCK_HALF_M = 0.015
SUBPIXEL_BITS = 4


def annotate(image: ImageArray, view: View, record: PlaceRecord) -> ImageArray:
    """A copy of `image` with the start of the block outlined, the target circled and an arrow between them."""
    drawn = np.ascontiguousarray(image).copy()
    if record.start is None or record.target is None:
        return drawn
    x, y, yaw = record.start
    corner = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]) * 1.15 * BLOCK_HALF_M
    turn = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
    _polygon(drawn, view, np.column_stack([corner @ turn + (x, y), np.full(4, 2 * BLOCK_HALF_M)]), START_COLOUR)
    angle = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * 1.6 * BLOCK_HALF_M + record.target
    _polygon(drawn, view, np.column_stack([ring, np.zeros(len(ring))]), TARGET_COLOUR)
    ends = np.array([[x, y], record.target])
    way = ends[1] - ends[0]
    short = ends + np.outer([1.0, -1.0], 1.9 * BLOCK_HALF_M * way / max(float(np.linalg.norm(way)), 1e-6))
    start, end = _fixed(view.pixels(np.column_stack([short, np.full(2, BLOCK_HALF_M)])))
    cv2.arrowedLine(drawn, tuple(start), tuple(end), TARGET_COLOUR, 2, cv2.LINE_AA, SUBPIXEL_BITS, 0.06)
    return drawn


def _polygon(image: ImageArray, view: View, points: FloatArray, colour: tuple[int, int, int]) -> None:
    cv2.polylines(image, [_fixed(view.pixels(points))], True, colour, 2, cv2.LINE_AA, SUBPIXEL_BITS)


def _fixed(pixels: FloatArray) -> NDArray[np.int32]:
    return np.asarray(np.rint(pixels * (1 << SUBPIXEL_BITS)), dtype=np.int32)
