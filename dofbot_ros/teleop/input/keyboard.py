"""The keyboard of a terminal as an input."""

from __future__ import annotations

import os
from types import TracebackType

import numpy as np

from dofbot_ros.core.terminal import single_keys, typed
from dofbot_ros.errors import DofbotError
from dofbot_ros.teleop.retargeting.manual import Axis, ManualInput
from dofbot_ros.teleop.retargeting.retarget import Ask

KEYS: dict[str, tuple[Axis, float]] = {
    "w": (Axis.X, 1.0), "s": (Axis.X, -1.0),
    "a": (Axis.Y, 1.0), "d": (Axis.Y, -1.0),
    "r": (Axis.Z, 1.0), "f": (Axis.Z, -1.0),
    "t": (Axis.PITCH, 1.0), "g": (Axis.PITCH, -1.0),
    "q": (Axis.ROLL, 1.0), "e": (Axis.ROLL, -1.0),
    "o": (Axis.GAP, 1.0), "c": (Axis.GAP, -1.0),
}  # fmt: skip
"""Key -> axis and direction."""
ENGAGE, RELEASE = "\n", " "
"""Enter engages, the space bar releases."""

HELP = "Enter engage, space release | w/s forth/back  a/d left/right  r/f up/down  t/g tilt  q/e roll  o/c gripper"

PRESSED_S = 0.12
"""A key counts as held for this long after each character: longer than the pause of a terminal's key repeat [s]."""


class Keyboard:
    """Reads single keys from a terminal, which is put back as it was at the end. Use it as a context.

    A terminal tells when a key is pressed, never when it is let go; a held key repeats some thirty times a second.

    Args:
        fd: file descriptor of the terminal, for instance sys.stdin.fileno().

    Raises:
        DofbotError: no terminal.
    """

    def __init__(self, fd: int) -> None:
        if not os.isatty(fd):
            raise DofbotError("the keyboard is read from a terminal, and standard input is none")
        self._fd = fd
        self._until_s = np.zeros(len(Axis))
        self._direction = np.zeros(len(Axis))
        self._keys = single_keys(fd)

    def __enter__(self) -> Keyboard:
        self._keys.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keys.__exit__(kind, error, trace)

    def read(self, now_s: float) -> ManualInput:
        """What the keys say at `now_s` [s]; never waits.

        Raises:
            DofbotError: the terminal is gone.
        """
        ask: Ask | None = None
        for key in self._typed():
            if key == ENGAGE:
                ask = "engage"
            elif key == RELEASE:
                ask = "release"
            elif key.lower() in KEYS:
                axis, direction = KEYS[key.lower()]
                self._direction[axis], self._until_s[axis] = direction, now_s + PRESSED_S
        return ManualInput(now_s, np.where(now_s < self._until_s, self._direction, 0.0), ask)

    def _typed(self) -> str:
        try:
            keys = typed(self._fd)
        except OSError as error:
            raise DofbotError(f"the terminal is gone: {error.strerror}") from error
        if keys == b"":
            raise DofbotError("the terminal is gone: end of input")
        return (keys or b"").decode("ascii", errors="ignore").replace("\r", ENGAGE)
