"""Unix time that nobody can set while it is used: stamps of a recording go on evenly whatever the system clock does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

STEP_S = 0.25
"""A system clock that moves by so much more or less than the steady one was set, not slewed [s]."""
SLEW = 1e-3
"""Fastest that time services slew a clock [s/s]; Linux allows them 5e-4."""


@dataclass(frozen=True)
class ClockStep:
    """The system clock was set.

    Attributes:
        at_s: when, on the steady Unix time [s].
        step_s: by how much; positive is forward [s].
    """

    at_s: float
    step_s: float

    def __str__(self) -> str:
        return f"the system clock was set {abs(self.step_s):.1f} s {'forward' if self.step_s > 0 else 'back'}"


class SteadyUnixTime:
    """Takes the Unix time once and counts on from there by the steady clock.

    Args:
        unix_ns: the system clock [ns].
        steady_ns: a clock that nobody sets [ns].
    """

    def __init__(
        self, unix_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._unix_ns, self._steady_ns = unix_ns, steady_ns
        self._begun_ns = steady_ns()
        self._offset_ns = unix_ns() - self._begun_ns
        self._apart_ns, self._looked_ns = 0, self._begun_ns

    def now_ns(self) -> int:
        """Unix time as it was when this was made, and the time that has passed since [ns]."""
        return self._offset_ns + self._steady_ns()

    def step(self) -> ClockStep | None:
        """Whether the system clock was set since the last call; small drifts between calls are followed."""
        now_ns = self._steady_ns()
        apart_ns = self._unix_ns() - now_ns - self._offset_ns
        moved_s, passed_s = 1e-9 * (apart_ns - self._apart_ns), 1e-9 * (now_ns - self._looked_ns)
        self._apart_ns, self._looked_ns = apart_ns, now_ns
        if abs(moved_s) <= STEP_S + SLEW * passed_s:
            return None
        return ClockStep(1e-9 * (now_ns + self._offset_ns), moved_s)
