"""What an arm is to the rest of the program: serial, emulated and simulated arms all look like this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from dofbot_ros.core.clock import Clock
from dofbot_ros.core.types import N_JOINTS, BoolArray, FloatArray


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
        silent_s: for how long each servo has left questions unanswered [s], shape (6,); 0 for one that answers, or that
            has not been asked often enough to tell.
        torque: whether each servo says that its torque is on; None where it has not been asked or cannot tell.
        pressing: whether each servo presses hard on something, by the current it draws; None where that is not known.
        heard: whether each servo says that it has the goal that was sent to it last; None where it was not asked since,
            or cannot tell. One that has it and rests beside it bears a load; one that has not missed a frame.
    """

    stamp_s: float
    position: FloatArray
    stamps_s: FloatArray
    fresh: BoolArray
    health: tuple[ServoHealth, ...]
    silent_s: FloatArray = field(default_factory=lambda: np.zeros(N_JOINTS))
    torque: tuple[bool | None, ...] = (None,) * N_JOINTS
    pressing: tuple[bool | None, ...] = (None,) * N_JOINTS
    heard: tuple[bool | None, ...] = (None,) * N_JOINTS


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


def never() -> bool:
    """Nothing is urgent."""
    return False


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

    def read(self, until_s: float = np.inf, urgent: Callable[[], bool] = never) -> ArmReading:
        """Read the positions; a servo that does not answer, or was not asked any more, is not fresh.

        Args:
            until_s: nothing more is asked after this time on the backend's clock [s].
            urgent: nothing more is asked once this is true; looked at before every question.
        """
        ...

    def write(self, position: FloatArray, duration_s: float, urgent: bool = False) -> ArmSent:
        """Ask for `position` [rad] (6,), to be reached after `duration_s` [s]. Limits are the caller's business.

        Args:
            position: a goal for every joint [rad] (6,); one for a servo that is silent is not sent.
            duration_s: [s].
            urgent: send it now, whatever the rate at which goals go out.
        """
        ...

    def underway(self) -> FloatArray:
        """Where the joints should be by now [rad] (6,): servos follow their goals a little late."""
        ...

    def torque(self, enabled: bool) -> None:
        """Hold the present pose with torque, or let go; returns when the servos say so, where they can be asked.

        Raises:
            NoReplyError: a servo does not say where it is, or does not switch; names it.
            BusError: the servos contradict themselves about where they are.
        """
        ...

    def limit_speed(self, max_velocity: float) -> None:
        """The joint velocity limit is `max_velocity` [rad/s] from now on: joints that have to catch up keep to it."""
        ...

    def stats(self) -> BusStats:
        """Counters since connect()."""
        ...

    def close(self) -> None:
        """Let go of the port; the servos keep their last goal. May be called twice."""
        ...
