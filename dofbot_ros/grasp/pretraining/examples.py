"""The picture of what a backbone has been taught: views, and what its head makes of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import ImageArray
from dofbot_ros.grasp.detection.normalise import MEAN, STD
from dofbot_ros.grasp.pretraining.labelled_views import LabelledViews

SCALE = 4
"""Pixels of the picture for a pixel of a view."""

TRUE, TOLD = (60, 220, 60), (255, 255, 255)
ACROSS = 6


def draw_examples(task: str, views: LabelledViews, told: NDArray[np.float32], path: Path) -> None:
    """Views with what was told of them below or on them.

    Args:
        task: reconstruction: each view above what was drawn of it. Pose: place and direction, true (green) and told
            (white). Classification: a frame, green where the family was named right, red where not.
        views: n of them.
        told: the head's outputs.
        path: of the picture.
    """
    cells = [_cell(task, views, told, i) for i in range(len(views))]
    blank = np.zeros_like(cells[0])
    cells += [blank] * (-len(cells) % ACROSS)
    rows = [np.hstack(cells[i : i + ACROSS]) for i in range(0, len(cells), ACROSS)]
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def _cell(task: str, views: LabelledViews, told: NDArray[np.float32], i: int) -> ImageArray:
    picture = _enlarged(views.images[i])
    size = len(views.images[i])
    if task == "reconstruction":
        drawn = told[i].transpose(1, 2, 0) * np.array(STD) + np.array(MEAN)
        return np.vstack([picture, _enlarged(np.asarray(np.clip(np.rint(255 * drawn), 0, 255), np.uint8))])
    if task == "classification":
        right = int(told[i].argmax()) == views.family[i]
        cv2.rectangle(picture, (1, 1), (SCALE * size - 2, SCALE * size - 2), TRUE if right else (230, 60, 60), 4)
        return picture
    from dofbot_ros.grasp.pretraining.tasks import PLACE_UNIT

    middle = 0.5 * (size - 1)
    guess = np.concatenate([told[i, :2] * PLACE_UNIT * size + middle, told[i, 2:]])
    for place, colour in ((views.place[i], TRUE), (guess, TOLD)):
        _draw_place(picture, place, colour)
    return picture


def _draw_place(picture: ImageArray, place: NDArray[Any], colour: tuple[int, int, int]) -> None:
    """A dot in the middle, and a line along the longer direction, the longer the more it is stretched."""
    row, column, cos, sin = (float(v) for v in place)
    angle, length = 0.5 * math.atan2(sin, cos), 12.0 * math.hypot(cos, sin)
    ends = [
        (
            round(SCALE * (column + side * length * math.sin(angle) + 0.5)),
            round(SCALE * (row + side * length * math.cos(angle) + 0.5)),
        )
        for side in (-1.0, 1.0)
    ]
    cv2.line(picture, ends[0], ends[1], colour, 2, cv2.LINE_AA)
    cv2.circle(picture, (round(SCALE * (column + 0.5)), round(SCALE * (row + 0.5))), 4, colour, -1, cv2.LINE_AA)


def _enlarged(image: ImageArray) -> ImageArray:
    return np.asarray(cv2.resize(image, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_NEAREST), np.uint8)
