"""Where a fixed camera is, from markers whose places are known; a carried one is fitted in calibration/fitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.core.transforms import invert, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.aruco import Marker
from dofbot_ros.vision.markers.corners import corner_weight
from dofbot_ros.vision.markers.pose_fit import MarkerObservation, fit_pose

MIN_MARKERS = 3


@dataclass(frozen=True, eq=False)
class FixedCamera:
    """A camera that does not move.

    Attributes:
        T_base_camera: its optical frame in the base frame, shape (4, 4) [m].
        reprojection_px: root of the weighted mean square distance of the corners from those seen [px].
        markers: how many were used.
    """

    T_base_camera: FloatArray
    reprojection_px: float
    markers: int


def locate_fixed_camera(
    markers: Sequence[Marker], corners_base: Mapping[int, FloatArray], intrinsics: Intrinsics
) -> FixedCamera:
    """Pose of a fixed camera from one image of markers whose place is known.

    Args:
        markers: as detected.
        corners_base: marker id -> its corners in the base frame, in Marker's order, shape (4, 3) [m]. For blocks that
            lie at measured places: apply(T_base_block, block.marker_corners(face)).
        intrinsics: of the camera.

    Raises:
        CalibrationError: fewer than three known markers, or they do not fit.
    """
    known = [m for m in markers if m.id in corners_base]
    if len(known) < MIN_MARKERS:
        there, wanted = sorted(m.id for m in markers), sorted(corners_base)
        raise CalibrationError(f"needs {MIN_MARKERS} markers of known place, sees {len(known)} ({there} of {wanted})")
    points = np.concatenate([corners_base[m.id] for m in known]).astype(np.float64)
    rays = intrinsics.rays(np.concatenate([m.corners for m in known]))
    done, r, t = cv2.solvePnP(points, rays, np.eye(3), np.zeros(5), flags=cv2.SOLVEPNP_SQPNP)
    if not done:
        raise CalibrationError(f"no camera pose fits markers {sorted(m.id for m in known)}: are their places right?")
    # The fit turns the base about its own origin; about the markers' middle the six directions are less coupled.
    middle = transform(translation=points.mean(axis=0))
    weights = np.repeat([corner_weight(m.corners) for m in known], 4)
    seen = MarkerObservation(points - middle[:3, 3], rays, weights)
    T_camera_middle = fit_pose(transform(cv2.Rodrigues(r)[0], t.ravel()) @ middle, seen)
    error_px = intrinsics.focal_px * seen.error(T_camera_middle)
    return FixedCamera(middle @ invert(T_camera_middle), error_px, len(known))
