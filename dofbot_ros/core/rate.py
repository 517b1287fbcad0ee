"""A loop with deadlines that measures how late it was."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from dofbot_ros.core.clock import Clock
from dofbot_ros.core.types import FloatArray

YIELD_S = 0.001
"""A loop that is late sleeps at least this long, so that other threads get their turn [s]."""
SPACING = 0.9
"""Wake-ups are at least this share of a period apart: what is limited per period is then limited per second, too."""


class Rate:
    """Wakes at start + k * period. A missed deadline is skipped, never made up for by a burst.

    Args:
        clock: the clock to sleep on.
        hz: wake-ups per second [1/s].
        keep: how many latenesses to remember.
    """

    def __init__(self, clock: Clock, hz: float, keep: int = 5000) -> None:
        if not hz > 0:
            raise ValueError(f"a rate must be positive, got {hz}")
        self._clock = clock
        self.period_s = 1.0 / hz
        self._next = clock.now() + self.period_s
        self._lateness: deque[float] = deque(maxlen=keep)
        self.missed = 0

    def wait(self, news: threading.Event | None = None) -> float:
        """Sleep to the next deadline, and always for a moment.

        Args:
            news: ends the sleep when it is set, and is cleared: the period is begun early, and the next one in its
                time. For loops on the machine's steady clock.

        Returns:
            How late the wake-up was [s]; negative where news came before the deadline.
        """
        deadline_s = max(self._next, self._clock.now() + YIELD_S)
        if news is not None and news.wait(deadline_s - self._clock.now()):
            news.clear()
        else:
            self._clock.sleep_until(deadline_s)
        now = self._clock.now()
        early = min(0.0, now - self._next)
        late = max(0.0, now - self._next)
        self._lateness.append(late)
        skipped = int(late / self.period_s)
        self.missed += skipped
        self._next = max(self._next + (skipped + 1) * self.period_s, now + SPACING * self.period_s)
        return late + early

    def lateness_s(self) -> FloatArray:
        """The remembered latenesses [s], oldest first, shape (n,)."""
        return np.fromiter(self._lateness, dtype=np.float64)
