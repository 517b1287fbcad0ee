"""ArUco markers in an image: dictionaries by name, detection with sub-pixel corners, the pose of a single marker."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.core.transforms import transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import ConfigError, one_of
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.corners import refine_corners
from dofbot_ros.vision.opencv_aruco import marker_detector

DICTIONARIES: dict[str, int] = {n.upper(): getattr(cv2.aruco, n) for n in dir(cv2.aruco) if n.startswith("DICT_")}
"""Name in capitals (OpenCV spells some both ways) -> OpenCV's number of every predefined dictionary."""


def dictionary_named(name: str) -> cv2.aruco.Dictionary:
    """OpenCV's predefined dictionary called `name`, for instance DICT_6X6_250.

    Raises:
        ConfigError: no such dictionary; the message lists those there are.
    """
    number = DICTIONARIES.get(name.upper())
    if number is None:
        raise ConfigError(one_of("dictionary", name, DICTIONARIES))
    return cv2.aruco.getPredefinedDictionary(number)


SHARPEN_PX, SHARPEN_GAIN = 1.5, 2.0
"""Radius [px] and strength of the unsharp mask."""


@dataclass(frozen=True, eq=False)
class Marker:
    """A marker in an image.

    Attributes:
        id: in the detector's dictionary.
        corners: [px], clockwise from the marker's own top left, shape (4, 2).
    """

    id: int
    corners: FloatArray


class MarkerDetector:
    """Finds the markers of one dictionary."""

    def __init__(self, dictionary: str) -> None:
        settings = {
            "cornerRefinementMethod": cv2.aruco.CORNER_REFINE_SUBPIX,
            # OpenCV's 0.125 and 0.21 take markers on neighbouring faces of a block, or a marker and its label, for one.
            "minMarkerDistanceRate": 0.05,
            "minGroupDistance": 0.05,
            # Thresholds over windows of 3 and 23 pixels; the one of 13 between them costs a third and finds no more.
            "adaptiveThreshWinSizeStep": 20,
            # Bits are read in the middle of their cells: at 4 pixels a cell its rim shows the neighbour's colour.
            "perspectiveRemoveIgnoredMarginPerCell": 0.3,
        }
        self._detect = marker_detector(dictionary_named(dictionary), settings)

    def detect(self, image: ImageArray, *, sharpen: bool = False) -> list[Marker]:
        """All markers, by id.

        Args:
            image: grey (height, width) or RGB (height, width, 3).
            sharpen: look for them in a sharpened copy: cells of 4 pixels in an image that is 1.5 pixels out of focus
                cannot be read otherwise. Costs as much again, and finds no more in a sharp image.
        """
        grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        found, ids = self._detect(_sharpened(grey) if sharpen else grey)
        if ids is None or not len(found):
            return []
        corners = refine_corners(grey, np.concatenate(found).astype(np.float64))
        markers = [Marker(int(i), c) for i, c in zip(ids.ravel(), corners, strict=True)]
        return sorted(markers, key=lambda m: (m.id, *m.corners[0]))


def _sharpened(grey: ImageArray) -> ImageArray:
    """The unsharp mask: what a blur takes away, added."""
    blurred = cv2.GaussianBlur(grey, (0, 0), SHARPEN_PX)
    return np.asarray(cv2.addWeighted(grey, 1.0 + SHARPEN_GAIN, blurred, -SHARPEN_GAIN, 0.0), np.uint8)


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
