"""What a camera sees of a ChArUco board in a hand before it: the first step of a simulated calibration."""

from __future__ import annotations

import cv2
import numpy as np

from dofbot_ros.calibration.camera import BoardView, calibrate_camera
from dofbot_ros.desks.config import OWN
from dofbot_ros.desks.installation import Installation, calibrated
from dofbot_ros.errors import CalibrationError
from dofbot_ros.vision.intrinsics import Intrinsics

SQUARE_M, COLUMNS, ROWS = 0.03, 8, 6
"""Of the board: edge of a square, and inner corners."""
VIEWS, MOST_VIEWS = 20, 200
CORNER_PX = 0.3
"""Standard deviation of a corner that is found in a blurred picture [px]."""
LEAST_SHOWN = 0.6


def lens_by_board(true: Intrinsics, rng: np.random.Generator) -> Intrinsics:
    """The lens as `dofbot calibrate camera` would tell it: corners are computed and made noisy, not detected.

    Args:
        true: the camera's.
        rng: draws how the board is held, and the noise.

    Raises:
        CalibrationError: the board cannot be held so that all of the picture is covered.
    """
    grid = np.stack(np.meshgrid(np.arange(COLUMNS), np.arange(ROWS)), axis=-1).reshape(-1, 2)
    points = np.column_stack([SQUARE_M * (grid - grid.mean(axis=0)), np.zeros(len(grid))])
    views: list[BoardView] = []
    for number in range(MOST_VIEWS):
        place, turn = rng.uniform([-0.2, -0.15, 0.28], [0.2, 0.15, 0.5]), rng.uniform(-0.6, 0.6, 3)
        pixels = cv2.projectPoints(points, turn, place, true.K, true.distortion)[0][:, 0]
        inside = np.all((pixels > 0) & (pixels < true.size), axis=1)
        if inside.mean() < LEAST_SHOWN:
            continue
        seen = pixels[inside] + rng.normal(0.0, CORNER_PX, (int(inside.sum()), 2))
        views.append(BoardView(f"board {number}", points[inside], seen))
        if len(views) >= VIEWS:
            try:
                return calibrate_camera(views, true.size).intrinsics
            except CalibrationError:
                continue  # a person goes on until the picture is covered
    return calibrate_camera(views, true.size).intrinsics


def lens_of(installation: Installation) -> Intrinsics:
    """The lens of an installation's camera as a board in a person's hand tells it, before the arm is calibrated."""
    if installation.label == OWN:
        return installation.belief.intrinsics
    true = calibrated(installation).belief.intrinsics
    return lens_by_board(true, np.random.default_rng([installation.seed, 0x1E45]))
