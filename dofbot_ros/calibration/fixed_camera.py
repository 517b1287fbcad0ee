"""Where a fixed camera is, from the sheet before the base plate; and whether it is still there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dofbot_ros.calibration.targets.board_pictures import sheet_in_base
from dofbot_ros.core.transforms import invert, log_so3
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError
from dofbot_ros.vision.handeye import locate_fixed_camera
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.aruco import Marker

FOLDS = 4
MIN_MARKERS = 8
WORST_MM = 1.5
"""Held-out error above which a camera's place is not taken [mm]."""
MOVED_MM = 2.0
"""Points of the table that a stored camera puts so far from where they are: it was knocked [mm]."""


@dataclass(frozen=True, eq=False)
class FixedCameraFit:
    """A fixed camera found from the sheet.

    Attributes:
        T_base_camera: its optical frame in base_link, shape (4, 4) [m].
        reprojection_px: root mean square distance of corners from those seen [px].
        held_out_mm: of each corner, where its ray meets the table when its marker was left out, shape (n,) [mm].
        markers: how many were used.
    """

    T_base_camera: FloatArray
    reprojection_px: float
    held_out_mm: FloatArray
    markers: int


def find_fixed_camera(markers: list[Marker], intrinsics: Intrinsics) -> FixedCameraFit:
    """Fit a fixed camera to the sheet, and cross-validate over the markers.

    Args:
        markers: of the sheet, as detected.
        intrinsics: of the camera.

    Raises:
        CalibrationError: too few markers, or they do not fit.
    """
    if len(markers) < MIN_MARKERS:
        raise CalibrationError(f"needs {MIN_MARKERS} markers of the sheet, sees {len(markers)}: move what hides it")
    known = sheet_in_base()
    whole = locate_fixed_camera(markers, known, intrinsics)
    left_out = []
    for fold in range(FOLDS):
        test = markers[fold::FOLDS]
        kept = [m for m in markers if m not in test]
        camera = locate_fixed_camera(kept, known, intrinsics).T_base_camera
        left_out.append(table_errors(test, camera, intrinsics))
    return FixedCameraFit(whole.T_base_camera, whole.reprojection_px, np.concatenate(left_out), len(markers))


def table_errors(markers: list[Marker], T_base_camera: FloatArray, intrinsics: Intrinsics) -> FloatArray:
    """Distance of each corner on the table from where the camera's ray meets the table, shape (4 n,) [mm]."""
    known = sheet_in_base()
    rays = intrinsics.rays(np.concatenate([m.corners for m in markers]))
    direction = np.column_stack([rays, np.ones(len(rays))]) @ T_base_camera[:3, :3].T
    eye = T_base_camera[:3, 3]
    hit = eye - direction * (eye[2] / direction[:, 2])[:, None]
    errors: FloatArray = 1e3 * np.linalg.norm(hit - np.concatenate([known[m.id] for m in markers]), axis=1)
    return errors


@dataclass(frozen=True)
class StillThere:
    """A stored camera pose against a new picture of the sheet.

    Attributes:
        error_mm: median distance on the table between where it puts the corners and where they are [mm].
        moved_mm: between the stored and the present place of the camera [mm].
        turned_deg: between their orientations [deg].
        holds: whether the stored one may be used.
    """

    error_mm: float
    moved_mm: float
    turned_deg: float
    holds: bool


def check_fixed_camera(markers: list[Marker], stored: FloatArray, intrinsics: Intrinsics) -> StillThere:
    """Compare a stored pose T_base_camera (4, 4) with a picture of the sheet.

    Raises:
        CalibrationError: too few markers, or they do not fit.
    """
    now = find_fixed_camera(markers, intrinsics)
    error = float(np.median(table_errors(markers, stored, intrinsics)))
    apart = invert(stored) @ now.T_base_camera
    moved, turned = 1e3 * float(np.linalg.norm(apart[:3, 3])), float(np.degrees(np.linalg.norm(log_so3(apart[:3, :3]))))
    return StillThere(error, moved, turned, error <= MOVED_MM)
