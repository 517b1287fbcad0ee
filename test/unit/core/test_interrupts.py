"""Signals that wait until something is done whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from dofbot_ros.core.interrupts import interrupts_held, release_interrupts


@pytest.fixture(params=["alone", "beside a thread"])
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """A thread that blocks nothing, which the kernel may give a signal to."""
    ended = threading.Event()
    other = threading.Thread(target=ended.wait)
    if request.param == "beside a thread":
        other.start()
    yield
    ended.set()
    if other.ident is not None:
        other.join()


@pytest.mark.usefixtures("threads")
def test_ctrl_c_waits_for_the_end_of_what_must_be_whole() -> None:
    done = []

    def work() -> None:
        with interrupts_held():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("whole")
        done.append("after")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole"]


def test_what_was_held_before_stays_held() -> None:
    with interrupts_held():
        with interrupts_held():
            pass
        assert signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_process_started_meanwhile_lets_signals_through_when_it_says_so() -> None:
    code = (
        "import os, signal; from dofbot_ros.core.interrupts import release_interrupts\n"
        "os.kill(os.getpid(), signal.SIGTERM); print('held', flush=True); release_interrupts(); print('never')"
    )
    with interrupts_held():
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGTERM, "held\n")


def test_nothing_is_left_blocked_by_the_release_of_what_was_not_held() -> None:
    release_interrupts()
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGINT, signal.SIGTERM}
