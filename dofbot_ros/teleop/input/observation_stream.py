"""Brings observations to whoever follows them, in a thread of its own; a lost camera is opened again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from dofbot_ros.core.types import ImageArray
from dofbot_ros.teleop.input.landmarks import CameraLandmarks, Detector, Observation
from dofbot_ros.teleop.input.latest_frame import LatestFrame
from dofbot_ros.vision.cameras.capture import retry_delays
from dofbot_ros.vision.cameras.frames import CameraError

ENDED = "the recording has come to its end"
WAITING = "not opened yet"

Take = Callable[[Observation, ImageArray | None], None]
"""Given each observation with its image, RGB (h, w, 3), where there is one."""


class ObservationStream(Protocol):
    """A running source of observations."""

    @property
    def trouble(self) -> str:
        """What is wrong with it now; "" when nothing is."""
        ...

    @property
    def frames(self) -> int:
        """How many came."""
        ...

    @property
    def dropped(self) -> int:
        """How many of them were replaced by a newer one before the detector was free."""
        ...

    def start(self, take: Take, fail: Callable[[BaseException], None]) -> None:
        """Begin; `take` gets the observations, `fail` what should not have happened."""
        ...

    def close(self) -> None:
        """End the thread and let go of everything."""
        ...


class CameraFeed:
    """What a detector finds in the newest frames.

    Args:
        open_frames: opens the camera; called again when it was lost.
        detector: closed with this.
    """

    def __init__(self, open_frames: Callable[[], LatestFrame], detector: Detector) -> None:
        self.trouble = WAITING
        self._open, self._detector = open_frames, detector
        self._earlier = (0, 0)
        self._slot: LatestFrame | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def frames(self) -> int:
        """How many came."""
        return self._earlier[0] + (self._slot.frames if self._slot else 0)

    @property
    def dropped(self) -> int:
        """How many of them were replaced by a newer one before the detector was free."""
        return self._earlier[1] + (self._slot.dropped if self._slot else 0)

    def start(self, take: Take, fail: Callable[[BaseException], None]) -> None:
        """Begin; `take` gets the observations, `fail` what should not have happened."""
        self._thread = threading.Thread(target=self._run, args=(take, fail), name="landmarks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and let go of camera and models."""
        self._stop.set()
        if (slot := self._slot) is not None:
            slot.close()
        if self._thread is not None:
            self._thread.join()
        self._detector.close()

    def _run(self, take: Take, fail: Callable[[BaseException], None]) -> None:
        delays = retry_delays()
        try:
            while not self._stop.is_set():
                try:
                    self._slot = self._open()
                    self.trouble, delays = "", retry_delays()
                    if self._follow(self._slot, take):
                        self.trouble = ENDED
                        return
                except CameraError as error:
                    self.trouble = str(error)
                    self._stop.wait(next(delays))
        except BaseException as error:
            fail(error)

    def _follow(self, slot: LatestFrame, take: Take) -> bool:
        """Observe until told to stop. Returns whether the frames came to their end."""
        source = CameraLandmarks(slot, self._detector)
        try:
            while not self._stop.is_set():
                observation = source.read()
                if observation is None:
                    return True
                take(observation, source.frame.image if source.frame else None)
            return False
        finally:
            slot.close()
            self._earlier, self._slot = (self.frames, self.dropped), None
