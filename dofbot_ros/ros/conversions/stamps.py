"""Between the arm's steady clock and the stamps of messages."""

from __future__ import annotations

import time

from builtin_interfaces.msg import Time

from dofbot_ros.core.clock import Clock
from dofbot_ros.ros.conversions.messages import from_time, to_time


class Stamps:
    """Converts through ages: the wall clock may be set while the node runs, the steady clock may not.

    Args:
        clock: the arm's clock.
        simulated: stamps are readings of `clock` itself, as published on /clock; otherwise wall time.
    """

    def __init__(self, clock: Clock, simulated: bool = False) -> None:
        self._clock = clock
        self.simulated = simulated

    def to_ros(self, stamp_s: float) -> Time:
        """The stamp of a moment on the arm's clock [s]."""
        return to_time(self._ros_now() - (self._clock.now() - stamp_s))

    def to_arm(self, stamp: Time) -> float:
        """The moment on the arm's clock [s]; a zero stamp means now, as in a message filled in by hand."""
        if stamp.sec == 0 and stamp.nanosec == 0:
            return self._clock.now()
        return self._clock.now() - (self._ros_now() - from_time(stamp))

    def _ros_now(self) -> float:
        return self._clock.now() if self.simulated else time.time()
