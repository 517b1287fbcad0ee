"""How the motion control stops: braking, pauses, and where the arm is held after it came to rest."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.core.types import GRIP
from dofbot_ros.driver.motion_control import ASKED_S, MISSED_LEAD, SETTLE_S
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.safety.adherence import BLOCKED_LEAD, DRAW_BACK_SPEED, FREE_LEAD
from dofbot_ros.safety.governor import Governor

from .motion_cycles import ACCELERATION, INTO_TABLE, PERIOD_S, SPEED, Cycles, joints


def ended(motion: int, kind: str, code: EndCode, reason: str) -> MotionEvent:
    return MotionEvent(Event.ENDED, motion, kind, "", code, reason)


@pytest.fixture
def cycles() -> Cycles:
    return Cycles()


def halted_under_way(cycles: Cycles, latched: bool) -> None:
    """Halt a motion half a second after it began, and wait until the arm rests."""
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    cycles.control.halt(EndCode.ESTOP, "why")
    cycles.control.fall_back(cycles.control.at.position)
    while not cycles.control.at_rest:
        cycles.run(PERIOD_S, latched)


# -- stops -------------------------------------------------------------------------------------------------------------


def test_a_stop_brakes_all_at_the_limit_and_is_counted(cycles: Cycles) -> None:
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    cycles.control.go_gripper(1.0)
    cycles.run(0.1)
    speed = cycles.control.at.velocity[0]
    cycles.control.stop(EndCode.ESTOP, "button", cycles.now)
    assert (cycles.control.halting, cycles.control.braking) == (True, True)
    assert cycles.control.log.take() == (
        MotionEvent(Event.BEGAN, 1, "joints"),
        MotionEvent(Event.BEGAN, 2, "gripper"),
        MotionEvent(Event.STOPPED, reason="button"),
        ended(1, "joints", EndCode.ESTOP, "button"),
        ended(2, "gripper", EndCode.ESTOP, "button"),
    )
    cycles.control.fall_back(cycles.control.at.position)
    cycles.run(PERIOD_S)
    assert abs(cycles.control.at.velocity[0]) == pytest.approx(speed - ACCELERATION * PERIOD_S, abs=0.03)
    cycles.run(1.0)
    assert (cycles.control.at_rest, cycles.control.moving) == (True, False)


def test_a_stop_at_rest_is_counted_and_brakes_nothing(cycles: Cycles) -> None:
    cycles.control.stop(EndCode.ESTOP, "button", cycles.now)
    cycles.control.stop(EndCode.ESTOP, "button", cycles.now)
    assert (cycles.control.halting, cycles.control.braking) == (False, False)
    assert cycles.control.log.take() == (MotionEvent(Event.STOPPED, reason="button"),) * 2
    assert cycles.control.log.last is None


def test_a_stop_holds_the_fingers_where_they_were_commanded(cycles: Cycles) -> None:
    cycles.control.go_gripper(1.2)
    cycles.run(0.4)
    cycles.control.stop(EndCode.ESTOP, "button", cycles.now)
    cycles.control.fall_back(cycles.control.at.position)
    at = cycles.control.at.position[GRIP]
    assert 0.1 < at < 1.0
    cycles.run(1.0)
    travelled = np.diff(np.array(cycles.sent)[:, GRIP])
    assert (travelled >= 0.0).all(), "it brakes, and does not come back"
    assert cycles.control.at.position[GRIP] - at <= 0.5 * SPEED**2 / ACCELERATION + 1e-9
    assert not cycles.control.moving


@pytest.mark.parametrize("softens", ["stop", "soften", "paused"])
def test_after_a_stop_a_new_commander_or_a_pause_the_arm_starts_softly(softens: str) -> None:
    cycles = Cycles(soft_start_s=1.0)
    cycles.run(2.0)
    {
        "stop": lambda: cycles.control.stop(EndCode.ESTOP, "x", cycles.now),
        "soften": lambda: cycles.control.soften(cycles.now),
        "paused": lambda: cycles.control.paused("x", cycles.now, cycles.control.at.position),
    }[softens]()
    first = len(cycles.sent)
    cycles.go_to(joints(1.2))
    cycles.run(0.2)
    allowed = SPEED * (Governor.SOFT_START_FLOOR + (1 - Governor.SOFT_START_FLOOR) * 0.2)
    assert 0.1 < cycles.speeds()[first:].max() <= allowed + 1e-9


def test_without_any_of_that_it_does_not(cycles: Cycles) -> None:
    cycles = Cycles(soft_start_s=1.0)
    cycles.run(2.0)
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    assert cycles.speeds().max() > SPEED * 0.7


def test_a_pause_ends_the_motion_at_rest_where_it_was(cycles: Cycles) -> None:
    cycles.go_to(joints(1.2))
    cycles.control.go_gripper(1.0)
    cycles.run(0.4)
    before = cycles.control.at.position
    cycles.control.paused("stood still", cycles.now, cycles.control.at.position)
    assert cycles.control.log.take()[2:] == (
        ended(1, "joints", EndCode.PAUSED, "stood still"),
        ended(2, "gripper", EndCode.PAUSED, "stood still"),
    )
    assert (cycles.control.at_rest, cycles.control.moving) == (True, False)
    cycles.run(0.2)
    assert cycles.control.at.position == pytest.approx(before, abs=1e-12)


def test_falling_back_is_said_once_and_goes_back_no_farther_than_the_joints_are(cycles: Cycles) -> None:
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    at = cycles.control.at
    cycles.control.halt(EndCode.ESTOP, "why")
    cycles.control.fall_back(at.position - joints(0.05))
    assert cycles.control.halting is False
    assert cycles.control.at.position == pytest.approx(at.position - joints(0.05))
    assert cycles.control.at.velocity == pytest.approx(at.velocity)


def test_braking_tells_a_stop_from_a_motion_and_from_the_grippers_own(cycles: Cycles) -> None:
    cycles.control.go_gripper(1.0)
    cycles.run(0.2)
    assert (cycles.control.braking, cycles.control.moving) == (False, True)
    cycles.go_to(joints(1.2))
    cycles.run(0.4)
    assert not cycles.control.braking
    cycles.control.end("given up")
    assert cycles.control.braking, "the arm moves on, and nobody asks for it"
    cycles.run(1.5)
    assert (cycles.control.braking, cycles.control.moving) == (False, False)


def test_a_stop_of_the_gripper_alone_is_braking_until_it_rests(cycles: Cycles) -> None:
    cycles.control.go_gripper(1.2)
    cycles.run(0.4)
    cycles.control.stop(EndCode.ESTOP, "button", cycles.now)
    assert cycles.control.braking
    cycles.control.go_gripper(1.2)
    assert not cycles.control.braking, "a new command ends the stop"


def test_brake_brings_the_arm_to_rest_and_reports_no_limits(cycles: Cycles) -> None:
    cycles.go_to(INTO_TABLE)
    cycles.run(0.8)
    cycles.control.halt(EndCode.ESTOP, "why")
    cycles.run(1.0, brake=True)
    assert cycles.control.at_rest
    assert cycles.control.limited == ()
    speeds = np.abs(np.diff(np.diff(np.array(cycles.sent), axis=0), axis=0)).max()
    assert speeds <= ACCELERATION * PERIOD_S**2 + 1e-9


# -- what the arm really does ------------------------------------------------------------------------------------------


def test_a_joint_that_lags_is_not_pushed_on_and_its_motion_waits(cycles: Cycles) -> None:
    cycles.go_to(joints(1.2))
    cycles.run(0.3)
    cycles.measured = cycles.control.at.position.copy()
    cycles.run(1.0)
    assert cycles.control.adherence.lagging[0]
    assert cycles.control.source is not None
    assert cycles.control.at_rest
    assert cycles.control.at.position[0] - cycles.measured[0] < 0.6


def test_at_rest_a_goal_is_drawn_back_and_its_servo_gets_the_time_for_it(cycles: Cycles) -> None:
    assert cycles.control.move_time_s(cycles.now) == PERIOD_S
    cycles.go_to(joints(1.2))
    cycles.run(0.3)
    cycles.measured = cycles.control.at.position.copy()
    cycles.run(0.6)
    cycles.control.end("given up")
    cycles.run(PERIOD_S)
    lead = cycles.sent[-2][0] - cycles.measured[0]
    assert cycles.control.at.position[0] - cycles.measured[0] == pytest.approx(BLOCKED_LEAD)
    assert cycles.control.move_time_s(cycles.now) == pytest.approx(lead / DRAW_BACK_SPEED)
    assert cycles.control.move_time_s(cycles.now + 60.0) == PERIOD_S
    cycles.measured = None
    cycles.go_to(joints(1.2))
    cycles.run(2 * PERIOD_S)
    assert not cycles.control.at_rest
    assert cycles.control.adherence.settling_s(cycles.now) > 2 * PERIOD_S
    assert cycles.control.move_time_s(cycles.now) == PERIOD_S, "a goal on the way is not drawn back"


@pytest.mark.parametrize("latched", [True, False], ids=["estop", "stop"])
@pytest.mark.parametrize(("heard", "after_s"), [(False, SETTLE_S), (None, SETTLE_S + ASKED_S)])
def test_after_a_halt_a_joint_that_missed_goals_is_held_where_it_came_to_rest(
    cycles: Cycles, latched: bool, heard: bool | None, after_s: float
) -> None:
    cycles.heard = (heard,) * 6
    halted_under_way(cycles, latched)
    rested, held = cycles.now, cycles.control.at.position[0]
    cycles.measured = cycles.control.at.position - joints(0.03)
    while cycles.control.at.position[0] == held and cycles.now < rested + 1.0:
        cycles.run(PERIOD_S, latched)
    assert cycles.now - rested == pytest.approx(after_s, abs=2 * PERIOD_S)
    assert cycles.control.at.position == pytest.approx(cycles.measured)
    settled = cycles.control.at.position
    cycles.measured = settled - joints(0.03)
    cycles.run(1.0, latched)
    assert cycles.control.at.position == pytest.approx(settled), "once, and no more"


@pytest.mark.parametrize("latched", [True, False], ids=["estop", "stop"])
@pytest.mark.parametrize(("after_s", "counts_s"), [(0.02, 0.02), (0.028, 0.02), (0.032, 0.032), (0.06, 0.06)])
def test_a_late_period_of_braking_brakes_for_all_the_time_that_passed(
    cycles: Cycles, latched: bool, after_s: float, counts_s: float
) -> None:
    """The servos went on meanwhile; a period that is hardly late counts as one."""
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    cycles.control.halt(EndCode.ESTOP, "why")
    cycles.control.fall_back(cycles.control.at.position)
    speed = cycles.control.at.velocity[0]
    assert speed > 0.06 * ACCELERATION
    step = cycles.control.brake if latched else cycles.control.decide
    cycles.now += after_s
    step(cycles.reading, cycles.now)
    assert cycles.control.at.velocity[0] == pytest.approx(speed - counts_s * ACCELERATION)


@pytest.mark.parametrize("silent", ["never", "before the halt", "while it braked"])
def test_a_joint_far_from_where_it_was_to_stop_has_missed_goals_or_a_sensor_that_lies(
    cycles: Cycles, silent: str
) -> None:
    """It may have missed goals only where it was silent since the halt."""
    cycles.go_to(joints(0.3))
    cycles.control.halt(EndCode.STOPPED, "first")
    cycles.silent_s = joints(0.1) if silent == "before the halt" else np.zeros(6)
    cycles.run(PERIOD_S)
    cycles.silent_s = np.zeros(6)
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    cycles.control.halt(EndCode.STOPPED, "why")
    cycles.control.fall_back(cycles.control.at.position)
    cycles.silent_s = joints(0.1) if silent == "while it braked" else np.zeros(6)
    cycles.run(PERIOD_S)
    cycles.silent_s = np.zeros(6)
    while not cycles.control.at_rest:
        cycles.run(PERIOD_S)
    held = cycles.control.at.position
    cycles.measured = held - joints(0.5 * (MISSED_LEAD + FREE_LEAD))
    cycles.run(1.0)
    expected = cycles.measured if silent == "while it braked" else held
    assert cycles.control.at.position == pytest.approx(expected)


def test_after_a_halt_each_joint_is_held_at_its_next_reading_once(cycles: Cycles) -> None:
    """A reading from before is where the joint was on its way."""
    halted_under_way(cycles, latched=False)
    held = cycles.control.at.position
    cycles.fresh = np.arange(6) != 0
    cycles.measured = held - joints(0.03) - joints(0.02, 1)
    cycles.run(1.0)
    assert cycles.control.at.position == pytest.approx(held - joints(0.02, 1)), "joint1 was not read"
    cycles.measured = held - joints(0.03) - joints(0.04, 1)
    cycles.fresh = np.ones(6, dtype=np.bool_)
    cycles.run(0.1)
    assert cycles.control.at.position == pytest.approx(held - joints(0.03) - joints(0.02, 1)), "joint2 is held already"


@pytest.mark.parametrize("latched", [True, False], ids=["estop", "stop"])
def test_after_a_halt_a_joint_that_has_its_goal_and_droops_keeps_it(cycles: Cycles, latched: bool) -> None:
    cycles.heard = (True,) * 6
    halted_under_way(cycles, latched)
    held = cycles.control.at.position
    cycles.measured = held - joints(0.03)
    cycles.run(1.0, latched)
    assert cycles.control.at.position == pytest.approx(held)


@pytest.mark.parametrize("latched", [True, False], ids=["estop", "stop"])
def test_a_halt_brakes_all_joints_in_proportion(cycles: Cycles, latched: bool) -> None:
    """Whichever joint is faster: they come to rest together, and the tool keeps its direction."""
    cycles.go_to(joints(1.2) + joints(0.4, 4))
    cycles.run(0.5)
    cycles.control.halt(EndCode.ESTOP, "why")
    cycles.control.fall_back(cycles.control.at.position)
    share = cycles.control.at.velocity[4] / cycles.control.at.velocity[0]
    assert 0.1 < share < 0.9
    while not cycles.control.at_rest:
        cycles.run(PERIOD_S, latched)
        if not cycles.control.at_rest:
            assert cycles.control.at.velocity[4] / cycles.control.at.velocity[0] == pytest.approx(share)


def test_after_an_arrival_a_drooping_arm_keeps_its_goal(cycles: Cycles) -> None:
    cycles.go_to(joints(0.3))
    cycles.run(1.5)
    cycles.measured = cycles.control.at.position - joints(0.03)
    cycles.run(2.0)
    assert cycles.control.at.position[0] == pytest.approx(0.3, abs=1e-6)


def test_fingers_that_press_on_nothing_stay_where_they_came_to_rest_after_a_halt(cycles: Cycles) -> None:
    cycles.pressing = (False,) * 6
    cycles.control.go_gripper(1.2)
    cycles.run(0.4)
    cycles.control.halt(EndCode.STOPPED, "why")
    cycles.control.fall_back(cycles.control.at.position)
    while not cycles.control.at_rest:
        cycles.run(PERIOD_S)
    cycles.measured = cycles.control.at.position - joints(0.03, GRIP)
    cycles.run(1.0)
    assert cycles.control.at.position == pytest.approx(cycles.measured)
    assert cycles.sent[-1] == pytest.approx(cycles.measured), "the next goals begin there too"


def test_after_a_motion_that_was_given_up_a_drooping_arm_keeps_its_goal_and_after_a_halt_before_it_too(
    cycles: Cycles,
) -> None:
    cycles.go_to(joints(0.6))
    cycles.run(0.3)
    cycles.control.halt(EndCode.STOPPED, "why")
    cycles.control.fall_back(cycles.control.at.position)
    cycles.go_to(joints(1.2))
    cycles.run(0.4)
    cycles.control.end(EndCode.STALE, "nobody asks for more")
    while not cycles.control.at_rest:
        cycles.run(PERIOD_S)
    held = cycles.control.at.position
    cycles.measured = held - joints(0.03)
    cycles.run(1.0)
    assert cycles.control.at.position.tolist() == held.tolist()


def test_an_arm_whose_computer_stood_still_is_held_where_its_servos_came_to_rest(cycles: Cycles) -> None:
    """A goal that was decided and never sent would move it on after the pause."""
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    rests = cycles.control.at.position - joints(0.016)
    cycles.control.paused("stood still", cycles.now, rests)
    assert cycles.control.at_rest
    assert cycles.control.at.position == pytest.approx(rests)
