"""A frame with its age, what a source of frames does, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError


@dataclass(frozen=True, eq=False)
class Frame:
    """An image and when it was taken.

    Attributes:
        image: RGB, shape (height, width, 3).
        stamp_s: on the clock that was given to the source [s].
    """

    image: ImageArray
    stamp_s: float

    def age_s(self, now_s: float) -> float:
        """Age at `now_s` on the same clock [s]."""
        return now_s - self.stamp_s


class FrameSource(Protocol):
    """Delivers frames one by one. Read it as fast as it delivers: what waits unread in a buffer grows old unnoticed."""

    def read(self) -> Frame | None:
        """Wait for the next frame. None: a file or folder that is not looped has come to its end.

        Raises:
            CameraLostError: the camera is gone; close this source and open a new one.
        """
        ...

    def close(self) -> None:
        """Let go of the device, file or connection; closing twice does nothing."""
        ...


class CameraError(DofbotError):
    """A camera, or what stands in for one, cannot be used."""


class CameraLostError(CameraError):
    """A camera that worked and does no more; opening it again may help."""
