"""The pose of a single marker from its four corners, with its second solution and how well they are told apart."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.core.transforms import transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.vision.intrinsics import Intrinsics


@dataclass(frozen=True, eq=False)
class MarkerPose:
    """Pose of one marker: a square seen from afar fits two poses, tilted to opposite sides.

    Attributes:
        T_camera_marker: the better pose in the optical frame (marker: x right, y up, z out of it), shape (4, 4) [m].
        reprojection_px: root mean square distance of its corners from those seen [px].
        T_camera_marker_other: the other pose, shape (4, 4) [m].
        other_reprojection_px: the same error of the other pose [px].
    """

    T_camera_marker: FloatArray
    reprojection_px: float
    T_camera_marker_other: FloatArray
    other_reprojection_px: float

    @property
    def ambiguity(self) -> float:
        """Ratio of the two errors: near 0 the pose is certain, near 1 the two cannot be told apart."""
        return self.reprojection_px / max(self.other_reprojection_px, 1e-12)


NUDGE_PX = 1e-4 * np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 1.0]])
"""Moves corners by less than anything can be measured [px]."""


def marker_pose(corners: FloatArray, size: float, intrinsics: Intrinsics) -> MarkerPose:
    """Both poses of a square marker (IPPE: Collins and Bartoli, IJCV 2014).

    Args:
        corners: [px], clockwise from the marker's top left, shape (4, 2).
        size: edge of its black square, positive [m].
        intrinsics: of the camera.
    """
    h = 0.5 * size
    square = np.array([[-h, h, 0.0], [h, h, 0.0], [h, -h, 0.0], [-h, -h, 0.0]])
    K, distortion = intrinsics.K, intrinsics.distortion
    rotations, translations = _ippe(square, corners, intrinsics)
    if not (np.isfinite(rotations).all() and np.isfinite(translations).all()):
        # OpenCV divides by zero where a marker stands exactly upright in the image: a little beside it does not.
        rotations, translations = _ippe(square, corners + NUDGE_PX, intrinsics)
    poses = []
    for r, t in zip(rotations, translations, strict=True):
        seen, _ = cv2.projectPoints(square, r, t, K, distortion)
        error = float(np.sqrt(np.mean(np.sum((seen[:, 0] - corners) ** 2, axis=-1))))
        poses.append((error, transform(cv2.Rodrigues(r)[0], t.ravel())))
    poses.sort(key=lambda p: p[0])
    (error, pose), (other_error, other) = poses[0], poses[-1]
    return MarkerPose(pose, error, other, other_error)


def _ippe(square: FloatArray, corners: FloatArray, intrinsics: Intrinsics) -> tuple[FloatArray, FloatArray]:
    """Rotation vectors and translations [m] of both solutions, each (2, 3, 1)."""
    _, rotations, translations, _ = cv2.solvePnPGeneric(
        square, corners, intrinsics.K, intrinsics.distortion, flags=cv2.SOLVEPNP_IPPE_SQUARE
    )
    return np.array(rotations, dtype=np.float64), np.array(translations, dtype=np.float64)
