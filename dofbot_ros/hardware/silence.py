"""Which servos leave questions unanswered, for how long, and when to ask them again."""

from __future__ import annotations

import math

import numpy as np

from dofbot_ros.core.types import FloatArray

UNANSWERED = 3
"""Questions in a row without an answer, of one servo or of the whole bus, before it counts as silent: one may be lost,
and one runs out of time where the computer itself was late."""
SLOW_UNANSWERED, SLOW_S = 2, 0.2
"""Where a board takes long to answer, so many questions in a row over so long a time [s] will do."""
ASK_AGAIN_S = 0.06
"""Pause before a silent servo is asked again, so that its time-outs do not slow the others [s]."""
LONG_S = 0.3
LONG_ASK_AGAIN_S = 0.2
"""A servo that has been silent for LONG_S is asked this seldom [s]."""


class Silence:
    """Counts unanswered questions of `n` servos; the time of silence runs from the first of them."""

    def __init__(self, n: int) -> None:
        # Plain lists: six numbers, one at a time, several times a control cycle.
        self._count = [0] * n
        self._since_s = [math.inf] * n
        self._last_s = [-math.inf] * n
        self._in_a_row = 0
        self._row_s = math.inf

    def answered(self, i: int) -> None:
        """Servo `i` has answered."""
        self._count[i], self._since_s[i], self._in_a_row = 0, math.inf, 0

    def unanswered(self, i: int, asked_s: float) -> None:
        """Servo `i` has not answered the question of `asked_s` [s]."""
        self._count[i] += 1
        self._since_s[i] = min(self._since_s[i], asked_s)
        self._last_s[i] = asked_s
        self._row_s = asked_s if self._in_a_row == 0 else self._row_s
        self._in_a_row += 1

    def worth_asking(self, i: int, now: float) -> bool:
        """Whether servo `i` answers, or its pause is over."""
        if self._count[i] == 0:
            return True
        return now - self._last_s[i] >= (LONG_ASK_AGAIN_S if now - self._since_s[i] > LONG_S else ASK_AGAIN_S)

    def ask_all(self) -> None:
        """Let every servo be worth asking now; one that does not answer stays silent."""
        self._last_s = [-math.inf] * len(self._last_s)

    def long(self, i: int) -> bool:
        """Whether servo `i` counts as silent: it is not asked twice in a cycle any more."""
        return self._count[i] >= UNANSWERED

    def lengths_s(self, now: float) -> FloatArray:
        """How long each servo has been silent [s] (n,); 0 where it answers or where that is too early to tell."""
        if not any(self._count):
            return np.zeros(len(self._count))
        dead = self._in_a_row >= UNANSWERED or (self._in_a_row >= SLOW_UNANSWERED and now - self._row_s >= SLOW_S)
        least = 1 if dead else UNANSWERED
        return np.array([now - t if n >= least else 0.0 for n, t in zip(self._count, self._since_s, strict=True)])
