"""Draws a frame: nodes with their fields, links as wide as what flows through them, the course of the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import ImageArray
from dofbot_ros.lab.live.recorder import Frame

WIDTH, HEIGHT = 760, 430
"""Of a picture [px]."""
TOP, BOTTOM, SIDE = 34, 96, 56
"""Room for the title, the course of the loss and the outermost layers [px]."""
WIDEST = 7.0
"""A link's width where the flow is largest [px]."""

BACK, INK, GREY = (250, 250, 250), (40, 40, 40), (170, 170, 170)
FOR, AGAINST = (214, 96, 20), (33, 102, 200)
"""Colours (RGB) of links that push up, and down."""


def draw(frame: Frame, history: Sequence[Frame], title: str, sample: int | None = None) -> ImageArray:
    """A frame as a picture, RGB (HEIGHT, WIDTH, 3).

    Args:
        frame: that is drawn.
        history: all frames so far, for the course of loss and score.
        title: above it.
        sample: whose activations the links carry; the mean of all by default.
    """
    image = np.full((HEIGHT, WIDTH, 3), BACK, np.uint8)
    places = [_places(k, len(frame.sizes), len(units)) for k, units in enumerate(frame.units)]
    radius = _radius(frame)
    for layer in range(len(frame.weights)):
        _links(image, frame.flow(layer, sample), places[layer], places[layer + 1])
    for layer, spots in enumerate(places):
        for k, (x, y) in enumerate(spots):
            _node(image, frame, layer, k, (x, y), radius=radius, sample=sample)
        if frame.sizes[layer] > len(spots):
            _write(image, f"{len(spots)} of {frame.sizes[layer]}", (spots[0][0] - 24, TOP + 2), 0.33)
    score = "" if np.isnan(frame.score) else f", right {frame.score:.0%}"
    watched = "all samples" if sample is None else f"sample {sample}"
    loss = "" if np.isnan(frame.loss) else f", loss {frame.loss:.3f}"
    _write(image, f"{title}: step {frame.step}{loss}{score} ({watched})", (12, 20), 0.45)
    _course(image, history)
    return image


def _places(layer: int, layers: int, count: int) -> list[tuple[int, int]]:
    x = SIDE + round((WIDTH - 2 * SIDE) * layer / (layers - 1))
    room = HEIGHT - TOP - BOTTOM
    return [(x, TOP + round(room * (k + 0.5) / count)) for k in range(count)]


def _radius(frame: Frame) -> int:
    """Half the side of a node [px]."""
    most = max(len(units) for units in frame.units)
    return int(np.clip(0.42 * (HEIGHT - TOP - BOTTOM) / most, 3, 20))


def _links(
    image: ImageArray, flow: NDArray[np.float32], here: list[tuple[int, int]], there: list[tuple[int, int]]
) -> None:
    largest = float(np.abs(flow).max()) or 1.0
    # The widest last, so that they lie on top.
    for to, start in np.column_stack(np.unravel_index(np.argsort(np.abs(flow), axis=None), flow.shape)):
        share = abs(float(flow[to, start])) / largest
        if share > 0.04:
            colour = FOR if flow[to, start] > 0 else AGAINST
            faded = tuple(round(BACK[c] + (colour[c] - BACK[c]) * (0.25 + 0.75 * share)) for c in range(3))
            cv2.line(image, here[start], there[to], faded, max(1, round(WIDEST * share)), cv2.LINE_AA)


def _node(
    image: ImageArray,
    frame: Frame,
    layer: int,
    unit: int,
    place: tuple[int, int],
    *,
    radius: int,
    sample: int | None,
) -> None:
    x, y = place
    corner, opposite = (x - radius, y - radius), (x + radius, y + radius)
    if frame.dead[layer][unit]:
        cv2.rectangle(image, corner, opposite, GREY, -1)
    elif frame.fields:
        field = colours(frame.fields[layer][unit])
        side = 2 * radius + 1
        image[y - radius : y + radius + 1, x - radius : x + radius + 1] = cv2.resize(
            field, (side, side), interpolation=cv2.INTER_LINEAR
        )
    else:
        values = frame.activations[layer][:, unit]
        value = values.mean() if sample is None else values[sample]
        fill = colours(np.array([[value / max(1e-6, float(np.abs(frame.activations[layer]).max()))]]))
        cv2.rectangle(image, corner, opposite, fill[0, 0].tolist(), -1)
    cv2.rectangle(image, corner, opposite, INK, 1)


def colours(values: NDArray[Any]) -> ImageArray:
    """Numbers -1..1 as colours: orange above zero, blue below, white at it; of any shape, (..., 3)."""
    share = np.clip(values, -1.0, 1.0)[..., None]
    white = np.array(BACK, np.float32)
    target = np.where(share > 0, np.array(FOR, np.float32), np.array(AGAINST, np.float32))
    return np.asarray(white + np.abs(share) * (target - white)).astype(np.uint8)


def _course(image: ImageArray, history: Sequence[Frame]) -> None:
    """Loss and score over the steps, along the lower edge."""
    left, right, top, bottom = SIDE, WIDTH - SIDE, HEIGHT - BOTTOM + 24, HEIGHT - 16
    cv2.rectangle(image, (left, top), (right, bottom), (225, 225, 225), 1)
    if len(history) < 2:
        return
    steps = np.array([one.step for one in history], float)
    x = left + (right - left) * (steps - steps[0]) / max(1.0, steps[-1] - steps[0])
    loss = np.array([one.loss for one in history])
    score = np.array([one.score for one in history])
    highest = max(1e-9, float(np.nan_to_num(loss).max()))
    for values, colour, name in ((loss / highest, INK, "loss"), (score, (0, 140, 70), "right")):
        if np.isfinite(values).all():
            y = bottom - (bottom - top) * np.clip(values, 0.0, 1.0)
            cv2.polylines(image, [np.column_stack([x, y]).round().astype(np.int32)], False, colour, 1, cv2.LINE_AA)
            _write(image, name, (right + 6, int(y[-1]) + 4), 0.35, colour)


def _write(
    image: ImageArray, text: str, place: tuple[int, int], size: float, colour: tuple[int, int, int] = INK
) -> None:
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
