"""ProcessGroup with real processes: what it starts is watched until it is ready, and ends with it."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dofbot_ros.errors import DofbotError
from dofbot_ros.supervisor import INTERRUPT_GRACE_S, Command, ProcessGroup

READY_S = 30.0

READY = """
import os, pathlib, signal, socket, sys, time
try:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    time.sleep(600)
except KeyboardInterrupt:
    pathlib.Path(sys.argv[1]).write_text("interrupted")
"""
"""Says that it is ready, then waits; leaves a note when Ctrl-C reaches it."""


def waiting(name: str, note: Path) -> Command:
    return Command(name, (sys.executable, "-c", READY, str(note)))


@pytest.fixture
def _interrupts_ignored() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def test_what_is_started_is_interrupted_and_nothing_is_left(tmp_path: Path) -> None:
    with ProcessGroup([waiting("one", tmp_path / "1"), waiting("two", tmp_path / "2")]) as group:
        group.wait_ready(READY_S)
        processes = [psutil.Process(pid) for pid in group.pids().values()]
        assert len(processes) == 2
    assert not any(process.is_running() for process in processes)
    assert (tmp_path / "1").read_text() == (tmp_path / "2").read_text() == "interrupted"


@pytest.mark.usefixtures("_interrupts_ignored")
def test_ctrl_c_reaches_them_where_a_script_s_background_has_it_ignored(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with ProcessGroup([waiting("one", note)]) as group:
        group.wait_ready(READY_S)
        start = time.monotonic()
    assert note.read_text() == "interrupted"
    # SIGTERM, which comes after that, would have ended it without a note.
    assert time.monotonic() - start < INTERRUPT_GRACE_S


def test_one_that_ends_before_it_is_ready_ends_all(tmp_path: Path) -> None:
    fails = Command("fails", (sys.executable, "-c", "raise SystemExit(3)"))
    with ProcessGroup([waiting("waits", tmp_path / "note"), fails]) as group:
        waits = psutil.Process(group.pids()["waits"])
        with pytest.raises(DofbotError, match=r"fails ended \(exit code 3\) before it was ready"):
            group.wait_ready(READY_S)
    assert not waits.is_running()


def test_one_that_says_nothing_is_named() -> None:
    silent = Command("silent", (sys.executable, "-c", "import time; time.sleep(600)"))
    with ProcessGroup([silent]) as group, pytest.raises(DofbotError, match=r"not ready after 0\.5 s: silent"):
        group.wait_ready(0.5)


def test_what_a_process_that_ended_left_behind_ends_too(tmp_path: Path) -> None:
    orphan = tmp_path / "orphan"
    code = (
        "import pathlib, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path(sys.argv[1]).write_text(str(child.pid))\n"
    )
    with ProcessGroup([Command("parent", (sys.executable, "-c", code, str(orphan)))]) as group:
        deadline = time.monotonic() + READY_S
        exits = group.ended()
        while not exits and time.monotonic() < deadline:
            time.sleep(0.05)
            exits = group.ended()
        (exit_,) = exits
        assert (exit_.command.name, exit_.code) == ("parent", 0)
        child = int(orphan.read_text())
        while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.05)
