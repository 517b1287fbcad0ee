"""A video of the operator and of the arm, side by side."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.vision.film import Film

PANEL_WIDTH = 640
"""Of the operator's picture [px]; the arm's has the same height, at most 4:3."""


class SideBySide:
    """An mp4 file with one picture for each observation. Use it as a context.

    Args:
        file: to write.
        fps: pictures a second.

    Raises:
        DependencyError: PyAV is not installed.
        DofbotError: there can be no such file.
    """

    def __init__(self, file: Path, fps: float) -> None:
        self._film = Film(file, fps)

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._film.__exit__(kind, error, trace)

    def add(self, left: ImageArray, right: ImageArray) -> None:
        """Append two pictures of the same height, RGB; all must be of the size of the first ones."""
        self._film.add(np.hstack([left, right]))


def fitted(image: ImageArray, width: int, height: int) -> ImageArray:
    """An image, RGB, brought to `width` x `height` [px]."""
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
