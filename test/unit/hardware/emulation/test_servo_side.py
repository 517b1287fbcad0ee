"""The far end of the wire: what servos and board do with requests, asked in bytes."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.errors import FrameError, InputError
from dofbot_ros.hardware.emulation.faults import FaultPlan, parse_faults
from dofbot_ros.hardware.emulation.servo_side import BusServoSide, SeServoSide
from dofbot_ros.hardware.emulation.servos import ModelServos
from dofbot_ros.hardware.wire import bus, se

ACT = bus.encode_request(bus.Request(bus.BROADCAST, bus.ACTION))

HEALTHY = FaultPlan()


class Bus:
    """Bytes in, bytes out, on a time of its own."""

    def __init__(self) -> None:
        self.servos = ModelServos()
        self.side = BusServoSide(self.servos)
        self.now = 0.0
        self.faults = FaultPlan()

    def say(self, frame: bytes) -> bus.Reply | None:
        answer = self.side.answer(frame, self.now, self.faults)
        return None if answer is None else bus.decode_reply(answer)

    def position(self, servo: int) -> int:
        reply = self.say(bus.read_position(servo))
        assert reply is not None
        return int.from_bytes(reply.data, "big")


def test_ping_and_position_are_answered_as_in_the_sheet():
    line = Bus()
    assert line.say(bus.ping(1)) == bus.Reply(1, 0)
    assert line.side.answer(bus.read_position(1), 0.0, HEALTHY) == bytes.fromhex("FF F5 01 04 00 07 D0 23")


def test_writes_and_broadcasts_are_not_answered():
    line = Bus()
    for frame in (
        bus.write_goal(1, 2100, 100),
        bus.write_torque(1, True),
        bus.ping(bus.BROADCAST),
        bus.sync_write_goals({1: (2000, 100)}),
        ACT,
    ):
        assert line.say(frame) is None


def test_a_servo_without_plug_and_an_id_that_nobody_has_are_silent():
    line = Bus()
    assert line.say(bus.ping(9)) is None
    line.faults.silent = frozenset({3})
    assert line.say(bus.ping(3)) is None


def test_a_goal_is_moved_to_in_its_time():
    line = Bus()
    line.say(bus.write_goal(2, 2400, 1000))
    line.now = 0.51
    assert line.position(2) == pytest.approx(2200, abs=5)
    line.now = 2.0
    assert line.position(2) == pytest.approx(2400, abs=5)


def test_sync_write_moves_exactly_the_servos_it_names():
    line = Bus()
    line.say(bus.sync_write_goals({1: (2300, 100), 4: (1800, 100)}))
    line.now = 1.0
    assert [line.position(servo) for servo in (1, 2, 4)] == [
        pytest.approx(2300, abs=5),
        2000,
        pytest.approx(1800, abs=5),
    ]


def test_a_goal_for_later_waits_for_action():
    line = Bus()
    line.say(bus.encode_request(bus.Request(1, bus.REG_WRITE, bytes([bus.GOAL_ADDRESS]) + bus.goal_bytes(2300, 100))))
    line.now = 1.0
    assert line.position(1) == 2000
    line.say(ACT)
    line.now = 2.0
    assert line.position(1) == pytest.approx(2300, abs=5)


def test_torque_goal_and_temperature_can_be_read_back():
    line = Bus()
    line.say(bus.write_goal(5, 1600, 700))
    line.say(bus.write_torque(5, False))
    assert line.say(bus.read(5, bus.TORQUE_ADDRESS, 1)) == bus.Reply(5, 0, b"\x00")
    assert line.say(bus.read(5, bus.GOAL_ADDRESS, 4)) == bus.Reply(5, 0, bus.goal_bytes(1600, 700))
    line.servos.heat(5, 80.0)
    assert line.say(bus.read_temperature(5)) == bus.Reply(5, bus.TEMPERATURE_BIT, b"\x50")


def test_status_bits_come_with_every_reply():
    line = Bus()
    line.servos.models[1].supply_v = 4.0
    line.servos.jam(1)
    line.say(bus.write_goal(1, 3000, 0))
    for tenth in range(40):
        line.now = tenth / 10
        line.servos.step(line.now)
    reply = line.say(bus.read_position(1))
    assert reply is not None
    assert reply.status == bus.VOLTAGE_BIT | bus.OVERLOAD_BIT


@given(
    st.builds(
        bus.Request,
        st.one_of(st.integers(1, 6), st.just(bus.BROADCAST)),
        st.one_of(st.sampled_from([1, 2, 3, 4, 5, 6, 0x83]), st.integers(0, 255)),
        st.one_of(st.binary(max_size=30), st.binary(max_size=29).map(lambda b: bytes([0x2A]) + b)),
    )
)
def test_any_valid_frame_leaves_the_servos_answering(request_):
    line = Bus()
    with suppress(FrameError):
        line.side.answer(bus.encode_request(request_), 0.0, HEALTHY)
    line.now = 1.0
    assert 0 <= line.position(1) <= 4095


def test_the_board_reads_moves_and_lets_go():
    servos = ModelServos()
    board = SeServoSide(servos)
    assert board.answer(se.read_position(1), 0.0, HEALTHY) == bytes.fromhex("FF FB 06 0A 07 D0 31 18")
    board.answer(se.write_goals([2100, 2200, 2300, 2400, 1500, 1600], 500), 0.0, HEALTHY)
    board.answer(se.write_goal(6, 1700, 500), 0.0, HEALTHY)
    found = [se.decode_position(board.answer(se.read_position(s), 2.0, HEALTHY) or b"")[1] for s in servos.ids]
    assert found == pytest.approx([2100, 2200, 2300, 2400, 1500, 1700], abs=5)
    board.answer(se.write_torque(False), 2.0, HEALTHY)
    assert not any(servos.torque_on(s) for s in servos.ids)
    assert board.answer(se.encode(se.Message(se.VERSION)), 2.0, HEALTHY) is not None


def test_the_board_says_zero_for_a_servo_it_cannot_reach():
    board = SeServoSide(ModelServos())
    assert board.answer(se.read_position(4), 0.0, FaultPlan(silent=frozenset({4}))) == se.position_reply(4, 0)


def test_faults_from_the_command_line():
    faults = parse_faults(["drop=0.01", "echo=1", "silent=3", "jam=2", "heat=4"], np.random.default_rng(0))
    assert faults.line.drop == 0.01
    assert faults.line.echo is True
    assert faults.line.silent == {3}
    assert faults.servos == (("jam", 2), ("heat", 4))


def test_faults_of_servos_befall_them():
    servos = ModelServos()
    words = ["overload=1", "limp=2", "weak=3", "heat=4", "reboot=5", "jam=6"]
    parse_faults(words, np.random.default_rng(0)).befall(servos, 0.0)
    assert servos.health(1, 0.0).faults == ("overload",)
    assert not servos.holding(1)
    assert not servos.torque_on(2)
    assert servos.health(3, 0.0).faults == ("voltage",)
    assert servos.health(4, 0.0).faults == ("temperature",)
    assert not servos.torque_on(5)
    servos.command(6, 2500, 0, 0.0)
    servos.step(1.0)
    assert servos.link(6) == 2000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dorp=1", "did you mean drop"),
        ("drop=often", "needs a number"),
        ("drop=2", "0 to 1"),
        ("delay_s=-1", "delay_s must be at least 0"),
        ("silent=7", "1 to 6"),
    ],
)
def test_faults_that_are_none_are_refused(text, says):
    with pytest.raises(InputError, match=says):
        parse_faults([text], np.random.default_rng(0))


def test_a_sensor_that_lies_moves_nothing_but_what_is_told():
    line = Bus()
    line.position(1)
    line.faults.frozen, line.faults.zero = frozenset({1}), frozenset({2})
    line.faults.shifted, line.faults.shift_ticks = frozenset({3}), 150.0
    for servo in (1, 2, 3):
        line.say(bus.write_goal(servo, 2200, 0))
    line.now = 1.0
    assert [line.position(servo) for servo in (1, 2, 3)] == [2000, 0, pytest.approx(2350, abs=5)]
    assert [line.servos.link(servo) for servo in (1, 2, 3)] == pytest.approx([2200] * 3, abs=5)


def test_a_servo_that_ignores_its_torque_switch_keeps_what_it_had():
    line = Bus()
    line.faults.torque_deaf = frozenset({2})
    for servo in (1, 2):
        line.say(bus.write_torque(servo, False))
    told = [line.say(bus.read(servo, bus.TORQUE_ADDRESS, 1)) for servo in (1, 2)]
    assert told == [bus.Reply(1, 0, b"\x00"), bus.Reply(2, 0, b"\x01")]


def test_a_servo_that_let_go_says_that_it_has_no_torque_whatever_its_switch_says():
    line = Bus()
    line.servos.trip(3, 0.0)
    assert line.servos.torque_on(3)
    assert line.say(bus.read(3, bus.TORQUE_ADDRESS, 1)) == bus.Reply(3, bus.OVERLOAD_BIT, b"\x00")


def test_the_current_is_that_of_the_load():
    line = Bus()
    line.servos.jam(1)
    line.say(bus.write_goal(1, 3000, 0))
    line.now = 1.0
    told = [line.say(bus.read(servo, bus.CURRENT_ADDRESS, 2)) for servo in (1, 2)]
    assert told == [bus.Reply(1, 0, (3200).to_bytes(2, "big")), bus.Reply(2, 0, (80).to_bytes(2, "big"))]


def test_two_servos_with_one_id_both_move_and_garble_each_other_s_answers():
    line = Bus()
    line.faults.twin = frozenset({3})
    assert line.say(bus.ping(3)) is None
    assert line.say(bus.ping(2)) == bus.Reply(2, 0)
    line.say(bus.write_goal(2, 2400, 0))
    line.servos.jam(3)
    line.now = 1.0
    answer = line.side.answer(bus.read_position(2), line.now, line.faults)
    assert line.servos.link(2) == pytest.approx(2400, abs=5)
    with pytest.raises(FrameError):
        bus.decode_reply(answer or b"")
    line.servos.jam(3, False)
    line.now = 2.0
    line.servos.step(line.now)
    assert line.servos.link(3) == pytest.approx(2400, abs=5)


def test_chance_is_as_likely_as_it_says():
    plan = FaultPlan(drop=0.2, corrupt=0.1, rng=np.random.default_rng(3))
    frame = bus.ping(1)
    carried = [plan.carry(frame) for _ in range(5000)]
    assert carried.count(None) == pytest.approx(1000, abs=120)
    damaged = [c for c in carried if c not in (None, frame)]
    assert len(damaged) == pytest.approx(400, abs=80)
    assert all(len(c) == len(frame) for c in damaged)
