"""Every error this package raises on purpose, under one root; a command prints its message as one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dofbot_ros.core.types import ToolPose


class DofbotError(Exception):
    """Root. The message says what was wrong, where, and what would be right."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Let pickle carry any error of this package between processes, whatever arguments its __init__ takes."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[DofbotError], args: tuple[Any, ...], attributes: dict[str, Any]) -> DofbotError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class InputError(DofbotError):
    """An argument or a file that cannot be used."""


class ConfigError(InputError):
    """A configuration value that does not fit; carries where it stands."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where


class CalibrationError(ConfigError):
    """A calibration that no real arm could have."""


class UsageError(ConfigError):
    """What was asked for does not exist, or not in this combination; a command that was typed so exits with 2."""


class DependencyError(DofbotError):
    """An optional package that this command needs is not installed."""

    def __init__(self, package: str, extra: str, what: str) -> None:
        super().__init__(f"{what} needs {package}, which is not installed here: {how_to_install(extra)}")
        self.package = package
        self.extra = extra


def how_to_install(extra: str) -> str:
    """Where the optional packages of `extra` come from."""
    return f"`make install` in the clone brings all, pip install '.[{extra}]' these to an environment of your own"


@contextmanager
def optional_packages(extra: str, what: str) -> Iterator[None]:
    """Around the imports of optional packages: what is missing is told with the way to install it.

    Args:
        extra: the extra of this package that brings them, for instance "learn".
        what: the job that needs them, for the message.

    Raises:
        DependencyError: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise DependencyError(str(error.name), extra, what) from error


class BusError(DofbotError):
    """Talking to the servos failed."""


class PortError(BusError):
    """The serial port cannot be opened, or went away."""

    def __init__(self, message: str, port: str) -> None:
        super().__init__(message)
        self.port = port


class FrameError(BusError):
    """Bytes that are no frame, or a value that no frame can carry."""


class NoReplyError(BusError):
    """Servos that did not answer within the bounded retries."""

    def __init__(self, message: str, servos: Sequence[int]) -> None:
        super().__init__(message)
        self.servos = tuple(servos)


class CommandRefusedError(DofbotError):
    """A command that the arm does not carry out in its present state, or at all; nothing has moved."""


class UnreachableError(DofbotError):
    """A tool goal out of reach; carries the nearest pose that is reachable."""

    def __init__(self, goal: ToolPose, nearest: ToolPose) -> None:
        super().__init__(f"no joint angles reach {goal}; the nearest reachable is {nearest}")
        self.goal = goal
        self.nearest = nearest


def one_of(what: str, given: object, valid: Iterable[object]) -> str:
    """Say that `given` is no valid `what`, list the valid ones and name the nearest."""
    names = [str(v) for v in valid]
    near = nearest(str(given), names)
    hint = f" (did you mean {near}?)" if near else ""
    return f"{what} {str(given)!r} is not one of {', '.join(names)}{hint}"


def nearest(given: str, names: Sequence[str], cutoff: float = 0.5) -> str:
    """The one of `names` that looks most like `given`, "" where none is as like as `cutoff`, from 0 to 1."""
    from difflib import get_close_matches  # only for those who misspelt something

    near = get_close_matches(given, names, n=1, cutoff=cutoff)
    return near[0] if near else ""
