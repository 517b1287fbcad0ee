"""How long ago something was last heard of, on the steady clock."""

from __future__ import annotations

import math

from dofbot_ros.core.clock import Clock


class Watchdog:
    """Expires when it has not been fed for `timeout_s`.

    Args:
        clock: a steady clock; the date may be set back, this must not notice.
        timeout_s: [s].
    """

    def __init__(self, clock: Clock, timeout_s: float) -> None:
        self._clock = clock
        self.timeout_s = timeout_s
        self._fed = -math.inf

    def feed(self, stamp_s: float | None = None) -> None:
        """Heard of it now, or at `stamp_s` on the same clock."""
        self._fed = max(self._fed, self._clock.now() if stamp_s is None else stamp_s)

    @property
    def age_s(self) -> float:
        """Time since it was fed; infinite when it never was [s]."""
        return self._clock.now() - self._fed

    @property
    def expired(self) -> bool:
        """Whether it is too long ago."""
        return self.age_s > self.timeout_s
