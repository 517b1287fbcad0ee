"""The connection to an arm that may be lost and found again: its backend, the last reading, and what failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dofbot_ros.arm.backend import ArmBackend, ArmReading, ArmSent, BusStats, never
from dofbot_ros.core.types import N_JOINTS, FloatArray
from dofbot_ros.errors import BusError, PortError
from dofbot_ros.safety.plausibility import PlausibilityFilter


class Connection:
    """A backend that is connected again after a while whenever it was lost.

    An error of the bus is counted, and what was known before stays: the next cycle asks again. An error of the port is
    raised: there is nobody left to ask. Readings pass a plausibility filter; a joint without a believable one counts as
    silent.

    Args:
        backend: the arm.
        reconnect_s: between two attempts to connect [s].

    Attributes:
        connected: whether the port is open and the servos have answered.
        offline: why not; "" while connected.
        reading: the last one, None before the first.
        sent: what went out last, None before the first.
        bus_errors: reads and writes that failed since the beginning.
        last_bus_error: message of the newest of them.
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
        self._plausible = PlausibilityFilter()
        self._doubted_since_s = np.full(N_JOINTS, np.inf)

    def connect(self) -> ArmReading | None:
        """Connect if it is time to. Returns where the arm stands, or None."""
        if self._backend.clock.now() < self._retry_at:
            return None
        try:
            reading = self._backend.connect()
        except BusError as error:
            self.lose(str(error))
            return None
        self._believe(reading)
        self.connected, self.offline, self.reading, self.sent = True, "", reading, None
        return reading

    def lose(self, reason: str) -> None:
        """Let go of the port; connect() waits from now on."""
        self._backend.close()
        self.connected, self.offline = False, reason
        self._retry_at = self._backend.clock.now() + self._reconnect_s

    def poll(self, until_s: float = np.inf, urgent: Callable[[], bool] = never) -> ArmReading | None:
        """What the servos say, or said last.

        Args:
            until_s: nothing more is asked after this time [s].
            urgent: nothing more is asked once this is true.

        Raises:
            PortError: the port is gone.
        """
        try:
            self.reading = self._filtered(self._backend.read(until_s, urgent))
        except PortError:
            raise
        except BusError as error:
            self._note(error)
        return self.reading

    def write(self, position: FloatArray, duration_s: float, urgent: bool = False) -> None:
        """Send goals [rad] (6,), to be reached within `duration_s`; see ArmBackend.write.

        Raises:
            PortError: the port is gone.
        """
        try:
            self.sent = self._backend.write(position, duration_s, urgent)
        except PortError:
            raise
        except BusError as error:
            self._note(error)

    def underway(self) -> FloatArray:
        """Where the joints should be by now [rad] (6,)."""
        return self._backend.underway()

    def torque(self, enabled: bool) -> ArmReading:
        """Switch the servos' torque. Returns where the arm stands.

        Raises:
            BusError: not every servo says where it is, or switches.
        """
        self._backend.torque(enabled)
        self.reading = self._backend.read()
        self._believe(self.reading)
        return self.reading

    def limit_speed(self, max_velocity: float) -> None:
        """The joint velocity limit is `max_velocity` [rad/s] from now on."""
        self._backend.limit_speed(max_velocity)

    def stats(self) -> BusStats:
        """Counters of the bus; empty while not connected."""
        return self._backend.stats() if self.connected else BusStats()

    def close(self) -> None:
        """Let go of the port for good."""
        self._backend.close()
        self.connected, self.offline = False, "shut down"

    def _believe(self, reading: ArmReading) -> None:
        self._plausible.start(reading.position, reading.stamps_s)
        self._doubted_since_s[:] = np.inf

    def _filtered(self, reading: ArmReading) -> ArmReading:
        position, stamps_s, fresh = self._plausible.filter(reading.position, reading.stamps_s, reading.fresh)
        doubted = self._plausible.doubted
        if not doubted.any():
            self._doubted_since_s[:] = np.inf
            return replace(reading, position=position, stamps_s=stamps_s, fresh=fresh)
        self._doubted_since_s = np.where(doubted, np.minimum(self._doubted_since_s, reading.stamp_s), np.inf)
        doubted_s = np.where(doubted, reading.stamp_s - self._doubted_since_s, 0.0)
        return replace(
            reading,
            position=position,
            stamps_s=stamps_s,
            fresh=fresh,
            silent_s=np.maximum(reading.silent_s, doubted_s),
        )

    def _note(self, error: BusError) -> None:
        self.bus_errors += 1
        self.last_bus_error = str(error)
