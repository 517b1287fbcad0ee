"""A recording of landmarks, played as a camera would bring it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from dofbot_ros.core.clock import Clock
from dofbot_ros.teleop.input.landmarks import Observation
from dofbot_ros.teleop.input.observation_stream import ENDED, WAITING, Take
from dofbot_ros.teleop.input.recording import RecordedLandmarks


class RecordedFeed:
    """A landmark recording, played on a clock as if it were seen now.

    Args:
        observations: in the order of their stamps.
        clock: paces them; their stamps are moved to it.
        loop: begin again at the end.
    """

    dropped = 0

    def __init__(self, observations: Sequence[Observation], clock: Clock, loop: bool = False) -> None:
        self.trouble = WAITING
        self.frames = 0
        self._observations, self._clock, self._loop = observations, clock, loop
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, take: Take, fail: Callable[[BaseException], None]) -> None:
        """Begin; `take` gets the observations, `fail` what should not have happened."""
        self._thread = threading.Thread(target=self._run, args=(take, fail), name="landmarks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, take: Take, fail: Callable[[BaseException], None]) -> None:
        try:
            self.trouble = ""
            stamps_s = [o.stamp_s for o in self._observations]
            shift_s = self._clock.now() - stamps_s[0] if stamps_s else 0.0
            while self._play(RecordedLandmarks(self._observations, shift_s), take):
                if not self._loop or len(stamps_s) < 2:
                    self.trouble = ENDED
                    return
                # From the last one to the first one again is a mean step.
                shift_s += (stamps_s[-1] - stamps_s[0]) * len(stamps_s) / (len(stamps_s) - 1)
        except BaseException as error:
            fail(error)

    def _play(self, source: RecordedLandmarks, take: Take) -> bool:
        """Give each in its time. Returns whether they came to their end."""
        while not self._stop.is_set():
            observation = source.read()
            if observation is None:
                return True
            self._clock.sleep_until(observation.stamp_s)
            self.frames += 1
            take(observation, None)
        return False
