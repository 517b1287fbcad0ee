"""ArUco markers in an image: dictionaries by name, detection with sub-pixel corners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import UsageError, one_of
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
        raise UsageError(one_of("dictionary", name, DICTIONARIES))
    return cv2.aruco.getPredefinedDictionary(number)


SHARPEN_PX, SHARPEN_GAIN = 1.5, 2.0
"""Radius [px] and strength of the unsharp mask."""
DIM_GAMMA, DIM_SCALE, DIM_BLUR_PX, DIM_SHARPEN_PX, DIM_GAIN = 0.7, 2, 1.0, 3.0, 4.0
"""For dim and blurred pictures: how dark tones are spread, enlargement, blur against noise, unsharp mask (in enlarged
pixels)."""
_SPREAD = np.rint(255.0 * (np.arange(256) / 255.0) ** DIM_GAMMA).astype(np.uint8)


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
        # In twice the pixels: more windows, since a blurred rim is caught by some of them only, and rounder corners.
        dim = {"adaptiveThreshWinSizeMax": 43, "adaptiveThreshWinSizeStep": 10, "polygonalApproxAccuracyRate": 0.05}
        self._detect_dim = marker_detector(dictionary_named(dictionary), settings | dim)

    def detect(self, image: ImageArray, *, sharpen: bool = False) -> list[Marker]:
        """All markers, by id.

        Args:
            image: grey (height, width) or RGB (height, width, 3).
            sharpen: look for them in a sharpened copy: cells of 4 pixels in an image that is 1.5 pixels out of focus
                cannot be read otherwise. Costs as much again, and finds no more in a sharp image.
        """
        grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        return _markers(grey, *self._detect(_sharpened(grey) if sharpen else grey))

    def detect_dim(self, image: ImageArray) -> list[Marker]:
        """All markers, by id, of a picture that is dim and out of focus: about eight times as long as detect()."""
        grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        found, ids = self._detect_dim(_brightened(grey))
        # Of an enlarged pixel's middle in the pixels of the picture.
        return _markers(grey, [(one + 0.5) / DIM_SCALE - 0.5 for one in found], ids)


def _markers(grey: ImageArray, found: Sequence[FloatArray], ids: FloatArray | None) -> list[Marker]:
    """What OpenCV found, its corners refined in the picture as it was taken."""
    if ids is None or not len(found):
        return []
    corners = refine_corners(grey, np.concatenate(found).astype(np.float64))
    markers = [Marker(int(i), c) for i, c in zip(ids.ravel(), corners, strict=True)]
    return sorted(markers, key=lambda m: (m.id, *m.corners[0]))


def _brightened(grey: ImageArray) -> ImageArray:
    """The picture with its dark tones spread, enlarged, less noisy, and sharpened."""
    large = cv2.resize(_SPREAD[grey], None, fx=DIM_SCALE, fy=DIM_SCALE, interpolation=cv2.INTER_CUBIC)
    calm = cv2.GaussianBlur(large, (0, 0), DIM_BLUR_PX)
    blurred = cv2.GaussianBlur(calm, (0, 0), DIM_SHARPEN_PX)
    return np.asarray(cv2.addWeighted(calm, 1.0 + DIM_GAIN, blurred, -DIM_GAIN, 0.0), np.uint8)


def _sharpened(grey: ImageArray) -> ImageArray:
    """The unsharp mask: what a blur takes away, added."""
    blurred = cv2.GaussianBlur(grey, (0, 0), SHARPEN_PX)
    return np.asarray(cv2.addWeighted(grey, 1.0 + SHARPEN_GAIN, blurred, -SHARPEN_GAIN, 0.0), np.uint8)
