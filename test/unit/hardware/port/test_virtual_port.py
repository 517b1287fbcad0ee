"""The serial arm on a virtual line: real frames at the line's speed, in no time, with everything that goes wrong."""

from __future__ import annotations

import time

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.core.clock import EventClock
from dofbot_ros.errors import NoReplyError, PortError
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servos import UPRIGHT_TICKS, ModelServos
from dofbot_ros.hardware.emulation.truth_log import TruthLog
from dofbot_ros.hardware.port.servo_line import ServoLine
from dofbot_ros.hardware.port.virtual_port import VirtualPorts
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.hardware.wire import bus

BYTE_S = 10 / 115200
PORT = "/dev/ttyUSB0"


class Wire:
    """Servos, their line, its ports and an arm, on one clock."""

    def __init__(self, **faults: object) -> None:
        self.clock = EventClock(100.0)
        self.log = TruthLog()
        self.servos = ModelServos(now=self.clock.now(), log=self.log)
        self.faults = FaultPlan(**faults)  # type: ignore[arg-type]
        self.line = ServoLine(self.servos, faults=self.faults, now=self.clock.now())
        self.ports = VirtualPorts(self.line, self.clock, PORT)
        self.arm = SerialArm(PORT, clock=self.clock, open_port=self.ports.open)

    def ask(self, frame: bytes, size: int, timeout_s: float = 0.05) -> tuple[bytes, float]:
        """What comes back from the bare line, and after how long [s]."""
        port = self.ports.open(PORT, 115200, timeout_s)
        begin = self.clock.now()
        port.write(frame)
        data = port.read(size)
        seconds = self.clock.now() - begin
        port.close()
        return data, seconds


def test_a_question_takes_the_time_of_its_bytes():
    data, seconds = Wire().ask(bus.read_position(1), 8)
    assert data == bytes.fromhex("FF F5 01 04 00 07 D0 23")
    assert seconds == pytest.approx(16 * BYTE_S + 100e-6, abs=1e-9)


def test_reading_waits_no_longer_than_its_timeout_and_returns_what_came():
    data, seconds = Wire().ask(bus.read_position(1), 20, timeout_s=0.02)
    assert len(data) == 8
    assert seconds == pytest.approx(0.02)


def test_a_sweep_and_a_move_run_as_on_a_real_line_but_much_faster():
    wire = Wire()
    start = wire.arm.connect().position
    wire.arm.torque(True)
    begin, wall = wire.clock.now(), time.perf_counter()
    wire.arm.write(start + 0.2, 0.5)
    while wire.clock.now() < begin + 5.0:
        reading = wire.arm.read()
        wire.clock.advance(0.008)
    np.testing.assert_allclose(reading.position, start + 0.2, atol=0.01)
    np.testing.assert_allclose(DEFAULT_CALIBRATION.ticks_to_rad(wire.log.truth().links[-1]), start + 0.2, atol=0.01)
    assert time.perf_counter() - wall < 5.0


def test_what_is_due_happens_in_the_middle_of_a_transaction():
    wire = Wire()
    wire.arm.connect()
    seen: list[float] = []
    begin = wire.clock.now()
    wire.clock.at(begin + 0.003, lambda: seen.append(wire.clock.now()))
    wire.arm.read()
    assert seen == [pytest.approx(begin + 0.003)]
    assert wire.clock.now() > begin + 0.008


def test_the_same_run_twice_is_the_same_to_the_last_digit():
    def run() -> tuple[list[float], np.ndarray]:
        wire = Wire(drop=0.05, corrupt=0.05, delay=0.1, delay_s=0.02, garbage_hz=300.0, half=0.02)
        wire.arm.connect()
        stamps = []
        for _ in range(30):
            stamps.append(wire.arm.read().stamp_s)
            wire.clock.advance(0.005)
        return stamps, wire.log.truth().links

    first, second = run(), run()
    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])


def test_pulling_the_cable_kills_the_open_port_and_plugging_in_makes_a_new_one():
    wire = Wire()
    wire.arm.connect()
    wire.clock.at(wire.clock.now() + 0.002, wire.ports.unplug)
    with pytest.raises(PortError, match="is gone"):
        wire.arm.read()
    with pytest.raises(PortError, match="no serial port"):
        wire.arm.connect()
    wire.ports.plug_in()
    assert wire.arm.connect().fresh.all()


def test_a_port_that_was_out_for_a_moment_between_two_reads_is_dead_all_the_same():
    wire = Wire()
    wire.arm.connect()
    wire.ports.unplug()
    wire.ports.plug_in()
    with pytest.raises(PortError, match="is gone"):
        wire.arm.read()


def test_a_port_may_come_back_under_another_name_or_be_taken():
    wire = Wire()
    wire.ports.unplug()
    wire.ports.plug_in("/dev/ttyUSB1")
    with pytest.raises(PortError, match=r"there are: /dev/ttyUSB1"):
        wire.arm.connect()
    wire.ports.unplug()
    wire.ports.plug_in()
    wire.ports.taken = True
    with pytest.raises(PortError, match="in use by another program"):
        wire.arm.connect()
    wire.ports.taken = False
    assert wire.arm.connect().fresh.all()
    with pytest.raises(PortError, match="in use by another program"):
        wire.ports.open(PORT, 115200, 0.01)


@pytest.mark.parametrize("baudrates", [(9600, 0.0), (115200, 9600.0)])
def test_at_different_speeds_nobody_understands_the_other(baudrates):
    host, servos = baudrates
    wire = Wire(baudrate=servos)
    arm = SerialArm(PORT, baudrate=host, clock=wire.clock, open_port=wire.ports.open)
    with pytest.raises(NoReplyError, match="no servo answers"):
        arm.connect()


def test_a_late_adapter_keeps_the_order_of_what_it_hands_over():
    wire = Wire(delay=1.0, delay_s=0.03)
    port = wire.ports.open(PORT, 115200, 0.1)
    begin = wire.clock.now()
    port.write(bus.read_position(1))
    wire.clock.advance(0.01)
    wire.faults.delay = 0.0
    port.write(bus.read_position(2))
    assert [frame[2] for frame in (port.read(8), port.read(8))] == [1, 2]
    assert wire.clock.now() - begin >= 0.03


def test_half_a_frame_is_no_frame():
    wire = Wire()
    wire.faults.half = 1.0
    assert wire.ask(bus.read_position(1), 8)[0] == b""
    assert wire.line.traffic().requests == 1


def test_a_line_that_babbles_hands_over_as_many_bytes_as_it_says():
    wire = Wire(garbage_hz=2000.0)
    port = wire.ports.open(PORT, 115200, 1.0)
    assert len(port.read(100_000)) == pytest.approx(2000, rel=0.1)
    wire.faults.garbage_hz = 0.0
    port.discard_input()
    port.write(bus.ping(1))
    assert port.read(6) == bytes.fromhex("FF F5 01 02 00 FC")


def test_the_first_frame_after_a_silence_may_be_swallowed_and_only_that():
    wire = Wire(swallow_s=0.5)
    assert wire.ask(bus.ping(1), 6)[0] == bytes.fromhex("FF F5 01 02 00 FC")
    wire.clock.advance(0.6)
    assert wire.ask(bus.ping(1), 6)[0] == b""
    assert wire.ask(bus.ping(1), 6)[0] == bytes.fromhex("FF F5 01 02 00 FC")


def test_an_echo_comes_before_the_answer():
    wire = Wire(echo=True)
    data, _ = wire.ask(bus.ping(1), 12)
    assert data == bus.ping(1) + bytes.fromhex("FF F5 01 02 00 FC")


def test_a_plan_that_is_cleared_is_healthy_and_its_chance_goes_on():
    plan = FaultPlan(drop=1.0, silent=frozenset({1}), baudrate=9600.0, echo=True)
    rng = plan.rng
    plan.clear()
    assert plan == FaultPlan(rng=rng)


def test_servos_move_on_while_nobody_asks():
    wire = Wire()
    wire.servos.command(1, 2400, 1000, wire.clock.now())
    wire.clock.advance(2.0)
    assert wire.servos.link(1) == pytest.approx(2400, abs=5)
    truth = wire.log.truth()
    assert len(truth.time_s) == pytest.approx(400, abs=2)
    assert truth.links[0].tolist() == list(UPRIGHT_TICKS)
