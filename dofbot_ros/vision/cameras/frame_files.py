"""Video files, played at their own rate or another on the clock that is given; single image files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from dofbot_ros.core.clock import Clock
from dofbot_ros.core.types import ImageArray
from dofbot_ros.vision.cameras.frames import CameraError, Frame
from dofbot_ros.vision.cameras.pictures import MAX_PIXELS, PictureError, decode_picture

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
MAX_FILE = 256 * 2**20
"""Longest image file that is read: MAX_PIXELS without compression, and then some [bytes]."""


class Pace:
    """Lets frames go out at start + k / hz; after a late one the count starts anew, so that none come in a burst."""

    def __init__(self, clock: Clock, hz: float) -> None:
        self._clock = clock
        self._period_s = 1.0 / hz
        self._next = clock.now()

    def wait(self) -> float:
        """Wait for the next frame's time. Returns it [s]."""
        self._clock.sleep_until(self._next)
        now = self._clock.now()
        late = now - self._next > self._period_s
        self._next = (now if late else self._next) + self._period_s
        return now


class VideoFile:
    """A video file.

    Args:
        path: any container that OpenCV's FFmpeg reads.
        clock: paces the frames and stamps them.
        framerate: frames a second; 0: the file's own; inf: as fast as they are read.
        loop: begin again at the end.

    Raises:
        CameraError: no such file, or no video in it.
    """

    def __init__(self, path: str | Path, clock: Clock, framerate: float = 0.0, loop: bool = False) -> None:
        if not Path(path).is_file():
            raise CameraError(f"{path}: no such video file")
        self._path, self._loop = str(path), loop
        self._capture = cv2.VideoCapture(self._path, cv2.CAP_FFMPEG)
        own = self._capture.get(cv2.CAP_PROP_FPS)
        if not self._capture.isOpened() or not own > 0:
            raise CameraError(f"{path}: is no video that OpenCV can read")
        width, height = (self._capture.get(p) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if not 0 < width * height <= MAX_PIXELS:
            raise CameraError(f"{path}: has frames of {width:g}x{height:g} pixels, at most {MAX_PIXELS}")
        self._pace = Pace(clock, framerate or own)

    def read(self) -> Frame | None:
        """The next frame, when its time has come; None at the end."""
        ok, bgr = self._capture.read()
        if not ok and self._loop:
            # Opened anew instead of set back: not every container can seek to its first frame.
            self._capture.release()
            self._capture.open(self._path, cv2.CAP_FFMPEG)
            ok, bgr = self._capture.read()
        return Frame(rgb_of(bgr), self._pace.wait()) if ok else None

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


def read_image(path: str | Path) -> ImageArray:
    """An image file as RGB, shape (height, width, 3).

    Raises:
        CameraError: it cannot be read, is no image, or is too large a one.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise CameraError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE:
        raise CameraError(f"{path}: is longer than {MAX_FILE // 2**20} MB: an image is expected")
    try:
        return decode_picture(data)
    except PictureError as error:
        raise CameraError(f"{path}: {error}") from error


def rgb_of(bgr: cv2.typing.MatLike) -> ImageArray:
    """OpenCV's BGR as RGB."""
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
