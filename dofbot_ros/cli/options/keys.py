"""An emergency stop on the space bar while a command waits for the arm."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

POLL_S = 0.02
HINT = "space bar: emergency stop, Ctrl-C: stop"


def run_stoppable(job: Callable[[], object], stop: Callable[[], object], estop: Callable[[], object]) -> None:
    """Run `job` in a thread; meanwhile the space bar calls `estop`, and Ctrl-C `stop`.

    Without a terminal only Ctrl-C does.

    Raises:
        KeyboardInterrupt: after `stop`.
        Exception: what `job` raised.
    """
    with ThreadPoolExecutor(1) as threads, _single_keys() as pressed:
        running = threads.submit(job)
        try:
            while not running.done():
                if pressed(POLL_S):
                    estop()
                    break
            running.result()
        except KeyboardInterrupt:
            stop()
            raise


@contextmanager
def _single_keys() -> Iterator[Callable[[float], bool]]:
    """A function that waits so long [s] for a key, and tells whether it was the space bar."""
    fd = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    if fd is None:
        yield lambda seconds: bool(select.select([], [], [], seconds)[0])
        return
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    # What was typed before the arm moved is no stop, nor anything else.
    termios.tcflush(fd, termios.TCIFLUSH)
    try:
        yield lambda seconds: bool(select.select([fd], [], [], seconds)[0]) and b" " in os.read(fd, 64)
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
