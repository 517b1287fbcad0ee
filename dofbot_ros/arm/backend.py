"""What an arm is to the rest of the program: serial, emulated and simulated arms all look like this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from dofbot_ros.core.clock import Clock
from dofbot_ros.core.types import BoolArray, FloatArray


@dataclass(frozen=True)
class ServoHealth:
    """What one servo says of itself."""

    voltage_fault: bool = False
    overheated: bool = False
    overloaded: bool = False
    temperature_c: float | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the faults that stand."""
        named = {"voltage": self.voltage_fault, "temperature": self.overheated, "overload": self.overloaded}
        return tuple(name for name, stands in named.items() if stands)


@dataclass(frozen=True)
class ArmReading:
    """Joint positions with their age.

    Attributes:
        stamp_s: when the read was complete, on the backend's clock [s].
        position: [rad] shape (6,); a joint that was not read keeps its last value.
        stamps_s: when each joint was really read [s], shape (6,).
        fresh: which joints were read this time, shape (6,).
        health: one a servo.
    """

    stamp_s: float
    position: FloatArray
    stamps_s: FloatArray
    fresh: BoolArray
    health: tuple[ServoHealth, ...]


@dataclass(frozen=True)
class ArmSent:
    """What really went out.

    Attributes:
        stamp_s: when it had been sent [s].
        position: [rad] shape (6,), the last goal of every servo, in whole ticks.
        written: which servos were sent a new goal, shape (6,).
    """

    stamp_s: float
    position: FloatArray
    written: BoolArray


@dataclass(frozen=True)
class BusStats:
    """Counters since connect()."""

    frames_sent: int = 0
    replies: int = 0
    retries: int = 0
    lost: int = 0
    """Reads or writes given up after the bounded retries."""
    detail: dict[str, float] = field(default_factory=dict)


class ArmBackend(Protocol):
    """One arm. Not thread-safe: the daemon's loop owns it.

    A backend moves only on write(); connect() never moves it. Every method but close() may raise BusError:
    PortError means the port is gone (close, then connect again), anything else is worth another try.
    """

    name: str
    clock: Clock

    def connect(self) -> ArmReading:
        """Open, find all six servos and read where they are. Torque is left as it is found.

        Raises:
            PortError: no such port, no permission, in use.
            NoReplyError: no servo answers, or some do not.
        """
        ...

    def read(self) -> ArmReading:
        """Read all six positions; a servo that does not answer is not fresh."""
        ...

    def write(self, position: FloatArray, duration_s: float) -> ArmSent:
        """Ask for `position` [rad] (6,), to be reached after `duration_s` [s]. Limits are the caller's business."""
        ...

    def torque(self, enabled: bool) -> None:
        """Hold the present pose with torque, or let go."""
        ...

    def stats(self) -> BusStats:
        """Counters since connect()."""
        ...

    def close(self) -> None:
        """Let go of the port; the servos keep their last goal. May be called twice."""
        ...
