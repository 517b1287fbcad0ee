"""Time as an argument: a steady clock, and one that a test turns by hand."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
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


class EventClock(ManualClock):
    """A hand-turned clock on which things happen at set times: each runs when time passes it, in order of time.

    Whoever waits on this clock, a reader on a virtual serial line for instance, is overtaken by what was due meanwhile:
    an emergency stop comes in the middle of a bus transaction as it would in life. An event may itself let time pass.
    """

    def __init__(self, start_s: float = 0.0) -> None:
        super().__init__(start_s)
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0

    def at(self, t_s: float, event: Callable[[], object]) -> None:
        """Call `event` when time reaches `t_s` [s], or with the next passing of time where that is past."""
        self._count += 1
        heapq.heappush(self._events, (t_s, self._count, event))

    def sleep_until(self, deadline_s: float) -> None:
        """Let time pass up to `deadline_s` [s], with everything that is due until then."""
        while self._events and self._events[0][0] <= max(deadline_s, self._now):
            due_s, _, event = heapq.heappop(self._events)
            self._now = max(self._now, due_s)
            event()
        self._now = max(self._now, deadline_s)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass [s], with everything that is due until then."""
        self.sleep_until(self._now + seconds)
