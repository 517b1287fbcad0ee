"""Camera intrinsics: ROS camera_info YAML and OpenCV FileStorage YAML, in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from dofbot_ros.config.yaml_text import BoundedLoader, read_yaml, write_yaml
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError
from dofbot_ros.vision.distortion import check_distortion, distortion_of

UNDISTORTION = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-8)
"""OpenCV's five iterations are pixels off in the corners of a wide lens."""

OPTICAL_FRAME = "camera_optical_frame"
"""Of the wrist camera, in the arm's URDF."""
OVERHEAD_FRAME = "overhead_camera_optical_frame"
"""Of a camera beside the arm, unless it is called otherwise."""
SIMULATED_FRAME = "sim_camera_optical_frame"
"""Of the simulated camera above the table: no real camera is called so."""

COEFFICIENTS = ("distortion_coefficients", "distortion_coeffs", "dist_coeffs", "dist_coefs", "distortion")
"""Keys under which calibration tools write them: ROS and OpenCV, Kalibr, and OpenCV's samples."""

MAX_SIDE = 16384
"""Longest side of an image that a calibration may be for [px]."""


@dataclass(frozen=True, eq=False)
class Intrinsics:
    """Pinhole camera with lens distortion. Pixel (0, 0) is the centre of the top left pixel, as in OpenCV.

    Attributes:
        width: [px].
        height: [px].
        K: camera matrix [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] [px], shape (3, 3).
        distortion: coefficients of `model`, shape (5,), (8,), (12,) or (14,).
        model: a key of DISTORTION_MODELS (distortion.py).
        frame: name of the optical frame: z forward, x right, y down.

    Raises:
        ConfigError: values that no camera has.
    """

    width: int
    height: int
    K: FloatArray
    distortion: FloatArray = field(default_factory=lambda: np.zeros(5))
    model: str = "plumb_bob"
    frame: str = OPTICAL_FRAME

    def __post_init__(self) -> None:
        if not (0 < self.width <= MAX_SIDE and 0 < self.height <= MAX_SIDE):
            raise ConfigError(f"an image is not {self.width}x{self.height} pixels: each side is 1 to {MAX_SIDE}")
        K, distortion = (np.array(a, dtype=np.float64) for a in (self.K, self.distortion))
        _check_matrix(K)
        check_distortion(distortion, self.model)
        K.setflags(write=False)
        distortion.setflags(write=False)
        object.__setattr__(self, "K", K)
        object.__setattr__(self, "distortion", distortion)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height [px]."""
        return self.width, self.height

    @property
    def projection(self) -> FloatArray:
        """camera_info's P of a camera that is not part of a stereo pair: [K | 0], shape (3, 4)."""
        return np.hstack([self.K, np.zeros((3, 1))])

    @property
    def focal_px(self) -> float:
        """Pixels a unit of normalised image coordinates: the geometric mean of the two focal lengths [px]."""
        return float(np.sqrt(self.K[0, 0] * self.K[1, 1]))

    def rays(self, pixels: FloatArray) -> FloatArray:
        """Normalised image coordinates (x / z, y / z) of pixels (n, 2), the distortion undone, shape (n, 2)."""
        rays = cv2.undistortPointsIter(pixels[:, None], self.K, self.distortion, np.eye(3), np.eye(3), UNDISTORTION)
        return np.asarray(rays[:, 0], dtype=np.float64)

    def scaled(self, width: int, height: int) -> Intrinsics:
        """The same lens for the same picture resized to `width` x `height` [px] (not cropped)."""
        sx, sy = width / self.width, height / self.height
        # Pixel centres are at whole numbers, so the resize is about the corner at (-0.5, -0.5).
        resize = np.array([[sx, 0.0, 0.5 * (sx - 1.0)], [0.0, sy, 0.5 * (sy - 1.0)], [0.0, 0.0, 1.0]])
        return replace(self, width=width, height=height, K=resize @ self.K)


def _check_matrix(K: FloatArray) -> None:
    if K.shape != (3, 3) or not np.all(np.isfinite(K)) or K[0, 0] <= 0 or K[1, 1] <= 0:
        raise ConfigError("a camera matrix is 3x3 and finite, with positive focal lengths on its diagonal")
    if not K[:2, 2].any() and K[2, :2].any():
        raise ConfigError("the camera matrix is transposed: cx and cy belong into its last column")
    if not np.array_equal(K[2], [0.0, 0.0, 1.0]):
        raise ConfigError(f"the last row of a camera matrix is [0, 0, 1], got {K[2].tolist()}")
    if K[0, 1] != 0 or K[1, 0] != 0:
        # OpenCV's projection would silently leave it out.
        raise ConfigError(f"a camera matrix with skew ({K[0, 1]:g}, {K[1, 0]:g}) is not supported: it must be 0")


def of_whole_image(intrinsics: Intrinsics) -> Intrinsics:
    """The same intrinsics, of a camera's image as it comes: a crop's principal point may lie outside, not this one's.

    Raises:
        ConfigError: it does, so that the numbers are those of another image size or in another order.
    """
    (cx, cy), (width, height) = intrinsics.K[:2, 2], intrinsics.size
    if not (-0.5 <= cx < width and -0.5 <= cy < height):
        raise ConfigError(f"the principal point ({cx:g}, {cy:g}) is outside an image of {width}x{height} pixels")
    return intrinsics


def from_field_of_view(width: int, height: int, horizontal: float, frame: str = OPTICAL_FRAME) -> Intrinsics:
    """A camera without distortion, with square pixels and a `horizontal` field of view [rad]."""
    f = 0.5 * width / np.tan(0.5 * horizontal)
    K = np.array([[f, 0.0, 0.5 * (width - 1)], [0.0, f, 0.5 * (height - 1)], [0.0, 0.0, 1.0]])
    return Intrinsics(width, height, K, frame=frame)


def load_intrinsics(path: str | Path, size: tuple[int, int] | None = None, frame: str = OPTICAL_FRAME) -> Intrinsics:
    """Read a calibration file of ROS's camera_calibration or of OpenCV's FileStorage (YAML).

    Args:
        path: the file.
        size: width and height of the images it is for [px]; needed where the file does not tell.
        frame: name of the optical frame (neither format holds one).

    Raises:
        ConfigError: no such file, no YAML, no camera matrix or distortion coefficients, values that no camera has,
            another image size.
    """
    content = _read(Path(path))
    found = ", ".join(map(str, content))[:200] or "nothing"
    try:
        matrix, coefficients = _matrix(content, "camera_matrix"), _coefficients(content)
        if matrix is None:
            raise ConfigError(f"holds no camera_matrix (found: {found})")
        held_size = _size(content, size)
        if coefficients is None:
            raise ConfigError(
                f"holds no distortion_coefficients (found: {found}); five zeros stand for a lens without distortion"
            )
        named = content.get("distortion_model")
        return distorted(matrix, held_size, coefficients, None if named is None else str(named), frame)
    except ConfigError as error:
        raise ConfigError(str(error), str(path)) from error


def distorted(
    K: FloatArray, size: tuple[int, int], coefficients: FloatArray, named: str | None, frame: str = OPTICAL_FRAME
) -> Intrinsics:
    """Intrinsics from a camera matrix (3, 3) [px] and coefficients of the model `named`, as drivers give them.

    Raises:
        ConfigError: they are those of no camera.
    """
    camera = of_whole_image(Intrinsics(*size, K, frame=frame))
    centre = camera.K[:2, 2]
    furthest = np.maximum(centre, np.array(size) - 1.0 - centre)
    corner = float(np.linalg.norm(furthest / camera.K.diagonal()[:2]))
    values, model = distortion_of(coefficients, named, camera.focal_px, corner)
    return replace(camera, distortion=values, model=model)


def save_intrinsics(intrinsics: Intrinsics, path: str | Path, camera_name: str = "camera") -> None:
    """Write the YAML that ROS's camera_info_manager and load_intrinsics read."""
    matrices = {
        "camera_matrix": intrinsics.K,
        "distortion_coefficients": intrinsics.distortion[None],
        "rectification_matrix": np.eye(3),
        "projection_matrix": intrinsics.projection,
    }
    blocks = {
        name: {"rows": m.shape[0], "cols": m.shape[1], "data": [float(v) for v in m.ravel()]}
        for name, m in matrices.items()
    }
    content = {
        "image_width": intrinsics.width,
        "image_height": intrinsics.height,
        "camera_name": camera_name,
        "camera_matrix": blocks["camera_matrix"],
        "distortion_model": intrinsics.model,
        **{name: blocks[name] for name in list(blocks)[1:]},
    }
    Path(path).write_text(write_yaml(content, flow=None), encoding="utf-8")


class _Loader(BoundedLoader):
    """Knows the tag that FileStorage puts before a matrix."""

    def __init__(self, text: str) -> None:
        # FileStorage opens with "%YAML:1.0", which is no YAML directive.
        super().__init__(text.split("\n", 1)[-1] if text.startswith("%YAML:") else text)


_Loader.add_constructor(
    "tag:yaml.org,2002:opencv-matrix",
    lambda loader, node: loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None,
)


def _read(path: Path) -> Mapping[str, Any]:
    content = read_yaml(path, _Loader)
    if not isinstance(content, Mapping):
        raise ConfigError("holds no camera_matrix: a camera_info YAML is expected", str(path))
    return content


def _coefficients(content: Mapping[str, Any]) -> FloatArray | None:
    """Distortion coefficients under whichever name they stand, (n,): as rows, cols and data, or as a plain list."""
    name = next((name for name in COEFFICIENTS if name in content), None)
    if name is None:
        return None
    entry = content[name]
    if isinstance(entry, Mapping) and "data" in entry and "rows" not in entry and "cols" not in entry:
        entry = entry["data"]
    if not isinstance(entry, list):
        matrix = _matrix(content, name)
        return None if matrix is None else matrix.ravel()
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in entry):
        raise ConfigError(f"{name} is no list of numbers")
    return np.array(entry, dtype=np.float64)


def _matrix(content: Mapping[str, Any], name: str) -> FloatArray | None:
    entry = content.get(name)
    if entry is None:
        return None
    try:
        rows, columns, data = int(entry["rows"]), int(entry["cols"]), list(entry["data"])
        if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in data):
            raise TypeError("not all of data are numbers")
        return np.array(data, dtype=np.float64).reshape(rows, columns)
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise ConfigError(f"{name} is not rows, cols and as many numbers in data") from error


def _size(content: Mapping[str, Any], wanted: tuple[int, int] | None) -> tuple[int, int]:
    width, height = content.get("image_width"), content.get("image_height")
    if width is None or height is None:
        if wanted is None:
            raise ConfigError("holds no image_width and image_height, and no image size was given")
        return wanted
    if any(isinstance(side, bool) or not isinstance(side, int) for side in (width, height)):
        raise ConfigError(f"image size {str(width)[:40]} x {str(height)[:40]} is no pair of whole numbers")
    held = width, height
    if wanted is not None and held != wanted:
        raise ConfigError(f"is for {held[0]}x{held[1]} images, this one is {wanted[0]}x{wanted[1]}")
    return held
