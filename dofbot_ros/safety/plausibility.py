"""Readings that no servo can have made: not believed until they have repeated themselves."""

from __future__ import annotations

import numpy as np

from dofbot_ros.core.types import N_JOINTS, BoolArray, FloatArray

DOUBT_WINDOW_S = 0.06
"""Time that a doubted joint is granted to have moved in since it was last believed [s]."""


class PlausibilityFilter:
    """Holds back a reading that is farther from the one before than a servo can turn meanwhile.

    Such a reading is believed when `confirmations` readings in a row agree with one another.

    Args:
        max_speed: fastest that a joint moves, by its servo or by hand [rad/s].
        margin: for ticks, play and the time between the servo's answer and its stamp [rad].
        confirmations: consecutive readings that agree before a jump is believed.
    """

    def __init__(self, max_speed: float = 8.0, margin: float = 0.08, confirmations: int = 3) -> None:
        self._max_speed, self._margin, self._confirmations = max_speed, margin, confirmations
        self._believed = np.zeros(N_JOINTS)
        self._candidate = np.zeros(N_JOINTS)
        self._stamp_s = np.full(N_JOINTS, -np.inf)
        self._candidate_s = np.full(N_JOINTS, -np.inf)
        self._agreeing = np.zeros(N_JOINTS, dtype=np.int64)

    def start(self, position: FloatArray, stamps_s: FloatArray) -> None:
        """Believe `position` [rad] (6,), read at `stamps_s` [s] (6,)."""
        self._believed, self._stamp_s = position.copy(), stamps_s.copy()
        self._agreeing[:] = 0

    def filter(
        self, position: FloatArray, stamps_s: FloatArray, fresh: BoolArray
    ) -> tuple[FloatArray, FloatArray, BoolArray]:
        """The positions to go by [rad] (6,), when they were read [s] (6,), and which are new and believable (6,).

        Args:
            position: as read [rad] (6,).
            stamps_s: when each joint was read [s] (6,).
            fresh: which joints were read this time (6,).
        """
        # Once a sensor is in doubt, time passing makes its wild readings no more believable.
        doubted = self.doubted
        since_s = self._stamp_s
        if doubted.any():
            since_s = np.where(doubted, np.maximum(self._stamp_s, stamps_s - DOUBT_WINDOW_S), self._stamp_s)
        near = self._near(position, stamps_s, self._believed, since_s)
        if near.all() and not doubted.any():
            # As nearly always: what is new is believed, and what follows would say the same.
            self._believed = np.where(fresh, position, self._believed)
            self._stamp_s = np.where(fresh, stamps_s, self._stamp_s)
            return self._believed.copy(), self._stamp_s.copy(), fresh.copy()
        agrees = self._near(position, stamps_s, self._candidate, self._candidate_s)
        jump = fresh & ~near
        self._agreeing = np.where(fresh, np.where(jump, np.where(agrees, self._agreeing + 1, 1), 0), self._agreeing)
        believed = fresh & (near | (self._agreeing >= self._confirmations))
        self._candidate = np.where(jump, position, self._candidate)
        self._candidate_s = np.where(jump, stamps_s, self._candidate_s)
        self._believed = np.where(believed, position, self._believed)
        self._stamp_s = np.where(believed, stamps_s, self._stamp_s)
        self._agreeing[believed] = 0
        return self._believed.copy(), self._stamp_s.copy(), believed

    @property
    def doubted(self) -> BoolArray:
        """Joints whose last reading is not believed yet, shape (6,)."""
        return self._agreeing > 0

    def _near(self, a: FloatArray, a_s: FloatArray, b: FloatArray, b_s: FloatArray) -> BoolArray:
        age_s = np.minimum(np.maximum(a_s - b_s, 0.0), 1.0)
        near: BoolArray = np.abs(a - b) <= self._margin + self._max_speed * age_s
        return near
