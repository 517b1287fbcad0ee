"""The arm as planners and trials use it. ArmClient implements it over ROS, DirectArm in one process."""

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
        """A context for motions that belong together: after a stop from any source, the remaining ones are refused."""
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
        """Go on closing the fingers on the object that they hold while the next motion runs; returns at once."""
        ...

    def rest(self, seconds: float) -> None:
        """Wait for `seconds` of the arm's time [s]; the arm holds its pose and its grip."""
        ...

    def stop(self) -> None:
        """Brake, and hold where the arm comes to rest."""
        ...
