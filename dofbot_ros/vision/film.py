"""Videos as MP4 files in H.264, which browsers play."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError, optional_packages


class Film:
    """A video that is being written. Use it as a context: its end makes the file whole.

    Args:
        file: to write.
        fps: pictures a second.
        standing_alone: of so many pictures one is coded by itself; fewer make a smaller file, more are found faster.

    Raises:
        DependencyError: PyAV is not installed.
        DofbotError: there can be no such file.
    """

    def __init__(self, file: Path, fps: float, standing_alone: int = 60) -> None:
        with optional_packages("teleop", "a video"):
            import av
        try:
            file.touch()  # av opens it with the first picture
        except OSError as error:
            raise DofbotError(f"{file}: no video can be written there: {error.strerror}") from error
        self._container: Any = av.open(str(file), "w")
        self._stream: Any = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        self._stream.pix_fmt, self._stream.options = "yuv420p", {"g": str(standing_alone), "crf": "23"}
        self._size: tuple[int, int] | None = None
        self._make = av.VideoFrame.from_ndarray

    def __enter__(self) -> Film:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._size is not None:
            self._container.mux(self._stream.encode())
        self._container.close()

    def add(self, picture: ImageArray) -> None:
        """Append a picture, RGB (height, width, 3); all are of one size.

        An odd row or column at the end is left out: colours are coded for two by two pixels.
        """
        height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
        if self._size is None:
            self._size = (height, width)
            self._stream.height, self._stream.width = self._size
        elif self._size != (height, width):
            raise DofbotError(f"a picture of {width}x{height} in a video of {self._size[1]}x{self._size[0]}")
        even = np.ascontiguousarray(picture[:height, :width])
        self._container.mux(self._stream.encode(self._make(even, "rgb24")))
