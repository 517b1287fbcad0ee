"""SerialArm where things go wrong: on a virtual line, in no time."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.arm.backend import BusStats
from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.errors import BusError, InputError, NoReplyError, PortError
from dofbot_ros.hardware.wire.protocol import ProtocolName

from .virtual_wire import PORT, Wire

ALL = frozenset(range(1, 7))


def test_an_arm_that_was_not_connected_says_so_and_counts_nothing() -> None:
    arm = Wire().arm
    for use in (arm.read, lambda: arm.write(np.zeros(6), 0.1), lambda: arm.torque(True)):
        with pytest.raises(PortError, match=f"{PORT} is not open: connect"):
            use()
    assert arm.stats() == BusStats()
    arm.close()


@pytest.mark.parametrize("bad", [np.zeros(5), np.full(6, np.nan), np.array([0.0] * 5 + [np.inf])])
def test_a_goal_that_is_no_six_finite_angles_is_refused(bad: np.ndarray) -> None:
    wire = Wire()
    wire.arm.connect()
    with pytest.raises(InputError, match="an arm's goal is 6 finite joint angles, got"):
        wire.arm.write(bad, 0.1)


@pytest.mark.parametrize("duration_s", [-0.1, np.inf, np.nan])
def test_a_duration_that_is_none_is_refused(duration_s: float) -> None:
    wire = Wire()
    wire.arm.connect()
    with pytest.raises(InputError, match="a move takes some time, got"):
        wire.arm.write(np.zeros(6), duration_s)


def test_one_silent_servo_is_named_with_those_that_answer() -> None:
    wire = Wire(silent=frozenset({3}))
    with pytest.raises(NoReplyError) as refused:
        wire.arm.connect()
    assert str(refused.value) == (
        f"servo 3 (joint3) is silent on {PORT} while servos 1, 2, 4, 5, 6 answer: check its plug and its id"
    )
    assert refused.value.servos == (3,)


def test_several_silent_servos_are_named_in_the_plural() -> None:
    wire = Wire(silent=frozenset({2, 6}))
    with pytest.raises(NoReplyError, match=r"servos 2 \(joint2\), 6 \(grip_joint\) are silent"):
        wire.arm.connect()


def test_all_silent_asks_for_power_port_protocol_and_speed() -> None:
    with pytest.raises(NoReplyError) as refused:
        Wire(silent=ALL).arm.connect()
    assert str(refused.value) == (
        f"{PORT} opened at 115200 baud, but no servo answers protocol bus: is the servo power on, "
        "is it the right port, the right protocol (bus or se), 115200 baud?"
    )
    assert refused.value.servos == (1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(("there", "asked"), [("se", "bus"), ("bus", "se")])
def test_the_other_protocol_is_recognised(there: ProtocolName, asked: ProtocolName) -> None:
    with pytest.raises(NoReplyError, match=f"protocol {asked}; the arm there speaks {there}: use protocol {there}$"):
        Wire(there, asked).arm.connect()


def test_torque_stays_off_while_a_servo_is_silent() -> None:
    wire = Wire()
    wire.arm.connect()
    wire.faults.silent = frozenset({4})
    with pytest.raises(NoReplyError, match=r"servo 4 \(joint4\) is silent: torque stays off") as refused:
        wire.arm.torque(True)
    assert refused.value.servos == (4,)
    wire.faults.silent = frozenset()
    wire.arm.torque(True)


@pytest.mark.parametrize(("silent_s", "on"), [(0.05, True), (0.13, False)])
def test_torque_comes_on_though_one_answer_is_lost_for_good_but_not_where_more_are(silent_s: float, on: bool) -> None:
    wire = Wire()
    wire.arm.connect()
    wire.arm.torque(False)
    wire.faults.silent = frozenset({4})
    wire.clock.at(wire.clock.now() + silent_s, wire.faults.clear)
    if on:
        wire.arm.torque(True)
    else:
        with pytest.raises(NoReplyError, match=r"servo 4 \(joint4\) is silent: torque stays off"):
            wire.arm.torque(True)
    assert wire.servos.torque_on(4) is on


def test_a_pulled_cable_ends_the_connection_and_it_can_be_made_again() -> None:
    wire = Wire()
    wire.arm.connect()
    wire.ports.unplug()
    with pytest.raises(PortError):
        wire.arm.read()
    wire.ports.plug_in()
    assert wire.arm.connect().fresh.all()


def test_a_servo_that_does_not_switch_its_torque_is_named() -> None:
    wire = Wire()
    wire.arm.connect()
    wire.arm.torque(True)
    wire.faults.torque_deaf = frozenset({5})
    with pytest.raises(NoReplyError, match=r"servo 5 \(joint5\) is not confirming it") as refused:
        wire.arm.torque(False)
    assert refused.value.servos == (5,)
    assert [servo for servo in sorted(ALL) if wire.servos.torque_on(servo)] == [5], "the others let go"


@pytest.mark.parametrize("ticks", [60, 4050])
def test_torque_stays_off_where_a_servo_cannot_be_told_to_stay(ticks: int) -> None:
    wire = Wire()
    for servo in ALL:
        wire.servos.torque(servo, False, wire.clock.now())
    wire.servos.turn_by_hand(2, ticks)
    wire.arm.connect()
    with pytest.raises(BusError, match=rf"servo 2 \(joint2\) is at tick {ticks}, and servos take goals in"):
        wire.arm.torque(True)
    assert not any(wire.servos.torque_on(servo) for servo in ALL)


def test_a_read_whose_time_is_over_asks_nobody_and_begins_with_the_same_servo_next_time() -> None:
    wire = Wire()
    wire.arm.connect()
    before = wire.arm.stats().frames_sent
    assert not wire.arm.read(until_s=wire.clock.now()).fresh.any()
    assert not wire.arm.read(urgent=lambda: True).fresh.any()
    assert wire.arm.stats().frames_sent == before
    assert wire.arm.read().fresh.all()


def test_a_read_that_is_cut_short_goes_on_where_it_stopped() -> None:
    wire = Wire()
    wire.arm.connect()
    asked = iter([False, False, True] + [True] * 9)
    assert wire.arm.read(urgent=lambda: next(asked)).fresh.tolist() == [True, True, False, False, False, False]
    asked = iter([False] * 3 + [True] * 9)
    assert wire.arm.read(urgent=lambda: next(asked)).fresh.tolist() == [False, False, True, True, True, False]


def test_a_servo_that_was_silent_is_sent_nothing_until_it_has_answered() -> None:
    wire = Wire()
    arm, here = wire.arm, wire.arm.connect().position
    arm.torque(True)
    wire.faults.silent = ALL
    arm.read(until_s=wire.clock.now() + 0.04)  # a few are asked; nobody answers: the line is dead
    first = arm.write(here + 0.05, 0.1)
    asked = np.flatnonzero(~first.written)
    assert 1 < len(asked) < 6
    wire.clock.advance(0.05)
    wire.faults.silent = frozenset()
    arm.read(until_s=wire.clock.now() + 0.001)  # one answers: the line lives, and of the others nothing is known
    answered = np.flatnonzero(arm.read(until_s=wire.clock.now()).fresh)
    assert len(answered) == 0
    wire.clock.advance(0.05)
    again = arm.write(here + 0.1, 0.1)
    assert not again.written[asked].any()
    wire.clock.advance(0.1)
    arm.read()
    assert not arm.write(here + 0.1, 0.1).written[np.setdiff1d(range(6), asked)].any()  # they have it already
    wire.clock.advance(0.1)
    assert arm.write(here + 0.15, 0.1).written.all()


def test_the_first_goal_is_said_again_where_the_line_was_quiet_and_may_have_lost_it() -> None:
    wire = Wire()
    here = wire.arm.connect().position
    wire.arm.torque(True)
    wire.faults.swallow_s = 0.005
    wire.clock.advance(0.05)
    wire.arm.read(until_s=wire.clock.now() + 0.001)
    wire.clock.advance(0.05)
    wire.arm.write(here + 0.1, 0.2)
    wire.line.step(wire.clock.now() + 1.0)
    moved = [wire.servos.link(servo) for servo in wire.servos.ids]
    assert np.abs(np.array(moved) - np.array([2000.0] * 4 + [1486.0, moved[5]]))[:5].min() > 20


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_late_no_joint_is_read_where_it_has_not_been(seed: int) -> None:
    """An answer that is late comes when the next question has been asked, of the same servo, too: what the motor draws
    was taken for the place where it stands."""
    wire = Wire()
    start = wire.arm.connect().position
    wire.arm.torque(True)
    wire.faults.delay, rng = 0.3, np.random.default_rng(seed)
    been = [start]
    for cycle in range(600):
        wire.faults.delay_s = float(rng.uniform(0.005, 0.05))
        wire.arm.write(start + 0.3 * (cycle // 25 % 2), 0.4)
        reading = wire.arm.read()
        ticks = np.array([wire.servos.position(servo, wire.clock.now()) for servo in range(1, 7)])
        been.append(DEFAULT_CALIBRATION.ticks_to_rad(ticks))
        lately = np.array(been[-8:])
        read = reading.position[reading.fresh]
        assert np.all(read > lately.min(axis=0)[reading.fresh] - 0.02)
        assert np.all(read < lately.max(axis=0)[reading.fresh] + 0.02)
        for i in range(6):
            assert reading.torque[i] is not False
            assert reading.health[i].temperature_c is None or 20 < reading.health[i].temperature_c < 60
        wire.clock.sleep_until(max(wire.clock.now(), 100.0 + 0.02 * cycle))
