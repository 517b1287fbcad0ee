"""Scanning an emulated bus over a real pty: who is there, who shares an id, at which speed; and renaming one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dofbot_ros.errors import BusError, InputError, NoReplyError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servos import ModelServos
from dofbot_ros.hardware.port.serial_port import SerialPort
from dofbot_ros.hardware.scan import scan_board, scan_bus, set_id, speed_of
from dofbot_ros.hardware.wire.protocol import ProtocolName

BENT = (1900, 2100, 2000, 1800, 1486, 2000)
IDS = range(1, 9)


@contextmanager
def line(faults: FaultPlan | None = None, protocol: ProtocolName = "bus") -> Iterator[tuple[SerialPort, Emulator]]:
    with Emulator(ModelServos(BENT), protocol, faults=faults, first=True) as emulator:
        port = SerialPort(emulator.port, 115200, 0.12 if protocol == "se" else 0.03)
        try:
            yield port, emulator
        finally:
            port.close()


def test_six_healthy_servos_are_found_with_what_they_tell() -> None:
    with line() as (port, _):
        asked: list[int] = []
        found = scan_bus(port, IDS, lambda: asked.append(1))
    assert [(servo.id, servo.ticks) for servo in found] == list(enumerate(BENT, start=1))
    assert len(asked) == len(IDS)
    for servo in found:
        assert (servo.temperature_c, servo.torque, servo.faults, servo.shared) == (25, True, (), False)
        assert servo.current_ma is not None


@pytest.mark.parametrize("echo", [False, True])
def test_an_id_that_two_servos_share_is_noticed(echo: bool) -> None:
    with line(FaultPlan(twin=frozenset({3}), echo=echo)) as (port, _):
        found = scan_bus(port, IDS)
    assert [servo.id for servo in found] == [1, 2, 4, 5, 6]
    assert [servo.id for servo in found if servo.shared] == [2]


def test_what_ails_a_servo_is_told() -> None:
    with line() as (port, emulator):
        with emulator.lock:
            emulator.servos.heat(2, 85.0)
            emulator.servos.supply(4, 5.0)
        found = scan_bus(port, range(1, 5))
    assert [servo.faults for servo in found] == [(), ("temperature",), (), ("voltage",)]
    assert found[1].temperature_c == 85


def test_the_board_tells_positions_alone() -> None:
    with line(FaultPlan(silent=frozenset({5})), "se") as (port, _):
        found = scan_board(port)
    assert [servo.id for servo in found] == [1, 2, 3, 4, 6]
    assert found[0].ticks == BENT[0]
    assert found[0].temperature_c is None


def test_the_speed_is_found_at_which_they_answer() -> None:
    with Emulator(first=True) as emulator:
        assert speed_of(emulator.port) == 115200
        emulator.faults.silent = frozenset(IDS)
        assert speed_of(emulator.port, speeds=(115200, 9600)) is None


@pytest.mark.slow
def test_a_servo_gets_another_id_and_keeps_its_place() -> None:
    with line() as (port, _):
        set_id(port, 6, 8)
        assert [servo.id for servo in scan_bus(port, IDS)] == [1, 2, 3, 4, 5, 8]
        set_id(port, 8, 6)
        assert scan_bus(port, IDS)[-1].ticks == BENT[5]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "old", "new", "error", "says"),
    [
        (FaultPlan(), 7, 8, NoReplyError, "no servo answers to the id 7"),
        (FaultPlan(), 1, 2, InputError, "id 2 is there already"),
        (FaultPlan(), 1, 251, InputError, "251 is none"),
        (FaultPlan(), 254, 1, InputError, "254 is none"),
        (FaultPlan(twin=frozenset({3})), 2, 7, BusError, "both would be renamed"),
    ],
)
def test_no_id_is_written_that_would_make_it_worse(
    faults: FaultPlan, old: int, new: int, error: type[Exception], says: str
) -> None:
    with line(faults) as (port, emulator):
        with pytest.raises(error, match=says):
            set_id(port, old, new)
        before = [servo.id for servo in scan_bus(port, IDS)]
        assert before == sorted({emulator.faults.answers_as(servo) for servo in range(1, 7)})
