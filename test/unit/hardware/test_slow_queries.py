"""Torque and temperature, asked one question at a time over real frames."""

import numpy as np
import pytest

from dofbot_ros.arm.backend import ServoHealth
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servo_side import servo_side
from dofbot_ros.hardware.emulation.servos import SERVO_IDS, ModelServos
from dofbot_ros.hardware.servo_bus import ServoBus
from dofbot_ros.hardware.slow_queries import GIVE_UP, TORQUE_PERIOD_S, SlowQueries
from dofbot_ros.hardware.wire.protocol import host_protocol

THERE = np.ones(6, dtype=bool)


class Wire:
    """A byte stream straight to servos, without a line between; counts what is asked."""

    def __init__(self, protocol="bus"):
        self.servos = ModelServos()
        self.side = servo_side(protocol, self.servos)
        self.deaf = False
        self.frames = []
        self._pending = b""

    def write(self, data):
        self.frames.append(data)
        self._pending = b"" if self.deaf else self.side.answer(data, 0.0, FaultPlan()) or b""

    def read(self, size):
        data, self._pending = self._pending[:size], self._pending[size:]
        return data

    def discard_input(self):
        self._pending = b""

    def close(self):
        pass


@pytest.fixture
def wire():
    return Wire()


def queries(protocol="bus"):
    return SlowQueries(host_protocol(protocol), SERVO_IDS, 0.5)


def test_a_torque_that_is_lost_is_noticed_within_a_quarter_of_a_second(wire):
    slow, bus = queries(), ServoBus(wire)
    slow.ask_all_torques(bus)
    assert slow.torque == [True] * 6
    wire.servos.torque(4, False, 0.0)
    now = 0.0
    while slow.torque[3]:
        now += 0.02
        slow.ask_one(bus, now, THERE)
    assert now <= 0.3
    assert slow.torque == [True, True, True, False, True, True]


def test_one_question_a_cycle_at_most(wire):
    slow, bus = queries(), ServoBus(wire)
    for k in range(200):
        before = len(wire.frames)
        slow.ask_one(bus, 0.02 * k, THERE)
        assert len(wire.frames) - before <= 1
    assert len(wire.frames) <= 1 + 4.0 / TORQUE_PERIOD_S + 4.0 / 0.5


def test_temperatures_come_in_turn(wire):
    slow, bus = queries(), ServoBus(wire)
    wire.servos.heat(2, 61.0)
    for k in range(200):
        slow.ask_one(bus, 0.02 * k, THERE)
    told = slow.with_temperatures([ServoHealth(overheated=True), *[ServoHealth()] * 5])
    assert told[1].temperature_c == 61.0
    assert told[0].overheated


def test_servos_that_never_tell_are_not_asked_for_ever(wire):
    slow, bus = queries(), ServoBus(wire, retries=0)
    wire.deaf = True
    for k in range(2000):
        slow.ask_one(bus, 0.02 * k, THERE)
    torque = [frame for frame in wire.frames if frame[5] == 0x28]
    assert len(torque) == 6 * GIVE_UP
    assert slow.torque == [None] * 6


def test_a_board_that_cannot_tell_is_not_asked():
    wire = Wire("se")
    slow, bus = queries("se"), ServoBus(wire)
    slow.ask_all_torques(bus)
    for k in range(100):
        slow.ask_one(bus, 0.02 * k, THERE)
    assert wire.frames == []
    assert slow.torque == [None] * 6


def test_a_servo_that_is_not_there_is_not_asked(wire):
    slow, bus = queries(), ServoBus(wire)
    for k in range(100):
        slow.ask_one(bus, 0.02 * k, ~THERE)
    assert wire.frames == []


def test_a_servo_tells_whether_it_has_the_goal_that_was_sent_and_is_asked_once(wire):
    slow, bus = queries(), ServoBus(wire)
    wire.servos.command(2, 2100, 0, 0.0)
    wire.servos.command(3, 2090, 0, 0.0)
    for i in (1, 2):
        assert slow.may_tell_goal(i)
        slow.ask_goal(bus, i, 2100)
        assert not slow.may_tell_goal(i)
    assert slow.heard == [None, True, False, None, None, None]
    slow.sent(np.array([False, True, False, False, False, False]))
    assert slow.heard == [None, None, False, None, None, None]
    assert slow.may_tell_goal(1)


def test_a_goal_register_that_never_answers_is_given_up(wire):
    slow, bus = queries(), ServoBus(wire, retries=0)
    wire.deaf = True
    for _ in range(GIVE_UP):
        assert slow.may_tell_goal(4)
        slow.ask_goal(bus, 4, 2000)
    assert not slow.may_tell_goal(4)
    wire.deaf = False
    slow.ask_goal(bus, 4, 2000)
    assert slow.heard[4] is False, "upright it has another one"
    assert not queries("se").may_tell_goal(0)
