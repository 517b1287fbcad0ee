"""The emergency stop on the space bar while a command moves or watches the arm."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from dofbot_ros.core.terminal import single_keys, typed

POLL_S = 0.02
HINT = "space bar: emergency stop, Ctrl-C: stop"


def run_stoppable(job: Callable[[], object], stop: Callable[[], object], estop: Callable[[], object]) -> None:
    """Run a motion in a thread; meanwhile the space bar calls `estop`, and Ctrl-C `stop`.

    Args:
        job: ends soon once the arm was stopped.
        stop, estop: stop it.

    Raises:
        KeyboardInterrupt: after `stop`.
        Exception: what `job` raised.
    """
    with ThreadPoolExecutor(1) as threads, space_bar() as pressed:
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
def space_bar() -> Iterator[Callable[[float], bool]]:
    """A function that waits for a key at most so long [s], and tells whether the space bar was pressed.

    Without a terminal it only waits.
    """
    if sys.stdin is None or not sys.stdin.isatty():

        def wait(seconds: float) -> bool:
            time.sleep(seconds)
            return False

        yield wait
        return
    fd = sys.stdin.fileno()
    with single_keys(fd):
        yield lambda seconds: b" " in (typed(fd, seconds) or b"")
