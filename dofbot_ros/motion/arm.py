"""What plans and trials need of an arm: ROS stands behind it, or in tests the driver itself."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from dofbot_ros.core.types import FloatArray
from dofbot_ros.motion.timed_path import TimedPath


class Arm(Protocol):
    """One arm. Motions return when it has come to rest.

    Every motion raises CommandRefusedError, with the reason, when the arm refuses it or ends it early.
    """

    @property
    def state(self) -> str:
        """Of the arm, as safety.states.ArmState says it."""
        ...

    @property
    def position(self) -> FloatArray:
        """Joint positions (6,) [rad]."""
        ...

    @property
    def gap(self) -> float:
        """Distance of the finger tips [m]."""
        ...

    def now_s(self) -> float:
        """The arm's own time [s]: that of its joint states, which in simulation may run faster than the clock."""
        ...

    def require_heard(self) -> None:
        """Raises DofbotError when the arm says nothing."""
        ...

    def require_ready(self) -> None:
        """Raises DofbotError, with what to do, when it does not take commands."""
        ...

    def sequence(self) -> AbstractContextManager[None]:
        """Motions that belong together: a stop, whoever asks for it and when, is the end of all that are left."""
        ...

    def home(self) -> None:
        """Move upright."""
        ...

    def follow(self, path: TimedPath) -> None:
        """Move along `path`."""
        ...

    def gripper(self, gap: float) -> bool:
        """Open or close to `gap` [m]. Returns whether something stopped the fingers before."""
        ...

    def regrip(self) -> None:
        """Let the fingers close on what they hold while the next motion runs; returns at once."""
        ...

    def rest(self, seconds: float) -> None:
        """Return after so much of the arm's time [s]; the arm goes on holding what it holds."""
        ...

    def stop(self) -> None:
        """Brake and hold."""
        ...
