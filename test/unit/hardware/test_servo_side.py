"""The far end of the wire: what servos and board do with requests, asked in bytes."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.errors import FrameError, InputError
from dofbot_ros.hardware import protocol_bus as bus
from dofbot_ros.hardware import protocol_se as se
from dofbot_ros.hardware.faults import FaultPlan, parse_faults
from dofbot_ros.hardware.servo_side import BusServoSide, SeServoSide
from dofbot_ros.hardware.servos import ModelServos

NOBODY: frozenset[int] = frozenset()


class Bus:
    """Bytes in, bytes out, on a time of its own."""

    def __init__(self) -> None:
        self.servos = ModelServos()
        self.side = BusServoSide(self.servos)
        self.now = 0.0

    def say(self, frame: bytes, silent: frozenset[int] = NOBODY) -> bus.Reply | None:
        answer = self.side.answer(frame, self.now, silent)
        return None if answer is None else bus.decode_reply(answer)

    def position(self, servo: int) -> int:
        reply = self.say(bus.read_position(servo))
        assert reply is not None
        return int.from_bytes(reply.data, "big")


def test_ping_and_position_are_answered_as_in_the_sheet():
    line = Bus()
    assert line.say(bus.ping(1)) == bus.Reply(1, 0)
    assert line.side.answer(bus.read_position(1), 0.0, NOBODY) == bytes.fromhex("FF F5 01 04 00 07 D0 23")


def test_writes_and_broadcasts_are_not_answered():
    line = Bus()
    for frame in (
        bus.write_goal(1, 2100, 100),
        bus.write_torque(1, True),
        bus.ping(bus.BROADCAST),
        bus.sync_write_goals({1: (2000, 100)}),
        bus.action(),
    ):
        assert line.say(frame) is None


def test_a_servo_without_plug_and_an_id_that_nobody_has_are_silent():
    line = Bus()
    assert line.say(bus.ping(3), silent=frozenset({3})) is None
    assert line.say(bus.ping(9)) is None


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
    line.say(bus.write_goal_later(1, 2300, 100))
    line.now = 1.0
    assert line.position(1) == 2000
    line.say(bus.action())
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
        line.side.answer(bus.encode_request(request_), 0.0, NOBODY)
    line.now = 1.0
    assert 0 <= line.position(1) <= 4095


def test_the_board_reads_moves_and_lets_go():
    servos = ModelServos()
    board = SeServoSide(servos)
    assert board.answer(se.read_position(1), 0.0, NOBODY) == bytes.fromhex("FF FB 06 0A 07 D0 31 18")
    board.answer(se.write_goals([2100, 2200, 2300, 2400, 1500, 1600], 500), 0.0, NOBODY)
    board.answer(se.write_goal(6, 1700, 500), 0.0, NOBODY)
    found = [se.decode_position(board.answer(se.read_position(s), 2.0, NOBODY) or b"")[1] for s in servos.ids]
    assert found == pytest.approx([2100, 2200, 2300, 2400, 1500, 1700], abs=5)
    board.answer(se.write_torque(False), 2.0, NOBODY)
    assert not any(servos.torque_on(s) for s in servos.ids)
    assert board.answer(se.encode(se.Message(se.VERSION)), 2.0, NOBODY) is not None


def test_the_board_says_zero_for_a_servo_it_cannot_reach():
    board = SeServoSide(ModelServos())
    assert board.answer(se.read_position(4), 0.0, frozenset({4})) == se.position_reply(4, 0)


def test_faults_from_the_command_line():
    faults = parse_faults(["drop=0.01", "echo=1", "silent=3", "jam=2", "heat=4"], np.random.default_rng(0))
    assert faults.line.drop == 0.01
    assert faults.line.echo is True
    assert faults.line.silent == {3}
    assert (faults.jammed, faults.hot) == ((2,), (4,))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dorp=1", "did you mean drop"),
        ("drop=often", "needs a number"),
        ("drop=2", "0 to 1"),
        ("delay_s=-1", "0 s or more"),
        ("silent=7", "1 to 6"),
    ],
)
def test_faults_that_are_none_are_refused(text, says):
    with pytest.raises(InputError, match=says):
        parse_faults([text], np.random.default_rng(0))


def test_chance_is_as_likely_as_it_says():
    plan = FaultPlan(drop=0.2, corrupt=0.1, rng=np.random.default_rng(3))
    frame = bus.ping(1)
    carried = [plan.carry(frame) for _ in range(5000)]
    assert carried.count(None) == pytest.approx(1000, abs=120)
    damaged = [c for c in carried if c not in (None, frame)]
    assert len(damaged) == pytest.approx(400, abs=80)
    assert all(len(c) == len(frame) for c in damaged)
