"""Where servos should be by now, from the goals that were sent to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import BoolArray, FloatArray

Ticks = NDArray[np.int64]


class MoveEstimate:
    """A servo moves evenly from where it is to its goal in the move time: one straight piece for each.

    Args:
        present: where the servos are [ticks] (n,).
    """

    def __init__(self, present: Ticks) -> None:
        self._start = self._goal = present.astype(np.float64)
        self._begin_s = self._end_s = np.zeros(len(present))

    def sent(self, goals: Ticks, changed: BoolArray, time_s: FloatArray | float, now: float) -> None:
        """`goals` [ticks] went out to the servos in `changed` at `now`, to be reached after `time_s` [s] (n,)."""
        self._start = np.where(changed, self.at(now), self._start)
        self._goal = np.where(changed, goals, self._goal)
        self._begin_s = np.where(changed, now, self._begin_s)
        self._end_s = np.where(changed, now + time_s, self._end_s)

    def at(self, now: float) -> FloatArray:
        """Where the servos should be at `now` [ticks] (n,)."""
        span_s = np.maximum(self._end_s - self._begin_s, 1e-9)
        share = np.clip((now - self._begin_s) / span_s, 0.0, 1.0)
        place: FloatArray = self._start + share * (self._goal - self._start)
        return place

    def arrived(self, now: float) -> BoolArray:
        """Which servos should have come to rest by `now` (n,)."""
        over: BoolArray = np.asarray(now >= self._end_s, dtype=np.bool_)
        return over
