"""Output that never waits: all of it arrives where it is taken, and nobody is held up where it is not."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from dofbot_ros.ros.runtime.output import ROOM_BYTES, nonblocking_output


def test_all_that_was_written_arrives_in_order(tmp_path: Path) -> None:
    lines = [f"line {number}\n".encode() for number in range(2_000)]
    with (tmp_path / "told").open("wb", buffering=0) as file:
        with nonblocking_output(file.fileno()):
            for line in lines:
                os.write(file.fileno(), line)
        os.write(file.fileno(), b"afterwards\n")
    assert (tmp_path / "told").read_bytes() == b"".join([*lines, b"afterwards\n"])


def test_a_reader_that_takes_nothing_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dofbot_ros.ros.runtime.output.FLUSH_S", 0.1)
    reader, writer = os.pipe()
    lost = False
    with nonblocking_output(writer):
        for _ in range(2 * ROOM_BYTES // 1024):
            try:
                os.write(writer, b"." * 1024)
            except BlockingIOError:
                lost = True
    assert lost
    assert os.get_blocking(writer)
    passed_on: list[int] = []

    def read() -> None:
        while data := os.read(reader, 1 << 16):
            passed_on.append(len(data))

    os.close(writer)
    thread = threading.Thread(target=read)
    thread.start()
    thread.join(30.0)
    os.close(reader)
    assert sum(passed_on) >= 64 * 1024


def test_a_reader_that_is_gone_ends_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with nonblocking_output(writer):
        for _ in range(100):
            os.write(writer, b"is anybody there?\n")
    os.close(writer)


def test_output_that_was_closed_before_stays_closed() -> None:
    closed = 999
    with nonblocking_output(closed), pytest.raises(OSError, match="Bad file descriptor"):
        os.write(closed, b"nobody\n")
