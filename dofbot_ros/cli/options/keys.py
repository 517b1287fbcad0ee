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


def run_stoppable(
    job: Callable[[], object],
    stop: Callable[[], object],
    estop: Callable[[], object],
    on_enter: Callable[[], object] = lambda: None,
) -> None:
    """Run a motion in a thread; meanwhile the space bar calls `estop`, and Ctrl-C `stop`.

    Args:
        job: ends soon once the arm was stopped.
        stop, estop: stop it.
        on_enter: called when Enter is pressed.

    Raises:
        KeyboardInterrupt: after `stop`.
        Exception: what `job` raised.
    """
    with ThreadPoolExecutor(1) as threads, keys() as pressed:
        running = threads.submit(job)
        try:
            while not running.done():
                typed_now = pressed(POLL_S)
                if b" " in typed_now:
                    estop()
                    break
                if b"\n" in typed_now:
                    on_enter()
            running.result()
        except KeyboardInterrupt:
            stop()
            raise


@contextmanager
def space_bar() -> Iterator[Callable[[float], bool]]:
    """A function that waits for a key at most so long [s], and tells whether the space bar was pressed.

    Without a terminal it only waits.
    """
    with keys() as pressed:
        yield lambda seconds: b" " in pressed(seconds)


@contextmanager
def keys() -> Iterator[Callable[[float], bytes]]:
    """A function that waits for a key at most so long [s], and returns the keys that were pressed.

    Without a terminal it only waits.
    """
    if sys.stdin is None or not sys.stdin.isatty():

        def wait(seconds: float) -> bytes:
            time.sleep(seconds)
            return b""

        yield wait
        return
    fd = sys.stdin.fileno()
    with single_keys(fd):
        yield lambda seconds: typed(fd, seconds) or b""
