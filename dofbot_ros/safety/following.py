"""How far each joint is from where it was told to be, allowing for the time in which a servo follows."""

from __future__ import annotations

from collections import deque

import numpy as np

from dofbot_ros.core.types import N_JOINTS, FloatArray


class FollowingError:
    """Remembers what was commanded lately and compares it with what was measured.

    A servo follows its goals late: by the interval between goals, the time of a move, and the age of the reading. So a
    measured position is compared with everything that was commanded within `follow_s` before it was read; the error is
    its distance from that band.

    Args:
        follow_s: in which a healthy servo follows [s].
    """

    def __init__(self, follow_s: float = 0.2) -> None:
        self._follow_s = follow_s
        self._history: deque[tuple[float, FloatArray]] = deque()

    def reset(self, now_s: float, position: FloatArray) -> None:
        """The arm rests at `position` [rad] (6,) by command at `now_s` [s]."""
        self._history.clear()
        self._history.append((now_s, position.copy()))

    def note(self, now_s: float, position: FloatArray) -> None:
        """`position` [rad] (6,) was commanded at `now_s` [s]."""
        self._history.append((now_s, position.copy()))
        # One entry older than any reading's window stays: it held when the window began.
        while len(self._history) > 2 and self._history[1][0] < now_s - 1.0:
            self._history.popleft()

    def __call__(self, measured: FloatArray, stamps_s: FloatArray) -> FloatArray:
        """Commanded minus measured, beyond what following late explains [rad] (6,); 0 within the band.

        Args:
            measured: [rad] (6,).
            stamps_s: when each joint was read [s] (6,).
        """
        if not self._history:
            return np.zeros(N_JOINTS)
        oldest_s = stamps_s.min() - self._follow_s
        recent = []
        for entry in reversed(self._history):
            recent.append(entry)
            if entry[0] <= oldest_s:
                break  # this one held when the oldest window began
        times = np.array([entry[0] for entry in reversed(recent)])
        commanded = np.array([entry[1] for entry in reversed(recent)])
        begin = np.maximum(np.searchsorted(times, stamps_s - self._follow_s, side="right") - 1, 0)
        end = np.maximum(np.searchsorted(times, stamps_s, side="right"), begin + 1)
        index = np.arange(len(times))[:, None]
        window = (index >= begin) & (index < end)
        low = np.where(window, commanded, np.inf).min(axis=0)
        high = np.where(window, commanded, -np.inf).max(axis=0)
        error: FloatArray = np.maximum(low - measured, 0.0) - np.maximum(measured - high, 0.0)
        return error
