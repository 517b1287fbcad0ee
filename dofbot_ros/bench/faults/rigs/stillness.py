"""How long this process could not run: what emulated servos did meanwhile says nothing about the driver."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from dofbot_ros.core.realtime import realtime

MOST_PAUSE_S = 0.02
"""For so long emulated servos may stand still in a case that is judged by them [s]."""
PERIOD_S = 0.002


class Stillness:
    """Watches, while it is entered, for how long this process stood still at most.

    A thread that asks for real-time priority sleeps and looks how late it wakes: a machine that is too busy, or stands
    still itself as a virtual one does, keeps it from that as it keeps the emulated servos.

    Attributes:
        longest_s: [s].
    """

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stillness", daemon=True)

    def __enter__(self) -> Stillness:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def too_long(self) -> str:
        """Why what was judged meanwhile is not to be believed; "" where it is."""
        if self.longest_s <= MOST_PAUSE_S:
            return ""
        return f"this machine kept the emulated servos from running for {1e3 * self.longest_s:.0f} ms"

    def _watch(self) -> None:
        with realtime():
            before_s = time.monotonic()
            while not self._ended.wait(PERIOD_S):
                now_s = time.monotonic()
                self.longest_s = max(self.longest_s, now_s - before_s - PERIOD_S)
                before_s = now_s
