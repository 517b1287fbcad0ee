"""A node's process ends whenever it is told to, wherever in its waiting that meets it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("rclpy")

LIMIT_S = 120.0
ANOTHER_THREAD = """
import signal, threading
from pathlib import Path
from dofbot_ros.ros.runtime.process import ShutdownSignal

lifeline = ShutdownSignal()
lifeline.obey(signal.SIGTERM)
main = threading.main_thread().native_id
waiting = threading.Event()

def asleep():
    return Path(f"/proc/self/task/{main}/stat").read_text().rsplit(")", 1)[1].split()[0] == "S"

def tell():
    waiting.wait()
    seen = 0
    while seen < 1000:  # asleep all the while, not for the interpreter, which is let go of in between
        seen = seen + 1 if asleep() else 0
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

threading.Thread(target=tell, daemon=True).start()
waiting.set()
lifeline.wait()
"""
IN_THE_MIDDLE = """
import signal, sys
from dofbot_ros.ros.runtime.process import ShutdownSignal

def lines_of_wait(number):
    'Wait, with a signal at the line of this number. Returns how many lines there were.'
    lifeline, lines = ShutdownSignal(), 0
    lifeline.obey(signal.SIGTERM)

    def trace(frame, event, _):
        nonlocal lines
        lines += event == "line"
        if event == "line" and lines == number:
            signal.raise_signal(signal.SIGTERM)
        return trace

    if not number:
        lifeline.stop()
    sys.settrace(trace)
    lifeline.wait()
    sys.settrace(None)
    return lines

for number in range(1, lines_of_wait(0) + 1):
    lines_of_wait(number)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells whether a thread sleeps")
@pytest.mark.parametrize("script", [ANOTHER_THREAD, IN_THE_MIDDLE], ids=["another thread", "in the middle"])
def test_a_signal_that_another_thread_gets_or_that_comes_while_it_begins_to_wait_ends_it(script: str) -> None:
    """A lock would be waited for on and on: nothing wakes the main thread, or its handler waits for what it holds."""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=LIMIT_S)
