"""The line to an arm that may be lost and found again: its backend, what was read last, and how often it failed."""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.backend import ArmBackend, ArmReading, ArmSent, BusStats
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import BusError, PortError


class ArmLink:
    """A backend that is connected anew after a while whenever it was lost.

    An error of the bus is counted, and what was known before stays: the next cycle asks again. An error of the port is
    raised: there is nobody left to ask.

    Args:
        backend: the arm.
        reconnect_s: between two attempts to connect [s].

    Attributes:
        connected: whether it is.
        offline: why not; "" while connected.
        reading, sent: last; None before the first.
        bus_errors: since the beginning.
        last_bus_error: the newest one's words.
    """

    def __init__(self, backend: ArmBackend, reconnect_s: float) -> None:
        self.connected = False
        self.offline = "not connected yet"
        self.reading: ArmReading | None = None
        self.sent: ArmSent | None = None
        self.bus_errors = 0
        self.last_bus_error = ""
        self._backend = backend
        self._reconnect_s = reconnect_s
        self._retry_at = -np.inf

    def connect(self) -> ArmReading | None:
        """Connect if it is time to. Returns where the arm stands, or None."""
        if self._backend.clock.now() < self._retry_at:
            return None
        try:
            reading = self._backend.connect()
        except BusError as error:
            self.lose(str(error))
            return None
        self.connected, self.offline, self.reading, self.sent = True, "", reading, None
        return reading

    def lose(self, reason: str) -> None:
        """Let go of the port; connect() waits from now on."""
        self._backend.close()
        self.connected, self.offline = False, reason
        self._retry_at = self._backend.clock.now() + self._reconnect_s

    def read(self) -> ArmReading:
        """What the servos say now.

        Raises:
            BusError: nothing was heard.
        """
        self.reading = self._backend.read()
        return self.reading

    def poll(self) -> ArmReading | None:
        """What the servos say, or said last.

        Raises:
            PortError: the port is gone.
        """
        try:
            self.read()
        except PortError:
            raise
        except BusError as error:
            self._note(error)
        return self.reading

    def write(self, position: FloatArray, duration_s: float) -> None:
        """Send goals [rad] (6,), to be reached within `duration_s`.

        Raises:
            PortError: the port is gone.
        """
        try:
            self.sent = self._backend.write(position, duration_s)
        except PortError:
            raise
        except BusError as error:
            self._note(error)

    def torque(self, enabled: bool) -> None:
        """Switch the servos' torque.

        Raises:
            BusError: not every servo heard it.
        """
        self._backend.torque(enabled)

    def stats(self) -> BusStats:
        """Of the bus; empty while not connected."""
        return self._backend.stats() if self.connected else BusStats()

    def close(self) -> None:
        """Let go of the port for good."""
        self._backend.close()
        self.connected, self.offline = False, "shut down"

    def _note(self, error: BusError) -> None:
        self.bus_errors += 1
        self.last_bus_error = str(error)
