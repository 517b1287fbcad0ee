"""A video of the operator and of the arm, side by side."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError

PANEL_WIDTH = 640
"""Of the operator's picture [px]; the arm's has the same height, at most 4:3."""


class SideBySide:
    """An mp4 file with one picture for each observation. Use it as a context.

    Args:
        file: to write.
        fps: pictures a second.

    Raises:
        DofbotError: OpenCV cannot write there.
    """

    def __init__(self, file: Path, fps: float) -> None:
        self._file, self._fps = file, fps
        self._writer: cv2.VideoWriter | None = None

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.release()

    def add(self, left: ImageArray, right: ImageArray) -> None:
        """Append two pictures of the same height, RGB; all must be of the size of the first ones."""
        picture = np.hstack([left, right])
        if self._writer is None:
            size = (picture.shape[1], picture.shape[0])
            self._writer = cv2.VideoWriter(str(self._file), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, size)
            if not self._writer.isOpened():
                raise DofbotError(f"{self._file}: OpenCV cannot write a video of {size[0]}x{size[1]} there")
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def fitted(image: ImageArray, width: int, height: int) -> ImageArray:
    """An image, RGB, brought to `width` x `height` [px]."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
