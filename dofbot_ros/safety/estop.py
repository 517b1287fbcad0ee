"""The emergency stop: a latch that any thread trips and the control loop reads, without a lock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Trip:
    """One emergency stop. Two of them are never equal, so that a reset ends only those that it has seen."""

    reason: str


class EmergencyStop:
    """Latched from trip() to reset(). Every method is a few attribute accesses, atomic in CPython: none can wait."""

    def __init__(self) -> None:
        self._trip: Trip | None = None
        self._acknowledged: Trip | None = None

    @property
    def tripped(self) -> bool:
        """Whether the stop stands."""
        return self._trip is not self._acknowledged

    @property
    def current(self) -> Trip | None:
        """The stop that stands, None where none does."""
        trip = self._trip
        return None if trip is self._acknowledged else trip

    @property
    def reason(self) -> str:
        """Why the stop stands, "" where it does not."""
        trip = self.current
        return trip.reason if trip is not None else ""

    def trip(self, reason: str) -> None:
        """Stop. The reason of a stop that stands already is kept."""
        self._trip = Trip(self.reason or reason)

    def reset(self, seen: Trip) -> None:
        """End the stop `seen`; one that was tripped after it stays."""
        self._acknowledged = seen
