"""A placement as a picture for whoever sets it up: the table from above, forward is up, a grid of centimetres."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.trials.placement import REACH, PickProtocol, Placement

PIXELS_PER_M = 2000.0
EXTENT_X, EXTENT_Y = (-0.04, 0.31), (-0.17, 0.17)
"""What the picture shows, in base_link [m]."""

PAPER, GRID, STRONG_GRID, INK = (252, 252, 250), (228, 231, 235), (196, 202, 210), (40, 46, 56)
REACH_COLOUR, TARGET_COLOUR, BASE_COLOUR, MARKED_COLOUR = (120, 160, 200), (200, 60, 20), (70, 78, 92), (225, 225, 225)
NAMED_COLOURS = {"red": (214, 70, 60), "green": (70, 160, 90), "blue": (70, 110, 200), "yellow": (232, 196, 60)}
FONT = cv2.FONT_HERSHEY_SIMPLEX


def sketch(placement: Placement, protocol: PickProtocol) -> ImageArray:
    """RGB, shape (700, 680, 3)."""
    height = round((EXTENT_X[1] - EXTENT_X[0]) * PIXELS_PER_M)
    width = round((EXTENT_Y[1] - EXTENT_Y[0]) * PIXELS_PER_M)
    image = np.full((height, width, 3), PAPER, np.uint8)
    _grid(image)
    for radius in REACH:
        angle = np.linspace(-0.5 * math.pi, 0.5 * math.pi, 90)
        arc = radius * np.column_stack([np.cos(angle), np.sin(angle)])
        cv2.polylines(image, [_pixels(arc)], False, REACH_COLOUR, 1, cv2.LINE_AA)
    cv2.fillPoly(image, [_pixels(_rectangle(0.0, 0.0, 0.0, 0.06, 0.09))], BASE_COLOUR)
    _text(image, (0.0, 0.018), "arm", (255, 255, 255))
    for number, thing in enumerate(placement.objects):
        what = protocol.objects[thing.name]
        outline = _pixels(_rectangle(thing.x, thing.y, thing.yaw, what.size, what.size))
        cv2.fillPoly(image, [outline], what.colour or NAMED_COLOURS.get(thing.name, MARKED_COLOUR), cv2.LINE_AA)
        cv2.polylines(
            image, [outline], True, TARGET_COLOUR if number == 0 else INK, 4 if number == 0 else 1, cv2.LINE_AA
        )
        label = f"{thing.name} x{1e3 * thing.x:.0f} y{1e3 * thing.y:+.0f} {math.degrees(thing.yaw):.0f}deg"
        _text(image, (thing.x + 0.026, thing.y + 0.04), label, INK)
    _text(image, (0.298, 0.165), f"{placement.label}   light: {placement.light}   mm from joint 1", INK)
    return image


def _grid(image: ImageArray) -> None:
    for extent, along_x in ((EXTENT_X, True), (EXTENT_Y, False)):
        for centimetre in range(math.ceil(100 * extent[0]), math.floor(100 * extent[1]) + 1):
            v = 0.01 * centimetre
            ends = [(v, EXTENT_Y[0]), (v, EXTENT_Y[1])] if along_x else [(EXTENT_X[0], v), (EXTENT_X[1], v)]
            start, end = (tuple(int(p) for p in point) for point in _pixels(np.array(ends)))
            cv2.line(image, start, end, STRONG_GRID if centimetre % 5 == 0 else GRID, 1)
            if centimetre % 5 == 0:
                _text(
                    image, (v, EXTENT_Y[0] + 0.022) if along_x else (EXTENT_X[0] + 0.004, v), f"{10 * centimetre}", INK
                )


def _rectangle(x: float, y: float, yaw: float, depth: float, width: float) -> FloatArray:
    corners = 0.5 * np.array([[depth, width], [depth, -width], [-depth, -width], [-depth, width]])
    turn = np.array([[math.cos(yaw), math.sin(yaw)], [-math.sin(yaw), math.cos(yaw)]])
    return np.asarray(corners @ turn + (x, y))


def _pixels(points: FloatArray) -> NDArray[np.int32]:
    """Of points (n, 2) in base_link [m]: forward is up, left is left."""
    rows, columns = (EXTENT_X[1] - points[:, 0]) * PIXELS_PER_M, (EXTENT_Y[1] - points[:, 1]) * PIXELS_PER_M
    return np.rint(np.column_stack([columns, rows])).astype(np.int32)


def _text(image: ImageArray, at: tuple[float, float], text: str, colour: tuple[int, int, int]) -> None:
    column, row = (int(v) for v in _pixels(np.array([at]))[0])
    cv2.putText(image, text, (column, row), FONT, 0.42, colour, 1, cv2.LINE_AA)
