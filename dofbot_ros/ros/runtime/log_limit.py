"""Keeps a log readable: the same thing is said again only after a while, whatever else is said between."""

from __future__ import annotations

import time
from collections import OrderedDict

REMEMBERED = 64
"""Different texts that are told apart; beyond that the oldest is forgotten."""


class LogLimit:
    """Tells which texts to log. Numbers in a text (an age, a position) do not make it another one.

    Args:
        repeat_s: the same text again after so long [s].
    """

    def __init__(self, repeat_s: float) -> None:
        self._repeat_s = repeat_s
        self._said: OrderedDict[str, float] = OrderedDict()

    def permits(self, text: str) -> bool:
        """Whether to log `text` now; it then counts as logged."""
        words, now = "".join(c for c in text if not c.isdigit()), time.monotonic()
        if now - self._said.get(words, -float("inf")) < self._repeat_s:
            return False
        self._said[words] = now
        self._said.move_to_end(words)
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return True
