"""A camera's focal lengths, centre and distortion from pictures of a flat board, with coverage and deviations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError
from dofbot_ros.vision.intrinsics import Intrinsics

MIN_VIEWS = 8
MIN_POINTS = 8
"""Corners of the board in a picture that counts."""
GRID = (4, 3)
"""The picture in columns and rows, for the coverage."""
MIN_COVERAGE = 0.75
"""Least share of the cells that must hold a corner: the distortion is otherwise extrapolated."""
MIN_TILT_DEG = 15.0
"""Least angle between some two of the board's attitudes: facing the camera always, it leaves the focal length open."""
MAX_RMS_PX = 1.0
FLAGS = cv2.CALIB_FIX_K3 | cv2.CALIB_ZERO_TANGENT_DIST


@dataclass(frozen=True, eq=False)
class BoardView:
    """One picture of a board.

    Attributes:
        name: of the picture, for messages.
        points: corners in the board's plane, z = 0, shape (n, 3) [m].
        pixels: where they were seen, shape (n, 2) [px].
    """

    name: str
    points: FloatArray
    pixels: FloatArray


@dataclass(frozen=True, eq=False)
class CameraCalibration:
    """A calibrated lens.

    Attributes:
        intrinsics: with plumb_bob distortion, of which k1 and k2 are fitted.
        sigma: standard deviations of fx, fy, cx, cy [px], k1, k2, shape (6,).
        rms_px: root mean square distance of the corners from those seen [px].
        coverage: share of the picture's cells with a corner.
        tilt_deg: the largest angle between two of the board's attitudes.
        views: pictures used.
    """

    intrinsics: Intrinsics
    sigma: FloatArray
    rms_px: float
    coverage: float
    tilt_deg: float
    views: int


def calibrate_camera(views: Sequence[BoardView], size: tuple[int, int], few: bool = False) -> CameraCalibration:
    """Fit a pinhole camera with two radial coefficients (Zhang, PAMI 2000).

    Args:
        views: pictures of one board in different attitudes.
        size: width and height of the pictures [px].
        few: do not ask for coverage and number, as in a part of the pictures that is enough as a whole.

    Raises:
        CalibrationError: too few pictures, one-sided ones, or pictures that no such camera takes; says which to add.
    """
    good = [v for v in views if len(v.pixels) >= MIN_POINTS]
    if len(good) < (3 if few else MIN_VIEWS):
        raise CalibrationError(
            f"{len(good)} of {len(views)} pictures show {MIN_POINTS} corners of the board; {MIN_VIEWS} are needed"
        )
    covered, missing = coverage(good, size)
    if covered < MIN_COVERAGE and not few:
        raise CalibrationError(
            f"the board was seen in {100 * covered:.0f} % of the picture, {100 * MIN_COVERAGE:.0f} % are needed: "
            f"hold it {', '.join(missing)} as well"
        )
    points = [v.points.astype(np.float32) for v in good]
    pixels = [v.pixels.astype(np.float32) for v in good]
    rms, K, lens, turns, _, deviations, _, each = cv2.calibrateCameraExtended(
        points, pixels, size, np.eye(3), np.zeros(5), flags=FLAGS
    )
    normals = np.array([cv2.Rodrigues(t)[0][:, 2] for t in turns])
    tilt = float(np.degrees(np.arccos(np.clip(normals @ normals.T, -1.0, 1.0).min())))
    if tilt < MIN_TILT_DEG and not few:
        raise CalibrationError(
            f"the board was tilted by {tilt:.0f} degrees at most, {MIN_TILT_DEG:.0f} are needed: focal length and "
            "distance cannot be told apart; lean it to all sides"
        )
    if rms > MAX_RMS_PX:
        worst = good[int(np.argmax(each))].name
        raise CalibrationError(
            f"corners are {rms:.1f} px off, {MAX_RMS_PX:g} at most: is the board flat, and of this type? worst: {worst}"
        )
    matrix, distortion, sigma = (np.asarray(a, dtype=np.float64) for a in (K, lens, deviations))
    intrinsics = Intrinsics(*size, matrix, distortion.ravel()[:5])
    return CameraCalibration(intrinsics, sigma.ravel()[:6], float(rms), covered, tilt, len(good))


def coverage(views: Sequence[BoardView], size: tuple[int, int]) -> tuple[float, list[str]]:
    """Share of the picture's cells in which a corner was seen, and the sides where it was not."""
    columns, rows = GRID
    pixels = np.concatenate([v.pixels for v in views])
    cell = np.floor(pixels / size * GRID).astype(int)
    inside = np.all((cell >= 0) & (cell < GRID), axis=1)
    seen = np.zeros(GRID, dtype=bool)
    seen[tuple(cell[inside].T)] = True
    sides = {
        "to the left": seen[0], "to the right": seen[columns - 1], "to the top": seen[:, 0],
        "to the bottom": seen[:, rows - 1], "in the middle": seen[1:-1, 1:-1],
    }  # fmt: skip
    return float(seen.mean()), [where for where, cells in sides.items() if not cells.all()]


def view_errors(intrinsics: Intrinsics, views: Sequence[BoardView]) -> FloatArray:
    """Reprojection error of each picture, its board's pose fitted, root mean square, shape (v,) [px]."""
    K, lens = intrinsics.K, intrinsics.distortion
    errors = []
    for view in views:
        _, turn, place = cv2.solvePnP(view.points, view.pixels, K, lens)
        seen, _ = cv2.projectPoints(view.points, turn, place, K, lens)
        errors.append(float(np.sqrt(np.mean(np.sum((seen[:, 0] - view.pixels) ** 2, axis=1)))))
    return np.array(errors)
