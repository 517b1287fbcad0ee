"""The arm's port by identity and by who answers: real ptys with emulated servos behind them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from dofbot_ros.errors import PortError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.port.pseudo_port import PseudoPort
from dofbot_ros.hardware.port.search import (
    PortFinder,
    PortIdentity,
    arm_answers,
    find_port,
    identify,
    search_port,
    serial_ports,
)
from dofbot_ros.hardware.port.serial_port import ByteStream, SerialPort
from dofbot_ros.hardware.wire.protocol import ProtocolName

CH340 = (0x1A86, 0x7523)
FTDI = (0x0403, 0x6001)
StartArm = Callable[[], str]


@pytest.fixture
def arm() -> Iterator[StartArm]:
    """Start six emulated servos. Returns the path of their port."""
    with ExitStack() as running:
        yield lambda: running.enter_context(Emulator(first=True)).port


@pytest.fixture
def silent() -> Iterator[str]:
    """A port with nobody behind it."""
    port = PseudoPort(115200)
    yield port.name
    port.close()


asked = partial(arm_answers, protocol="bus")


def usb(device: str, adapter: tuple[int, int] = CH340, serial_number: str = "", location: str = "1-1") -> PortIdentity:
    return PortIdentity(device, *adapter, serial_number, location)


def never(port: str) -> bool:
    raise AssertionError(f"{port} was asked")


@pytest.mark.parametrize("protocol", ["bus", "se"])
def test_an_arm_answers_in_its_own_protocol_and_no_other(protocol: ProtocolName) -> None:
    other: ProtocolName = "se" if protocol == "bus" else "bus"
    with Emulator(protocol=protocol, first=True) as emulator:
        assert arm_answers(emulator.port, protocol)
        assert not arm_answers(emulator.port, other)
        assert arm_answers(emulator.port, protocol), "asking has left the port closed and the arm as it was"


def test_nobody_answers_on_a_silent_port_a_missing_one_and_one_that_is_in_use(silent: str, arm: StartArm) -> None:
    from dofbot_ros.hardware.port.serial_port import SerialPort

    assert not asked(silent)
    assert not asked("/dev/ttyUSB77")
    path = arm()
    taken = SerialPort(path, 115200, 0.02)
    assert not asked(path)
    taken.close()
    assert asked(path)


def test_one_servo_without_its_plug_does_not_hide_the_arm() -> None:
    with Emulator(first=True) as emulator:
        emulator.faults.silent = frozenset({1})
        assert asked(emulator.port)


def test_a_device_with_a_serial_number_is_found_under_another_name_without_asking() -> None:
    lost = usb("/dev/ttyUSB0", FTDI, "A1", "1-1")
    there = [usb("/dev/ttyUSB0", FTDI, "B2", "1-1"), usb("/dev/ttyUSB1", FTDI, "A1", "2-4")]
    assert find_port(lost, never, lambda: there) == "/dev/ttyUSB1"


def test_another_serial_number_is_another_device_even_if_an_arm_answers_there(arm: StartArm) -> None:
    lost = usb("/dev/ttyUSB0", FTDI, "A1")
    assert find_port(lost, never, lambda: [usb(arm(), FTDI, "B2")]) is None


def test_a_device_without_a_serial_number_is_the_one_alike_that_answers(arm: StartArm, silent: str) -> None:
    there = [usb(silent), usb(arm(), location="1-3"), usb("/dev/ttyUSB7", FTDI)]
    assert find_port(usb("/dev/ttyUSB0"), asked, lambda: there) == there[1].device


def test_a_device_of_another_make_is_not_even_asked() -> None:
    assert (
        find_port(usb("/dev/ttyUSB0"), never, lambda: [usb("/dev/ttyUSB1", FTDI), PortIdentity("/dev/ttyS0")]) is None
    )


def test_while_it_is_out_there_is_none() -> None:
    assert find_port(usb("/dev/ttyUSB0"), never, list) is None
    assert find_port(usb("/dev/ttyUSB0", FTDI, "A1"), never, list) is None


def test_two_alike_that_both_answer_are_named_and_none_is_taken(arm: StartArm) -> None:
    first, second = arm(), arm()
    with pytest.raises(PortError, match=f"arms answer on {first} and {second}: name the port"):
        find_port(usb("/dev/ttyUSB0"), asked, lambda: [usb(first), usb(second)])


def test_two_with_the_same_serial_number_are_told_apart_by_who_answers(arm: StartArm, silent: str) -> None:
    there = [usb(silent, FTDI, "0001"), usb(arm(), FTDI, "0001")]
    assert find_port(usb("/dev/ttyUSB0", FTDI, "0001"), asked, lambda: there) == there[1].device


def test_what_is_not_on_usb_keeps_its_name(silent: str) -> None:
    assert find_port(PortIdentity(silent), never, list) == silent
    assert find_port(PortIdentity("/dev/ttyTHS77"), never, lambda: [usb("/dev/ttyUSB0")]) is None


def test_replugged_the_arm_is_found_again(arm: StartArm) -> None:
    """The whole way: identified while it is there, lost, found under the name that it has then."""
    before, after = arm(), arm()
    ports = [usb(before)]
    lost = identify(before, lambda: ports)
    ports.clear()
    assert find_port(lost, asked, lambda: ports) is None
    ports.append(usb(after, location="1-9"))
    assert find_port(lost, asked, lambda: ports) == after


def test_a_link_is_identified_by_what_it_leads_to(tmp_path: Path) -> None:
    device, link = tmp_path / "ttyUSB0", tmp_path / "usb-FTDI-A1"
    device.touch()
    link.symlink_to(device)
    there = [usb(str(device), FTDI, "A1")]
    assert identify(str(link), lambda: there) == there[0]


def test_what_the_machine_does_not_list_has_nothing_but_its_name(silent: str) -> None:
    assert identify(silent, list) == PortIdentity(silent)


def test_auto_takes_the_only_port_on_which_an_arm_answers(arm: StartArm, silent: str) -> None:
    path = arm()
    assert search_port(asked, lambda: [usb(silent), usb(path, FTDI)]) == path


def test_auto_leaves_ports_that_are_not_on_usb_alone_while_one_that_is_answers(arm: StartArm) -> None:
    path = arm()
    seen: list[str] = []

    def answers(port: str) -> bool:
        seen.append(port)
        return asked(port)

    assert search_port(answers, lambda: [PortIdentity("/dev/ttyS0"), usb(path)]) == path
    assert seen == [path]
    other = arm()
    assert search_port(asked, lambda: [PortIdentity(other), usb("/dev/ttyUSB0")]) == other


def test_auto_names_what_there_is_when_nobody_or_more_than_one_answers(arm: StartArm, silent: str) -> None:
    with pytest.raises(
        PortError, match=f"no arm answers on any serial port; there are: {silent}, /dev/ttyUSB7. Is the"
    ):
        search_port(asked, lambda: [usb(silent), usb("/dev/ttyUSB7")])
    with pytest.raises(PortError, match="there are: none"):
        search_port(never, list)
    first, second = arm(), arm()
    with pytest.raises(PortError, match=f"{first} and {second}"):
        search_port(asked, lambda: [usb(first), usb(second)])


def test_the_machines_ports_come_with_what_usb_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged, built_in = ListPortInfo("/dev/ttyUSB0"), ListPortInfo("/dev/ttyS0")
    plugged.vid, plugged.pid, plugged.serial_number, plugged.location = *FTDI, "A1", "1-1.2"
    monkeypatch.setattr(list_ports, "comports", lambda: [plugged, built_in])
    assert serial_ports() == [
        PortIdentity("/dev/ttyS0"),
        PortIdentity("/dev/ttyUSB0", *FTDI, "A1", "1-1.2"),
    ]


def test_this_machine_can_be_asked() -> None:
    assert all(os.path.exists(port.device) for port in serial_ports())


def test_a_port_that_goes_away_while_it_is_asked_does_not_answer() -> None:
    class Vanishing:
        closed = False

        def read(self, size: int) -> bytes:
            raise PortError("gone", "/dev/ttyUSB0")

        def write(self, data: bytes) -> None:
            raise PortError("gone", "/dev/ttyUSB0")

        def discard_input(self) -> None: ...

        def close(self) -> None:
            self.closed = True

    stream = Vanishing()
    assert not arm_answers("/dev/ttyUSB0", "bus", open_port=lambda *_: stream)
    assert stream.closed


def test_a_finder_opens_the_port_under_which_its_arm_came_back(arm: StartArm, silent: str) -> None:
    before, after = arm(), arm()
    there = [usb(before)]
    finder = PortFinder(before, "bus", 115200, ports=lambda: there)
    stream = finder.open(0.02)
    finder.found()
    stream.close()
    there[:] = [usb(silent), usb(after)]
    again = finder.open(0.02)
    again.close()
    finder.found()
    there[:] = [usb(before), usb(silent)]
    finder.open(0.02).close()


def test_a_finder_that_does_not_see_its_arm_tries_the_name_that_it_was_given(arm: StartArm) -> None:
    port, opened = arm(), []
    there = [usb(port)]

    def open_port(name: str, baudrate: int, timeout_s: float) -> ByteStream:
        opened.append(name)
        return SerialPort(name, baudrate, timeout_s)

    finder = PortFinder(port, "bus", 115200, ports=lambda: there, open_port=open_port)
    finder.open(0.02).close()
    finder.found()
    there.clear()
    finder.open(0.02).close()
    assert opened == [port, port]


def test_a_finder_for_auto_searches_until_it_has_found_one(arm: StartArm, silent: str) -> None:
    port = arm()
    there = [usb(silent)]
    finder = PortFinder("auto", "bus", 115200, ports=lambda: there)
    with pytest.raises(PortError, match="no arm answers on any serial port"):
        finder.open(0.02)
    there.append(usb(port))
    finder.open(0.02).close()
