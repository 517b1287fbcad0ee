"""The serial arm against the emulator on a real pty, with everything that goes wrong on a bus."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import serial

from dofbot_ros.arm.backend import ArmReading
from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.realtime import realtime
from dofbot_ros.errors import NoReplyError, PortError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servo_model import ServoModelConfig
from dofbot_ros.hardware.emulation.servos import UPRIGHT_TICKS, ModelServos
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.hardware.wire import bus as protocol_bus


@pytest.fixture
def servos() -> ModelServos:
    return ModelServos(UPRIGHT_TICKS, ServoModelConfig(stall_s=0.3), time.monotonic())


@pytest.fixture
def emulator(servos, tmp_path) -> Iterator[Emulator]:
    faults = FaultPlan(rng=np.random.default_rng(7))
    with Emulator(servos, faults=faults, link=tmp_path / "servos", first=True) as emulator:
        yield emulator


@pytest.fixture
def arm(emulator) -> Iterator[SerialArm]:
    arm = SerialArm(emulator.port, temperature_period_s=0.02)
    yield arm
    arm.close()


def until(arm: SerialArm, condition: Callable[[ArmReading], bool], limit_s: float = 60.0) -> ArmReading:
    """Read at 50 Hz until `condition` holds."""
    rate, deadline = Rate(arm.clock, 50.0), arm.clock.now() + limit_s
    while arm.clock.now() < deadline:
        reading = arm.read()
        if condition(reading):
            return reading
        rate.wait()
    pytest.fail(f"never, in {limit_s} s; the last reading was {reading}")


def readings(arm: SerialArm, count: int) -> list[ArmReading]:
    rate, out = Rate(arm.clock, 50.0), []
    for _ in range(count):
        out.append(arm.read())
        rate.wait()
    return out


@pytest.mark.parametrize("fault", [{"drop": 0.03}, {"corrupt": 0.03}, {"delay": 0.05, "delay_s": 0.02}])
def test_a_poor_line_costs_retries_but_hardly_a_reading_and_never_a_wrong_one(emulator, arm, fault):
    truth = arm.connect().position
    for name, value in fault.items():
        setattr(emulator.faults, name, value)
    taken = readings(arm, 100)
    assert arm.stats().retries > 0
    # Asked once only, one of six would be missing in a sixth of them; a machine that stands still costs a few more.
    assert np.mean([reading.fresh.all() for reading in taken]) > 0.9
    for reading in taken:
        np.testing.assert_allclose(reading.position, truth, atol=1e-9)


def test_a_servo_that_is_not_read_keeps_its_last_position_and_stamp(emulator, arm):
    before = arm.connect()
    emulator.faults.silent = frozenset({4})
    reading = until(arm, lambda r: not r.fresh[3])
    assert reading.fresh.tolist() == [True, True, True, False, True, True]
    assert reading.position[3] == before.position[3]
    assert reading.stamps_s[3] < reading.stamps_s[2]
    emulator.faults.silent = frozenset()
    until(arm, lambda r: r.fresh.all())


def test_a_silent_servo_does_not_slow_the_others_down_for_long(emulator, arm):
    arm.connect()
    emulator.faults.silent = frozenset({2})
    until(arm, lambda r: not r.fresh[1])
    begin, asked = time.monotonic(), arm.stats().frames_sent
    taken = [arm.read() for _ in range(50)]
    seconds = time.monotonic() - begin
    others, temperatures = 50 * 5, 50
    assert arm.stats().frames_sent - asked <= others + temperatures + seconds / 0.25 + 1
    assert all(reading.fresh[[0, 2, 3, 4, 5]].all() for reading in taken)


def test_an_adapter_that_echoes_makes_no_difference(emulator, arm):
    emulator.faults.echo = True
    start = arm.connect().position
    arm.torque(True)
    goal = start + 0.1
    arm.write(goal, 0.2)
    until(arm, lambda r: bool(np.allclose(r.position, goal, atol=0.01)))
    # An echo that is taken for an answer costs a retry each time; a machine that stands still, one now and then.
    assert arm.stats().retries < 0.1 * arm.stats().replies


def test_the_last_goal_arrives_even_when_its_frame_was_lost(emulator, arm):
    start = arm.connect().position
    arm.torque(True)
    emulator.faults.drop = 1.0
    before = emulator.traffic().requests
    arm.write(start + 0.2, 0.1)
    deadline = time.monotonic() + 60.0
    while emulator.traffic().requests < before + 6:
        assert time.monotonic() < deadline, "the goals have not come to the line"
        time.sleep(0.001)
    emulator.faults.drop = 0.0
    until(arm, lambda r: bool(np.allclose(r.position, start + 0.2, atol=0.02)))


def test_goals_that_come_too_soon_are_replaced_by_newer_ones_and_the_newest_goes_out(servos, emulator, arm):
    start = arm.connect().position
    arm.torque(True)
    assert arm.write(start + 0.1, 0.1).written.all()
    went_out = [arm.write(start + 0.01 * k, 0.1).written.any() for k in range(5)]
    assert not all(went_out)
    until(arm, lambda r: bool(np.allclose(r.position, start + 0.04, atol=0.01)))


def test_sync_write_moves_all_six_with_one_frame(emulator):
    arm = SerialArm(emulator.port, sync_write=True)
    start = arm.connect().position
    before = emulator.traffic(), arm.stats()
    arm.write(start + 0.1, 0.2)
    until(arm, lambda r: bool(np.allclose(r.position, start + 0.1, atol=0.01)))
    after = emulator.traffic(), arm.stats()
    assert arm.stats().lost == 0
    asked = after[0].requests - before[0].requests
    assert asked == after[1].frames_sent - before[1].frames_sent
    assert asked == after[0].replies - before[0].replies + 1
    assert arm.stats().frames_sent - arm.stats().replies == 1
    arm.close()


def test_stale_bytes_from_before_opening_are_no_reading(emulator, arm):
    stale = protocol_bus.encode_reply(protocol_bus.Reply(1, 0, b"\x01\x02")) * 20
    os.write(emulator._port.far_end, stale)
    np.testing.assert_allclose(arm.connect().position, DEFAULT_CALIBRATION.ticks_to_rad(list(UPRIGHT_TICKS)), atol=1e-9)


def test_unplugging_is_a_port_error_and_plugging_in_mends_it(emulator, arm):
    arm.connect()
    emulator.unplug()
    with pytest.raises(PortError, match=r"is gone .*: is the cable in\?"):
        readings(arm, 10)
    with pytest.raises(PortError, match="no serial port"):
        arm.connect()
    emulator.plug_in()
    assert arm.connect().fresh.all()
    assert readings(arm, 5)[-1].fresh.all()


def test_unplugging_is_noticed_by_writing_too(emulator, arm):
    start = arm.connect().position
    arm.torque(True)
    emulator.unplug()

    def keep_writing(limit_s: float = 5.0) -> None:
        end = arm.clock.now() + limit_s
        while arm.clock.now() < end:
            arm.write(start + 0.3 * np.sin(arm.clock.now()), 0.02)

    with pytest.raises(PortError, match="gone"):
        keep_writing()


def test_a_hot_servo_is_reported_with_its_temperature(servos, emulator, arm):
    arm.connect()
    with emulator.lock:
        servos.heat(4, 81.0)
    reading = until(arm, lambda r: r.health[3].overheated and (r.health[3].temperature_c or 0) > 70)
    assert reading.health[3].faults == ("temperature",)
    assert [health.faults for i, health in enumerate(reading.health) if i != 3] == [()] * 5
    until(arm, lambda r: all(health.temperature_c is not None for health in r.health))


def test_a_stalled_servo_is_reported_as_overloaded_and_torque_on_takes_hold_again(servos, emulator, arm):
    start = arm.connect().position
    arm.torque(True)
    with emulator.lock:
        servos.jam(6)
    arm.write(start + np.array([0, 0, 0, 0, 0, 0.8]), 0.1)
    reading = until(arm, lambda r: r.health[5].overloaded)
    assert reading.health[5].faults == ("overload",)
    with emulator.lock:
        servos.jam(6, False)
    arm.torque(True)
    until(arm, lambda r: not r.health[5].overloaded)


def test_a_weak_supply_is_reported(servos, emulator, arm):
    arm.connect()
    with emulator.lock:
        for model in servos.models.values():
            model.supply_v = 5.0
    reading = until(arm, lambda r: all(health.voltage_fault for health in r.health))
    assert reading.health[0].faults == ("voltage",)


def test_torque_on_over_a_poor_line_is_made_sure_of(servos, emulator, arm):
    arm.connect()
    emulator.faults.drop = 0.05
    for enabled in (False, True, False, True):
        arm.torque(enabled)
        assert all(servos.torque_on(servo) is enabled for servo in servos.ids)


def test_torque_on_holds_an_arm_that_was_turned_by_hand(servos, emulator, arm):
    arm.connect()
    arm.torque(True)
    arm.torque(False)
    with emulator.lock:
        servos.turn_by_hand(2, 2600)
    turned = until(arm, lambda r: r.position[1] > 0.5).position
    arm.torque(True)
    for reading in readings(arm, 25):
        np.testing.assert_allclose(reading.position, turned, atol=0.01)


def test_torque_is_refused_while_a_servo_is_silent(servos, emulator, arm):
    arm.connect()
    arm.torque(False)
    emulator.faults.silent = frozenset({1})
    with pytest.raises(NoReplyError, match=r"servo 1 \(joint1\) is silent: torque stays off") as caught:
        arm.torque(True)
    assert caught.value.servos == (1,)
    assert not servos.torque_on(2)


def test_one_silent_servo_is_named_at_connect(emulator, arm):
    emulator.faults.silent = frozenset({5})
    with pytest.raises(NoReplyError, match=r"servo 5 \(joint5\) is silent .* servos 1, 2, 3, 4, 6 answer") as caught:
        arm.connect()
    assert caught.value.servos == (5,)


def test_nobody_answering_names_what_to_check_and_frees_the_port(emulator, arm):
    emulator.faults.silent = frozenset(range(1, 7))
    with pytest.raises(NoReplyError, match=r"no servo answers protocol bus: is the servo power on") as caught:
        arm.connect()
    assert caught.value.servos == (1, 2, 3, 4, 5, 6)
    emulator.faults.silent = frozenset()
    assert arm.connect().fresh.all()


def test_the_wrong_protocol_is_named(emulator):
    with pytest.raises(NoReplyError, match="speaks bus: use protocol bus"):
        SerialArm(emulator.port, "se").connect()


def test_the_wrong_baudrate_hears_nothing(emulator):
    with pytest.raises(NoReplyError, match=r"9600 baud, but no servo answers .* 115200 baud\?"):
        SerialArm(emulator.port, baudrate=9600).connect()


def test_only_one_program_may_have_the_port(emulator, arm):
    arm.connect()
    with pytest.raises(PortError, match="in use by another program"):
        SerialArm(emulator.port).connect()
    assert arm.read().fresh.all()


def test_no_such_port_lists_those_there_are(tmp_path):
    with pytest.raises(PortError, match=r"no serial port .*/ttyUSB7; there are: ") as caught:
        SerialArm(str(tmp_path / "ttyUSB7")).connect()
    assert caught.value.port.endswith("ttyUSB7")


def test_a_file_is_no_serial_port(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a port")
    with pytest.raises(PortError, match="is not a serial port"):
        SerialArm(str(path)).connect()


def test_a_baudrate_that_no_port_has_is_named(emulator):
    with pytest.raises((PortError, NoReplyError), match="115200"):
        SerialArm(emulator.port, baudrate=123).connect()


def test_permission_denied_names_the_group(emulator, monkeypatch):
    def refuse(*args, **options):
        raise serial.SerialException(13, "could not open port: [Errno 13] Permission denied")

    # The one thing that a test run by root cannot bring about for real.
    monkeypatch.setattr(serial, "Serial", refuse)
    with pytest.raises(PortError, match=r"no permission to open .* usermod -aG dialout"):
        SerialArm(emulator.port).connect()


def test_the_line_takes_its_time():
    with Emulator(first=True) as emulator, serial.Serial(emulator.port, 115200, timeout=1.0) as port, realtime():
        question = protocol_bus.read_position(1)
        spans = []
        for _ in range(50):
            begin = time.monotonic()
            port.write(question)
            assert len(port.read(8)) == 8
            spans.append(time.monotonic() - begin)
    sixteen_bytes_s = 16 * 10 / 115200
    # The quickest: a busy machine makes the others wait for their turn, too.
    assert sixteen_bytes_s <= min(spans) < sixteen_bytes_s + 0.002
