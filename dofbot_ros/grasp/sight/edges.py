"""Finds the arm's edges in a picture: where it differs from a picture without the arm by more than a shadow does."""

from __future__ import annotations

import cv2
import numpy as np

from dofbot_ros.core.types import BoolArray, FloatArray, ImageArray
from dofbot_ros.grasp.sight.silhouette import OutlinePoints

SHADE = 0.45
"""A shadow leaves at least this share of every colour."""
BLUR_PX = 1.0
LEVEL = 40.0
"""A difference this large is certainly the arm [grey levels, of three channels together]."""
SIDE_PX = 6
"""So far to both sides of an edge it is looked at [px]."""
CONTRAST = 0.5
"""Of 0..1: inside against outside, for an edge that is believed."""


def foreground(bare: ImageArray, image: ImageArray, most: float = 1.0) -> FloatArray:
    """How surely each pixel shows something that the bare picture does not, 0..1, shape (height, width), float32.

    A shadow takes the same share of all three channels, also after a camera's gamma: what remains after the best such
    share is no shadow (Horprasert et al., A statistical approach for robust background subtraction, 1999).

    Args:
        bare: without the arm, RGB (height, width, 3).
        image: with it, from the same place.
        most: larger values are cut to it. At 1 what differs much grows by its blur, and every part shows; without a cut
            edges are where they are.
    """
    without, seen = (cv2.GaussianBlur(i, (0, 0), BLUR_PX).astype(np.float32) for i in (bare, image))
    share = (seen * without).sum(axis=-1) / np.maximum((without * without).sum(axis=-1), 1.0)
    left = seen - np.clip(share, SHADE, 1.0)[..., None] * without
    return np.asarray(np.minimum(np.linalg.norm(left, axis=-1) / LEVEL, most), np.float32)


def edge_offsets(shown: FloatArray, points: OutlinePoints, reach_px: int) -> tuple[FloatArray, BoolArray]:
    """How far outside of each expected point the edge is, shape (n,) [px], and whether one was found, shape (n,).

    Args:
        shown: of foreground().
        points: where edges are expected.
        reach_px: how far inside and outside of them to look [px].
    """
    steps = np.arange(-reach_px - SIDE_PX, reach_px + SIDE_PX + 1)
    at = points.pixels[:, None] + steps[None, :, None] * points.normals[:, None]
    profile = cv2.remap(
        np.asarray(shown, np.float32),
        at[..., 0].astype(np.float32),
        at[..., 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    total = np.concatenate([np.zeros((len(profile), 1)), np.cumsum(profile, axis=1)], axis=1)
    # Mean of the SIDE_PX samples inside of each place less that of those outside.
    middle = np.arange(SIDE_PX, profile.shape[1] - SIDE_PX)
    inside = total[:, middle] - total[:, middle - SIDE_PX]
    outside = total[:, middle + 1 + SIDE_PX] - total[:, middle + 1]
    contrast = (inside - outside) / SIDE_PX
    # Of edges that are about as good, the nearest.
    score = contrast - 0.01 * np.abs(steps[middle])
    best = score.argmax(axis=1)
    rows = np.arange(len(profile))
    found = contrast[rows, best] > CONTRAST
    return steps[middle][best].astype(np.float64), found
