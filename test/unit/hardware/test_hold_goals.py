"""What a servo is told when torque is switched on: one that holds already keeps its goal, whatever its sensor says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.errors import BusError
from dofbot_ros.hardware.hold_goals import NEAR_TICKS, contradicting, goals_to_hold

from .virtual_wire import Wire

TICKS = st.integers(96, 4000)
SIX = st.lists(TICKS, min_size=6, max_size=6).map(np.array)
FLAGS = st.lists(st.booleans(), min_size=6, max_size=6)


@given(
    SIX,
    SIX,
    FLAGS.map(np.array),
    st.lists(st.none() | TICKS, min_size=6, max_size=6),
    st.lists(st.sampled_from([True, False, None]), min_size=6, max_size=6),
)
def test_each_servo_is_held_by_the_best_that_is_known_of_it(present, sent, ours, told, holding):
    goals = goals_to_hold(present, sent, ours, told, holding)
    for i, goal in enumerate(goals):
        if holding[i] is not True:
            assert goal == present[i]
        elif ours[i]:
            assert goal == sent[i]
        elif told[i] is not None:
            assert goal == told[i]
        else:
            assert goal == present[i]
    odd = contradicting(present, ours, told, holding)
    assert (np.abs(goals - present)[~odd & ~ours] <= NEAR_TICKS).all()


def links(wire: Wire) -> np.ndarray:
    wire.servos.step(wire.clock.now())
    return np.array([wire.servos.link(servo) for servo in wire.servos.ids])


@pytest.mark.parametrize("lie", ["shifted", "zero", "frozen"])
def test_a_joint_that_holds_is_not_moved_by_what_its_sensor_says(lie: str) -> None:
    wire = Wire()
    here = wire.arm.connect().position
    wire.arm.torque(True)
    wire.arm.write(here + 0.02, 0.05)
    wire.clock.advance(0.3)
    wire.arm.read()
    before = links(wire)
    setattr(wire.faults, lie, frozenset({2}))
    wire.servos.trip(3, wire.clock.now())  # why torque is switched on anew
    wire.arm.torque(True)
    wire.clock.advance(1.0)
    assert np.abs(links(wire) - before).max() <= 4.0, "the play of the gears"
    assert wire.servos.holding(3)
    kept = np.array([True, True, False, True, True, True])
    assert (wire.arm.underway() - here)[kept] == pytest.approx(0.02, abs=0.001)


@pytest.mark.parametrize("load", [-16.0, 16.0])
def test_a_joint_that_holds_a_load_does_not_sag_once_more_whoever_has_sent_its_goal(load: float) -> None:
    wire = Wire()
    wire.servos.load(2, load)
    wire.clock.advance(0.1)
    before = links(wire)
    wire.arm.connect()
    for _ in range(3):
        wire.arm.torque(True)
        wire.clock.advance(1.0)
        assert links(wire) == pytest.approx(before)


def test_a_joint_of_another_program_is_not_taken_over_where_it_cannot_be() -> None:
    wire = Wire(shifted=frozenset({2}))
    before = links(wire)
    wire.arm.connect()
    with pytest.raises(BusError, match=r"servo 2 \(joint2\) is read far from the goal of another program"):
        wire.arm.torque(True)
    wire.clock.advance(1.0)
    assert links(wire) == pytest.approx(before)
    wire.arm.torque(False)
    wire.faults.clear()
    wire.arm.torque(True)
    assert all(wire.servos.holding(servo) for servo in wire.servos.ids)


def test_a_servo_that_has_let_go_is_held_where_it_is_though_its_torque_register_says_on(monkeypatch) -> None:
    wire = Wire()
    here = wire.arm.connect().position
    wire.arm.torque(True)
    wire.arm.write(here + 0.02, 0.05)
    wire.clock.advance(0.3)
    wire.servos.trip(4, wire.clock.now())
    wire.servos.turn_by_hand(4, wire.servos.link(4) + 200.0)
    before = links(wire)
    monkeypatch.setattr(wire.servos, "holding", lambda servo: True)
    wire.arm.torque(True)
    wire.clock.advance(1.0)
    assert np.abs(links(wire) - before).max() <= 4.0


def test_a_limp_joint_whose_sensor_lies_is_not_moved_at_full_speed() -> None:
    wire = Wire()
    wire.arm.connect()
    wire.arm.torque(False)
    wire.faults.shifted = frozenset({2})
    wire.arm.torque(True)
    begin, goal = links(wire), wire.arm.underway()
    for _ in range(5):
        wire.arm.read()
        wire.arm.write(goal, 0.02)
        wire.clock.advance(0.02)
    way = np.abs(links(wire) - begin)[1] / 700.0
    assert 0.01 < way < 0.15, "in half a second, not at 3.4 rad/s"


def test_a_limp_joint_is_held_where_it_is_whatever_it_was_sent_before() -> None:
    wire = Wire()
    here = wire.arm.connect().position
    wire.arm.torque(True)
    wire.arm.write(here + 0.02, 0.05)
    wire.clock.advance(0.3)
    wire.servos.torque(4, False, wire.clock.now())
    wire.servos.turn_by_hand(4, wire.servos.link(4) + 200.0)
    before = links(wire)
    wire.arm.torque(True)
    wire.clock.advance(1.0)
    assert np.abs(links(wire) - before).max() <= 4.0
    assert wire.servos.holding(4)


def test_a_servo_without_a_goal_register_is_held_where_it_is_read() -> None:
    present = np.full(6, 2000)
    goals = goals_to_hold(present, np.zeros(6, dtype=np.int64), np.zeros(6, dtype=bool), [0] * 6, [True] * 6)
    assert goals.tolist() == present.tolist()
