"""Marker corners to less than a tenth of a pixel: a line through the edge of each side, corners where the lines meet.

Corner filters (cornerSubPix) look at a window around the corner, which for a marker of 20 pixels holds more than the
corner, and end half a pixel off. A side gives dozens of edge samples instead (the idea of AprilTag's refine_edges:
Wang and Olson, AprilTag 2, IROS 2016).
"""

from __future__ import annotations

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray

SAMPLES = 15
"""Profiles across each side."""
MARGIN = 0.12
"""Fraction of the side left out at each end, where the neighbouring side blurs in."""
REACH_PX = (1.0, 2.5)
"""Least and greatest reach of a profile to each side of the edge [px]."""
REACH_FRACTION = 1.0 / 8.0
"""Reach as a fraction of the marker's width across that side: further in are the cells, further out the label's rim."""
STEPS = np.linspace(-1.0, 1.0, 11)
"""Where a profile is read, as fractions of its reach."""
MIN_CONTRAST = 8.0
"""Grey levels a profile must rise to count [levels]."""
OUTLIER_PX = 0.75
MAX_SHIFT_PX = 3.0
"""A side whose line lands further from where it was found is another edge: the corner stays as it was [px]."""
NEXT, OPPOSITE, PREVIOUS = [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]
"""Of each corner, in the order of a marker's corners."""
ROUNDS = 2
"""The second pass starts at the line of the first, so that its windows are centred on the edge."""


def refine_corners(grey: ImageArray, corners: FloatArray) -> FloatArray:
    """Move each marker's corners to where its sides' edges meet.

    Args:
        grey: shape (height, width).
        corners: [px], clockwise from the marker's top left, shape (n, 4, 2).

    Returns:
        Corners [px], shape (n, 4, 2); one whose sides show no clean edge is returned as it was.
    """
    refined = corners
    for _ in range(ROUNDS if len(corners) else 0):
        refined = _meet(*_fit_sides(grey, refined), refined)
        moved = np.hypot(*np.split(refined - corners, 2, axis=-1))
        refined = np.where(moved <= MAX_SHIFT_PX, refined, corners)
    return refined


def corner_weight(corners: FloatArray) -> float:
    """How well the corners of a marker are known, for weighting: the square of its least width in the image [px^2].

    The foreshortened faces of a block are seen at 5 to 20 pixels' width, and over that range the standard deviation of
    refined corners falls with about the square of the width (docs/vision.md).

    Args:
        corners: [px], shape (4, 2).
    """
    sides = corners[NEXT] - corners
    return float((cv2.contourArea(corners.astype(np.float32)) / np.hypot(sides[:, 0], sides[:, 1]).max()) ** 2)


def _fit_sides(grey: ImageArray, corners: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Line of each side: a point on it and its unit direction, each shape (n, 4, 2); nan where there is no edge."""
    side = corners[:, NEXT] - corners
    direction = side / np.maximum(np.hypot(side[..., :1], side[..., 1:]), 1e-9)
    outward = np.stack([direction[..., 1], -direction[..., 0]], axis=-1)
    along = np.linspace(MARGIN, 1.0 - MARGIN, SAMPLES)
    feet = corners[:, :, None] + along[:, None] * side[:, :, None]
    opposite = corners[:, OPPOSITE] - corners
    width = np.abs(np.sum(opposite * outward, axis=-1))
    reach = np.clip(REACH_FRACTION * width, *REACH_PX)[..., None, None]
    across = (reach * STEPS)[..., None]
    at = (feet[..., None, :] + across * outward[:, :, None, None]).astype(np.float32)
    map_x, map_y = np.moveaxis(at.reshape(-1, len(STEPS), 2), -1, 0)
    profile = cv2.remap(grey, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float64)

    # Black inside, white outside: only what brightens outwards belongs to this edge.
    rise = np.maximum(np.diff(profile, axis=1), 0.0)
    rise[rise < 0.25 * rise.max(axis=1, keepdims=True)] = 0.0
    total = rise.sum(axis=1)
    middles = 0.5 * (STEPS[:-1] + STEPS[1:])
    offset = reach[..., 0] * (rise @ middles / np.maximum(total, 1e-9)).reshape(feet.shape[:-1])
    weight = np.where(total >= MIN_CONTRAST, total, 0.0).reshape(feet.shape[:-1])
    weight = _without_outliers(offset, weight)

    points = feet + offset[..., None] * outward[:, :, None]
    scale = weight.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (weight / scale[..., None])[..., None]
    centre = (share * points).sum(axis=2)
    spread = points - centre[:, :, None]
    usable = np.count_nonzero(weight, axis=-1) >= SAMPLES // 2
    covariance = np.where(usable[..., None, None], np.einsum("nska,nskb->nsab", share * spread, spread), np.eye(2))
    line = np.linalg.eigh(covariance)[1][..., -1]
    return np.where(usable[..., None], centre, np.nan), line


def _without_outliers(offset: FloatArray, weight: FloatArray) -> FloatArray:
    """Drop the samples that stand more than OUTLIER_PX off their side (dirt, a finger, a glint)."""
    median = np.median(offset, axis=-1, keepdims=True)
    slope = np.median(np.diff(offset, axis=-1), axis=-1, keepdims=True)
    expected = median + slope * (np.arange(SAMPLES) - 0.5 * (SAMPLES - 1))
    return np.where(np.abs(offset - expected) <= OUTLIER_PX, weight, 0.0)


def _meet(point: FloatArray, direction: FloatArray, corners: FloatArray) -> FloatArray:
    """Where each side's line crosses the one before it; the old corner where one of them is missing."""
    before_point, before = point[:, PREVIOUS], direction[:, PREVIOUS]
    cross = before[..., 0] * direction[..., 1] - before[..., 1] * direction[..., 0]
    gap = point - before_point
    with np.errstate(invalid="ignore", divide="ignore"):
        along = (gap[..., 0] * direction[..., 1] - gap[..., 1] * direction[..., 0]) / cross
    met = before_point + along[..., None] * before
    return np.where(np.isfinite(met), met, corners)
