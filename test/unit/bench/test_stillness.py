"""A machine that stands still is told from one that is only busy."""

from __future__ import annotations

import ctypes
import time

from dofbot_ros.bench.faults.rigs.stillness import MOST_PAUSE_S, Stillness


def test_a_process_that_stands_still_is_found_out() -> None:
    with Stillness() as still:
        time.sleep(0.02)
        # A call that keeps Python's lock keeps all of its threads from running, as a machine that stands still does.
        ctypes.PyDLL(None).usleep(120_000)
        time.sleep(0.02)
    assert still.longest_s > 0.1
    assert still.too_long.startswith("this machine kept the emulated servos from running for 1")


def test_the_bound_is_its_own() -> None:
    still = Stillness()
    assert still.too_long == ""
    still.longest_s = MOST_PAUSE_S
    assert still.too_long == ""
    still.longest_s = MOST_PAUSE_S + 0.001
    assert still.too_long.endswith("for 21 ms")
