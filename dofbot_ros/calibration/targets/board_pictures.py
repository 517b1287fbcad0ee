"""Looks for the ChArUco board and for the sheet in pictures of a folder, a file or a camera."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dofbot_ros.calibration.camera import MIN_POINTS, BoardView
from dofbot_ros.calibration.targets.boards import charuco_board
from dofbot_ros.core.clock import Clock
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import CalibrationError
from dofbot_ros.vision.cameras.capture import CaptureConfig, open_source
from dofbot_ros.vision.markers.aruco import Marker, MarkerDetector
from dofbot_ros.vision.markers.sheet import BASE_FRONT_M, SHEET

MOVED_PX = 25.0
"""A picture counts beside an earlier one when the board's corners moved by so much on average [px]."""


def pictures(source: str, clock: Clock) -> Iterator[tuple[str, ImageArray]]:
    """Name and RGB image of each picture of a folder, a video, a device or an address.

    Raises:
        CameraError: it gives no pictures.
    """
    if Path(source).is_file() and Path(source).suffix.lower() not in (".mp4", ".avi", ".mkv", ".mov", ".webm"):
        from dofbot_ros.vision.cameras.frame_files import read_image

        yield Path(source).name, read_image(source)
        return
    framerate = float("inf") if Path(source).exists() and not source.startswith("/dev/") else 0.0
    camera = open_source(CaptureConfig(video_device=source, framerate=framerate), clock)
    try:
        number = 0
        while (frame := camera.read()) is not None:
            yield f"picture {number}", frame.image
            number += 1
    finally:
        camera.close()


class BoardFinder:
    """Finds the ChArUco board, and tells which pictures show it from elsewhere than those before."""

    def __init__(self) -> None:
        board = charuco_board()
        self._points = np.asarray(board.getChessboardCorners(), dtype=np.float64)
        self._detector = cv2.aruco.CharucoDetector(board)
        self._before: list[dict[int, FloatArray]] = []

    def find(self, name: str, image: ImageArray) -> BoardView:
        """The corners in a picture; none where the board is not in it."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        found: tuple[Any, ...] = self._detector.detectBoard(grey)
        corners, ids = found[:2]
        if ids is None:
            return BoardView(name, np.zeros((0, 3)), np.zeros((0, 2)))
        return BoardView(name, self._points[ids.ravel()], np.asarray(corners, dtype=np.float64).reshape(-1, 2))

    def is_new(self, view: BoardView) -> bool:
        """Whether it shows enough of the board, from elsewhere than the pictures for which this was true."""
        if len(view.pixels) < MIN_POINTS:
            return False
        corners = {hash(p.tobytes()): pixel for p, pixel in zip(view.points, view.pixels, strict=True)}
        for before in self._before:
            both = corners.keys() & before.keys()
            if both and np.mean([np.linalg.norm(corners[k] - before[k]) for k in both]) < MOVED_PX:
                return False
        self._before.append(corners)
        return True


def sheet_markers(images: list[ImageArray]) -> list[Marker]:
    """The sheet's markers, corners averaged over pictures from one place.

    Raises:
        CalibrationError: no picture shows a marker of the sheet.
    """
    detector, wanted = MarkerDetector(SHEET.dictionary), SHEET.corners()
    seen: dict[int, list[FloatArray]] = {}
    for image in images:
        for marker in detector.detect(image):
            if marker.id in wanted:
                seen.setdefault(marker.id, []).append(marker.corners)
    if not seen:
        raise CalibrationError("no marker of the sheet is in the picture: is it the one of `dofbot calibrate board`?")
    return [Marker(i, np.mean(corners, axis=0)) for i, corners in sorted(seen.items())]


def sheet_in_base() -> dict[int, FloatArray]:
    """Corners of the sheet's markers in base_link where it touches the base plate, shape (4, 3) each [m]."""
    return {i: corners + [BASE_FRONT_M, 0.0, 0.0] for i, corners in SHEET.corners().items()}
