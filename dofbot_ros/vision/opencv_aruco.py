"""OpenCV's ArUco functions over both of its interfaces: that before 4.7, as in Ubuntu 24.04, and the one since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray

_aruco: Any = cv2.aruco
NEW = hasattr(_aruco, "ArucoDetector")
Detect = Callable[[ImageArray], tuple[Sequence[FloatArray], FloatArray | None]]
"""A grey image -> corners of each marker (1, 4, 2) [px], and their ids (n, 1), None where there are none."""


def marker_detector(dictionary: Any, settings: Mapping[str, object]) -> Detect:
    """A detector of the markers of an OpenCV dictionary.

    Args:
        dictionary: of cv2.aruco.
        settings: attributes of cv2's DetectorParameters; the older interface lacks some, and does without.
    """
    # The older module has a class of this name too, which ends the process when it is used.
    parameters = _aruco.DetectorParameters() if NEW else _aruco.DetectorParameters_create()
    for name, value in settings.items():
        if hasattr(parameters, name):
            setattr(parameters, name, value)
    if NEW:
        detector = _aruco.ArucoDetector(dictionary, parameters)
        return lambda grey: detector.detectMarkers(grey)[:2]
    return lambda grey: _aruco.detectMarkers(grey, dictionary, parameters=parameters)[:2]


def marker_image(dictionary: Any, number: int, side: int) -> ImageArray:
    """The marker `number` of a dictionary with its black border, shape (side, side) [px]."""
    draw = _aruco.generateImageMarker if NEW else _aruco.drawMarker
    return np.asarray(draw(dictionary, number, side), dtype=np.uint8)
