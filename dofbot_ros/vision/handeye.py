"""Finding out where the camera is: fixed and looking at markers of known place, or carried by the arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.core.transforms import invert, log_so3, matrix_from_quat, quat_from_matrix, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.aruco import Marker
from dofbot_ros.vision.markers.corners import corner_weight
from dofbot_ros.vision.markers.pose_fit import MarkerObservation, fit_pose

MIN_MARKERS = 3
MIN_VIEWS = 3
MIN_TURN_RAD = 0.2
"""Least turn about a second axis: with less, the camera's place along the first one stays unknown [rad]."""


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


@dataclass(frozen=True, eq=False)
class HandEye:
    """A camera that the arm carries.

    Attributes:
        T_hand_camera: the optical frame in the frame of the link that carries it, shape (4, 4) [m].
        T_base_target: the target that was looked at, mean over the views, shape (4, 4) [m].
        position_rms_m: how far the target's place scatters over the views [m].
        rotation_rms_rad: how far its orientation scatters [rad].
    """

    T_hand_camera: FloatArray
    T_base_target: FloatArray
    position_rms_m: float
    rotation_rms_rad: float


def calibrate_eye_in_hand(T_base_hand: Sequence[FloatArray], T_camera_target: Sequence[FloatArray]) -> HandEye:
    """Pose of the camera on its link from several views of one target that stays where it is (Park and Martin, 1994).

    Args:
        T_base_hand: the link that carries the camera, from forward kinematics, one (4, 4) a view [m].
        T_camera_target: the target as the camera saw it from there, one (4, 4) a view [m].

    Raises:
        CalibrationError: fewer than three views, or all turned about one axis.
    """
    if len(T_base_hand) != len(T_camera_target):
        raise CalibrationError(f"{len(T_base_hand)} arm poses do not pair with {len(T_camera_target)} target poses")
    if len(T_base_hand) < MIN_VIEWS:
        raise CalibrationError(f"needs {MIN_VIEWS} views, got {len(T_base_hand)}")
    turns = np.array([log_so3(T_base_hand[0][:3, :3].T @ T[:3, :3]) for T in T_base_hand])
    second = float(np.linalg.svd(turns, compute_uv=False)[1])
    if second < MIN_TURN_RAD:
        raise CalibrationError(
            f"all views turn about one axis (second axis: {second:.2f} rad, least {MIN_TURN_RAD}): "
            "vary the base's yaw and the wrist's pitch"
        )
    rotation, translation = cv2.calibrateHandEye(
        [T[:3, :3] for T in T_base_hand],
        [T[:3, 3] for T in T_base_hand],
        [T[:3, :3] for T in T_camera_target],
        [T[:3, 3] for T in T_camera_target],
        method=cv2.CALIB_HAND_EYE_PARK,
    )
    T_hand_camera = transform(rotation, np.ravel(translation))
    targets = [h @ T_hand_camera @ c for h, c in zip(T_base_hand, T_camera_target, strict=True)]
    mean = _mean_pose(targets)
    apart = [(T[:3, 3] - mean[:3, 3], log_so3(mean[:3, :3].T @ T[:3, :3])) for T in targets]
    position, angle = (float(np.sqrt(np.mean([np.sum(a[i] ** 2) for a in apart]))) for i in (0, 1))
    return HandEye(T_hand_camera, mean, position, angle)


def _mean_pose(poses: Sequence[FloatArray]) -> FloatArray:
    """Mean of poses that lie close together; of the quaternions, the principal axis (Markley, 2007)."""
    q = np.array([quat_from_matrix(T[:3, :3]) for T in poses])
    rotation = matrix_from_quat(np.linalg.eigh(q.T @ q)[1][:, -1])
    return transform(rotation, np.mean([T[:3, 3] for T in poses], axis=0))
