"""Time as an argument: a steady clock, and one that a test turns by hand."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A steady clock: never set back, unrelated to the date. The simulated arm brings its own."""

    def now(self) -> float:
        """Seconds since an arbitrary start [s]."""
        ...

    def sleep_until(self, deadline_s: float) -> None:
        """Return when `now()` has reached `deadline_s`; at once when it has passed."""
        ...


class MonotonicClock:
    """The machine's steady clock."""

    def now(self) -> float:
        """Seconds since an arbitrary start [s]."""
        return time.monotonic()

    def sleep_until(self, deadline_s: float) -> None:
        """Sleep until `deadline_s`; signals do not shorten it."""
        while (left := deadline_s - time.monotonic()) > 0:
            time.sleep(left)


class ManualClock:
    """A clock for tests: time passes only when someone sleeps or says so."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now = start_s

    def now(self) -> float:
        """The time it was last turned to [s]."""
        return self._now

    def sleep_until(self, deadline_s: float) -> None:
        """Jump to `deadline_s`."""
        self._now = max(self._now, deadline_s)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass [s]."""
        self._now += seconds
