"""Each way in which opening and using a serial port fails has its own message: real ptys, real errors of the system."""

from __future__ import annotations

import errno
import select
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from dofbot_ros.errors import PortError
from dofbot_ros.hardware.port.pseudo_port import PseudoPort
from dofbot_ros.hardware.port.serial_port import SerialPort, available_ports

TIMEOUT_S = 0.02


@pytest.fixture
def pseudo() -> Iterator[PseudoPort]:
    port = PseudoPort(115200)
    yield port
    port.close()


@pytest.fixture
def port(pseudo: PseudoPort) -> Iterator[SerialPort]:
    opened = SerialPort(pseudo.name, 115200, TIMEOUT_S)
    yield opened
    opened.close()


def refusal(name: str, baudrate: int = 115200) -> str:
    with pytest.raises(PortError) as refused:
        SerialPort(name, baudrate, TIMEOUT_S)
    assert refused.value.port == name
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_bytes_go_both_ways(pseudo: PseudoPort, port: SerialPort) -> None:
    port.write(b"ask")
    assert pseudo.read() == b"ask"
    pseudo.write(b"answer")
    assert port.read(6) == b"answer"


def test_what_is_not_there_in_time_is_not_waited_for(port: SerialPort) -> None:
    assert port.read(5) == b""


def test_what_a_full_buffer_does_not_take_at_once_is_written_once_there_is_room(
    pseudo: PseudoPort, port: SerialPort
) -> None:
    sent = bytes(range(256)) * 256
    writer = threading.Thread(target=port.write, args=(sent,))
    writer.start()
    heard = b""
    while len(heard) < len(sent) and select.select([pseudo.far_end], [], [], 2.0)[0]:
        heard += pseudo.read()
    writer.join()
    assert heard == sent


def test_a_port_that_was_closed_is_gone(port: SerialPort) -> None:
    port.close()
    for use in (lambda: port.read(1), lambda: port.write(b"x")):
        with pytest.raises(PortError, match="is gone"):
            use()


def test_discarded_input_is_gone(pseudo: PseudoPort, port: SerialPort) -> None:
    pseudo.write(b"stale")
    port.discard_input()
    assert port.read(5) == b""


def test_a_port_that_does_not_exist_is_named_with_those_that_do() -> None:
    there = ", ".join(available_ports()) or "none"
    assert refusal("/dev/ttyUSB77") == f"no serial port /dev/ttyUSB77; there are: {there}"


def test_one_that_another_program_has_is_refused(pseudo: PseudoPort, port: SerialPort) -> None:
    assert refusal(pseudo.name) == f"{pseudo.name} is in use by another program: only one may talk to the arm"


def test_an_impossible_baudrate_is_named(pseudo: PseudoPort) -> None:
    assert refusal(pseudo.name, -1) == (f"-1 is no baudrate that {pseudo.name} can do: the arm's servos use 115200")


def test_a_file_is_no_port(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    assert refusal(str(file)).startswith(f"{file} is not a serial port; there are: ")


def test_missing_permission_says_which_command_gives_it(pseudo: PseudoPort, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise serial.SerialException(errno.EACCES, "Permission denied")

    monkeypatch.setattr(serial, "Serial", denied)  # the tests may run as root, whom nobody denies anything
    assert "sudo usermod -aG dialout $USER" in refusal(pseudo.name)


def test_what_nobody_thought_of_is_passed_on(pseudo: PseudoPort, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*_: object, **__: object) -> None:
        raise serial.SerialException(errno.EIO, "the moon is full")

    monkeypatch.setattr(serial, "Serial", odd)
    assert refusal(pseudo.name) == f"{pseudo.name} cannot be opened: [Errno {errno.EIO}] the moon is full"


def test_a_pulled_cable_is_said_whatever_is_tried(pseudo: PseudoPort, port: SerialPort) -> None:
    pseudo.close()
    for use in (lambda: port.write(b"x"), lambda: port.read(1), port.discard_input):
        with pytest.raises(PortError, match=rf"{pseudo.name} is gone \(.+\): is the cable in\?"):
            use()
    port.close()
    port.close()
