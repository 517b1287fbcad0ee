"""How long the machine itself stands still: a thread that wants to wake every 10 ms, and sees when it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PERIOD_S = 0.01


class Stalls:
    """What was seen so far.

    Attributes:
        worst_s: longest that the thread woke late [s].
    """

    def __init__(self) -> None:
        self.worst_s = 0.0


@contextmanager
def stalls() -> Iterator[Stalls]:
    """Watch the machine for as long as the context lasts."""
    seen, done = Stalls(), threading.Event()

    def look() -> None:
        before = time.monotonic()
        while not done.wait(PERIOD_S):
            now = time.monotonic()
            seen.worst_s, before = max(seen.worst_s, now - before - PERIOD_S), now

    thread = threading.Thread(target=look, name="stalls", daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
