"""Single keys from a terminal."""

from __future__ import annotations

import os
import select
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_keys(fd: int) -> Iterator[None]:
    """Keys can be read one by one, without Enter; the terminal is put back as it was at the end.

    What was typed before is dropped: nobody who typed it could know what it would do.

    Args:
        fd: file descriptor of the terminal.
    """
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    termios.tcflush(fd, termios.TCIFLUSH)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def typed(fd: int, wait_s: float = 0.0) -> bytes | None:
    """What was typed since the last call.

    Args:
        fd: file descriptor of the terminal, within single_keys().
        wait_s: how long to wait for a key [s].

    Returns:
        The keys; None where there are none; empty at the end of input.

    Raises:
        OSError: the terminal is gone.
    """
    return os.read(fd, 256) if select.select([fd], [], [], wait_s)[0] else None
