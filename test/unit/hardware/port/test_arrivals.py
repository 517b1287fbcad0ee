"""Waiting for bytes on a terminal device: nothing is missed, nothing told twice, and no busy machine prolongs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from dofbot_ros.core.realtime import realtime
from dofbot_ros.hardware.port.pseudo_port import PseudoPort
from dofbot_ros.hardware.port.serial_port import SerialPort

READ_TIMEOUT_S = 0.005
SPINNER = """
import os, select, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
print("ready", flush=True)
sys.stdin.readline()
print("spinning", flush=True)
end = time.monotonic() + 0.06
while time.monotonic() < end and not select.select([0], [], [], 0.0)[0]:
    pass
print("ended by itself" if time.monotonic() >= end else "was told to end", flush=True)
"""
"""Takes a processor from everything without real-time priority, the kernel's own threads among them; not for long."""


@pytest.fixture
def pseudo() -> Iterator[PseudoPort]:
    port = PseudoPort(115200)
    yield port
    port.close()


@pytest.fixture
def port(pseudo: PseudoPort) -> Iterator[SerialPort]:
    opened = SerialPort(pseudo.name, 115200, READ_TIMEOUT_S)
    yield opened
    opened.close()


def test_what_comes_in_pieces_is_read_in_any_pieces(pseudo: PseudoPort, port: SerialPort) -> None:
    sent = bytes(range(200))
    for start in range(0, 200, 50):
        pseudo.write(sent[start : start + 50])
    heard = b""
    for end in (1, 100, 103, 200):
        while len(heard) < end:
            heard += port.read(end - len(heard))
    assert heard == sent
    assert port.read(1) == b""


def test_what_has_been_read_is_not_told_again(pseudo: PseudoPort, port: SerialPort) -> None:
    for _ in range(3):
        port.write(b"ask")
        assert pseudo.wait(10.0)
        assert pseudo.read() == b"ask"
        assert not pseudo.wait(0.0)


def test_a_closed_port_says_so_to_whoever_waits(pseudo: PseudoPort) -> None:
    pseudo.close()
    with pytest.raises(ValueError, match="closed"):
        pseudo.wait(0.0)


@contextmanager
def every_processor_taken(spinners: list[subprocess.Popen[str]]) -> Iterator[None]:
    """No thread without real-time priority runs meanwhile, not for longer than SPINNER does."""
    for spinner in spinners:
        assert spinner.stdin is not None
        spinner.stdin.write("go\n")
        spinner.stdin.flush()
    for spinner in spinners:
        assert answer(spinner) == "spinning"
    yield
    for spinner in spinners:
        assert spinner.stdin is not None
        spinner.stdin.close()


def answer(spinner: subprocess.Popen[str]) -> str:
    assert spinner.stdout is not None
    return spinner.stdout.readline().strip()


@contextmanager
def spinning_processes() -> Iterator[list[subprocess.Popen[str]]]:
    """One for each processor, ready; the caller runs before them."""
    with ExitStack() as running, realtime() as permitted:
        if not permitted:
            pytest.skip("real-time priority is not permitted here")
        words = (sys.executable, "-c", SPINNER)
        spinners = [
            running.enter_context(
                subprocess.Popen((*words, str(cpu)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for cpu in sorted(os.sched_getaffinity(0))
        ]
        for spinner in spinners:
            assert answer(spinner) == "ready"
        yield spinners


NOT_OURS = "bytes are handed on all the same: not all of this machine's processors are ours"


def test_a_busy_machine_does_not_prolong_a_wait(pseudo: PseudoPort, port: SerialPort) -> None:
    """The kernel thread that hands bytes on gets no time: they are late, but whoever waits is not held up."""
    with spinning_processes() as spinners:
        with every_processor_taken(spinners):
            pseudo.write(b"x")
            heard = port.read(1)
        ends = {answer(spinner) for spinner in spinners}
    if heard and ends == {"was told to end"}:
        pytest.skip(NOT_OURS)
    assert ends == {"was told to end"}
    assert not heard


def test_a_busy_machine_is_told_from_a_servo_that_says_nothing(pseudo: PseudoPort, port: SerialPort) -> None:
    assert not port.held_up()
    with spinning_processes() as spinners:
        with every_processor_taken(spinners):
            pseudo.write(b"x")
            behind = port.held_up()
        ends = {answer(spinner) for spinner in spinners}
    if not behind and ends == {"was told to end"}:
        pytest.skip(NOT_OURS)
    assert behind
    assert port.read(1) == b"x"
    assert not port.held_up()
