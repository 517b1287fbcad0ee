"""What lies between the fingers of a grasp: a piece of the view, turned so that they close along its rows.

In it every grasp looks the same way round, whatever its yaw: what is learnt of one shape holds for it in every pose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.planning.planar_plan import PlanarGrasp

SIZE = 32
STEP = 0.0025
"""Length of a pixel's side [m]: the open fingers, 60 mm apart, and what is behind them fit into the 80 mm."""

CHANNELS = 6
"""Colour, and where the arm is: see close_ups."""

CONTRAST = 60.0
"""Grey levels that become one."""

MIDDLE_RADIUS, RADIUS_SPAN = 0.19, 0.06
"""Of the workspace [m]: what becomes 0, and what becomes 1 more."""

Inputs = np.ndarray[Any, np.dtype[np.float32]]
"""Of the ranking network, (n, CHANNELS, SIZE, SIZE)."""


def close_ups(
    image: ImageArray, view: TopDownView, pinches: Sequence[PlanarGrasp], *, mirrored: bool = False
) -> Inputs:
    """The ranking network's input for grasps in one view.

    Colour is the difference to the view's median, which is the table's. How the tool leans where it closes depends on
    the arm's direction in the piece and on its distance: the cosine and sine of the closing line's yaw from the arm's
    radius, and the radius, are the other three channels.

    Args:
        image: the view, RGB (size, size, 3).
        view: where that is.
        pinches: the grasps.
        mirrored: what the arm's mirror image would see; it would hold as well, or fail as well.

    Returns:
        (n, CHANNELS, SIZE, SIZE); rows run along the closing line.
    """
    table = table_colour(image)
    pieces = [piece(image, view, pinch, mirrored=mirrored) for pinch in pinches]
    return network_inputs(
        np.array([p.astype(np.float32) - table for p in pieces]),
        np.array([bearing(p, mirrored=mirrored) for p in pinches]),
    )


def network_inputs(pieces: Inputs, bearings: Inputs) -> Inputs:
    """Pieces less the table's colour (n, SIZE, SIZE, 3) and bearings (n, 3) as one array (n, CHANNELS, SIZE, SIZE)."""
    planes = np.broadcast_to(bearings[:, :, None, None], (len(pieces), 3, SIZE, SIZE))
    colours = pieces.transpose(0, 3, 1, 2) / np.float32(CONTRAST)
    return np.asarray(np.concatenate([colours, planes], axis=1), np.float32)


def table_colour(image: ImageArray) -> Inputs:
    """The median colour of a view (3,) [grey levels]."""
    return np.asarray(np.median(image.reshape(-1, 3), axis=0), np.float32)


def piece(
    image: ImageArray, view: TopDownView, pinch: PlanarGrasp, *, mirrored: bool = False, step: float = STEP
) -> ImageArray:
    """The piece of a view about a grasp, RGB (SIZE, SIZE, 3); what lies beyond the view repeats its border."""
    row, column = view.to_pixel(pinch.x, pinch.y)
    # Both axes of the piece in pixels of the view (column, row): rows run along -x, columns along -y.
    scale = step / view.resolution
    along = scale * np.array([-math.sin(pinch.yaw), -math.cos(pinch.yaw)])
    across = np.array([-along[1], along[0]]) * (-1.0 if mirrored else 1.0)
    axes = np.column_stack([along, across])
    middle = 0.5 * (SIZE - 1)
    origin = np.array([column, row]) - axes @ (middle, middle)
    seen = cv2.warpAffine(
        image,
        np.column_stack([axes, origin]),
        (SIZE, SIZE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(seen, np.uint8)


def bearing(pinch: PlanarGrasp, *, mirrored: bool = False) -> Inputs:
    """Where the arm is, seen from a grasp, (3,): cosine and sine in the piece's axes, and radius, about -1..1."""
    side = pinch.yaw - math.atan2(pinch.y, pinch.x)
    radius = (math.hypot(pinch.x, pinch.y) - MIDDLE_RADIUS) / RADIUS_SPAN
    return np.array([math.cos(side), -math.sin(side) if mirrored else math.sin(side), radius], np.float32)
