"""The emulator's cable, and its thread: what a program sees of a port that comes and goes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from dofbot_ros.errors import InputError, PortError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.port.serial_port import SerialPort
from dofbot_ros.hardware.servo_bus import ServoBus
from dofbot_ros.hardware.wire.protocol import host_protocol

QUESTION = host_protocol("bus").position(3)
SOON_S = 60.0


def answer(path: str) -> object:
    port = SerialPort(path, 115200, 0.5)
    try:
        return ServoBus(port).ask(QUESTION)
    finally:
        port.close()


def _write_until_gone(port: SerialPort) -> None:
    """The serving thread looks at its end of the line for a moment more."""
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        port.write(b"x")


def test_unplugged_the_port_is_gone_for_whoever_has_it_and_for_whoever_comes() -> None:
    with Emulator(first=True) as emulator:
        port = SerialPort(emulator.port, 115200, 0.5)
        emulator.unplug()
        emulator.unplug()
        with pytest.raises(PortError, match="is gone"):
            _write_until_gone(port)
        port.close()
        with pytest.raises(PortError, match="no serial port"):
            SerialPort(emulator.port, 115200, 0.5)


def test_plugged_in_again_it_answers_and_the_link_leads_to_it(tmp_path: Path) -> None:
    link = tmp_path / "bus"
    with Emulator(link=link, first=True) as emulator:
        assert emulator.port == str(link)
        assert answer(str(link)) is not None
        emulator.unplug()
        assert not link.is_symlink()
        emulator.plug_in()
        emulator.plug_in()
        assert answer(str(link)) is not None
    assert not link.is_symlink()


def test_it_comes_back_under_another_name_where_that_is_wanted(tmp_path: Path) -> None:
    first, second = tmp_path / "ttyUSB0", tmp_path / "ttyUSB1"
    with Emulator(link=first, first=True) as emulator:
        emulator.unplug()
        emulator.plug_in(second)
        assert emulator.port == str(second)
        assert not first.is_symlink()
        assert answer(str(second)) is not None


def test_servos_move_on_while_the_cable_is_out() -> None:
    with Emulator(first=True) as emulator:
        before = emulator.servos.position(1, time.monotonic())
        with emulator.lock:
            emulator.servos.torque(1, True, time.monotonic())
            emulator.servos.command(1, before + 300, 50, time.monotonic())
        emulator.unplug()
        deadline = time.monotonic() + SOON_S
        while abs(emulator.servos.position(1, time.monotonic()) - before) < 100:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_traffic_is_counted() -> None:
    with Emulator(first=True) as emulator:
        assert answer(emulator.port) is not None
        traffic = emulator.traffic()
    assert (traffic.requests, traffic.replies) == (1, 1)
    assert (traffic.bytes_heard, traffic.bytes_said) == (8, 8)


def test_a_speed_that_no_port_has_is_refused() -> None:
    with pytest.raises(InputError, match="12345 is no serial speed; the servos use 115200"):
        Emulator(baudrate=12345)


def test_one_that_was_never_started_is_closed_like_any_other(tmp_path: Path) -> None:
    emulator = Emulator(link=tmp_path / "bus")
    emulator.close()
    emulator.close()
    assert os.listdir(tmp_path) == []
