"""Every marker in one picture, each solved by itself: what `dofbot localize` prints and draws."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dofbot_ros.core.transforms import quat_from_matrix
from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.vision.cameras.frame_files import read_image
from dofbot_ros.vision.intrinsics import Intrinsics, load_intrinsics
from dofbot_ros.vision.markers.aruco import Marker, MarkerDetector
from dofbot_ros.vision.markers.marker_pose import MarkerPose, marker_pose

LARGEST_M = 1.0
"""Edge of a marker beyond which millimetres are meant [m]."""
AXIS_COLOURS = ((220, 50, 40), (40, 160, 60), (40, 80, 220))
"""x red, y green, z blue, as in RViz."""
OUTLINE, FIRST_CORNER, TEXT = (255, 140, 0), (255, 0, 160), (20, 20, 20)
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, eq=False)
class MarkerReport:
    """A picture and its markers.

    Attributes:
        image: RGB, shape (height, width, 3).
        intrinsics: of its camera.
        dictionary: the markers' dictionary.
        marker_size: edge of the black square [m].
        markers: each with its pose, by id.
    """

    image: ImageArray
    intrinsics: Intrinsics
    dictionary: str
    marker_size: float
    markers: tuple[tuple[Marker, MarkerPose], ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data.

        `markers` is a list of `id`, `corners` (clockwise from the marker's top left [px]), `position` in the optical
        frame [m], `orientation` (quaternion x y z w), `reprojection_px` and `ambiguity` (near 1: a second pose fits
        as well).
        """
        return {
            "width": self.intrinsics.width,
            "height": self.intrinsics.height,
            "dictionary": self.dictionary,
            "marker_size": self.marker_size,
            "markers": [
                {
                    "id": marker.id,
                    "corners": marker.corners.round(3).tolist(),
                    "position": pose.T_camera_marker[:3, 3].round(6).tolist(),
                    "orientation": quat_from_matrix(pose.T_camera_marker[:3, :3]).round(6).tolist(),
                    "reprojection_px": round(pose.reprojection_px, 4),
                    "ambiguity": round(pose.ambiguity, 4),
                }
                for marker, pose in self.markers
            ],
        }

    def drawn(self) -> ImageArray:
        """The picture with each marker's outline, id and axes (x red, y green, z blue; a dot at the top left)."""
        picture = self.image.copy()
        K, distortion = self.intrinsics.K, self.intrinsics.distortion
        axes = np.vstack([np.zeros(3), 0.7 * self.marker_size * np.eye(3)])
        for marker, pose in self.markers:
            T = pose.T_camera_marker
            ends, _ = cv2.projectPoints(axes, cv2.Rodrigues(T[:3, :3])[0], T[:3, 3], K, distortion)
            origin, *tips = [_pixel(p) for p in ends[:, 0]]
            outline = [_pixel(c) for c in marker.corners]
            for start, end in zip(outline, outline[1:] + outline[:1], strict=True):
                cv2.line(picture, start, end, OUTLINE, 1, cv2.LINE_AA)
            for tip, colour in zip(tips, AXIS_COLOURS, strict=True):
                cv2.line(picture, origin, tip, colour, 2, cv2.LINE_AA)
            cv2.circle(picture, outline[0], 3, FIRST_CORNER, -1, cv2.LINE_AA)
            label = (max(x for x, _ in outline) + 4, min(y for _, y in outline) + 4)
            for colour, thickness in ((255, 255, 255), 4), (TEXT, 1):
                cv2.putText(
                    picture, str(marker.id), label, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, thickness, cv2.LINE_AA
                )
        return picture


def report(image_file: str | Path, camera_info: str | Path, dictionary: str, marker_size: float) -> MarkerReport:
    """Find the markers in a picture.

    Args:
        image_file: any image that OpenCV reads.
        camera_info: calibration of its camera, for this image size.
        dictionary: for instance DICT_6X6_250.
        marker_size: edge of the black square [m].

    Raises:
        CameraError: no image.
        ConfigError: no such dictionary, no usable calibration, a size that is not positive or beyond LARGEST_M.
    """
    if not marker_size > 0:
        raise ConfigError(f"a marker's size must be positive, got {marker_size} m")
    if marker_size > LARGEST_M:
        raise ConfigError(f"a marker of {marker_size:g} m is larger than {LARGEST_M:g} m: its edge is given in metres")
    detector = MarkerDetector(dictionary)
    image = read_image(image_file)
    height, width = image.shape[:2]
    intrinsics = load_intrinsics(camera_info, (width, height))
    found = tuple((m, marker_pose(m.corners, marker_size, intrinsics)) for m in detector.detect(image))
    return MarkerReport(image, intrinsics, dictionary, marker_size, found)


def save_image(image: ImageArray, path: str | Path) -> None:
    """Write an RGB image; the suffix decides the format.

    Raises:
        InputError: a suffix that OpenCV has no writer for, or a place that cannot be written.
    """
    try:
        ok, data = cv2.imencode(Path(path).suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error:
        ok = False
    if not ok:
        raise InputError(f"{path}: the name must end in an image format's suffix, .png or .jpg")
    try:
        Path(path).write_bytes(data.tobytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def _pixel(point: Any) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
