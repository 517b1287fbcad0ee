"""A goal is drawn back to a joint that something stops, and left where a joint merely droops."""

from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.arm.backend import ArmReading, ServoHealth
from dofbot_ros.safety.adherence import (
    BLOCKED_LEAD,
    DRAW_BACK_SPEED,
    FREE_LEAD,
    HALT_LEAD,
    HYSTERESIS,
    IMPLAUSIBLE_LEAD,
    Adherence,
)

PERIOD = 0.02


def reading(position, now, silent=(), pressing=None):
    silent_s = np.array([0.1 if i in silent else 0.0 for i in range(6)])
    at, health = np.array(position, dtype=float), (ServoHealth(),) * 6
    presses = (pressing, *[None] * 5)
    return ArmReading(now, at, np.full(6, now), silent_s == 0, health, silent_s, pressing=presses)


class Joint1:
    """Commands joint 1 and reads it, cycle by cycle."""

    def __init__(self):
        self.adherence = Adherence(tracking_error=0.1)
        self.now = 0.0
        self.commanded = np.zeros(6)
        self.adherence.start(0.0, self.commanded)

    def cycle(self, measured, goal=None, rest=False, silent=(), pressing=None):
        self.now += PERIOD
        at = reading([measured, 0, 0, 0, 0, 0], self.now, silent, pressing)
        self.commanded = self.adherence.correct(self.commanded, at, self.now, rest)
        if goal is not None:
            self.commanded = np.array([goal, 0, 0, 0, 0, 0], dtype=float)
        self.adherence.commanded(self.now, self.commanded)
        return self.commanded[0]

    def run(self, seconds, measured, **how):
        for _ in range(round(seconds / PERIOD)):
            commanded = self.cycle(measured, **how)
        return commanded


def test_a_joint_that_follows_is_left_alone():
    joint = Joint1()
    for k in range(100):
        assert joint.cycle(0.02 * max(0, k - 5), goal=0.02 * k) == 0.02 * k
    assert not joint.adherence.lagging.any()


def test_a_joint_that_droops_keeps_its_goal_for_ever():
    joint = Joint1()
    joint.run(0.5, 0.0, goal=0.9 * FREE_LEAD)
    assert joint.run(60.0, 0.0, rest=True) == 0.9 * FREE_LEAD


def test_a_stopped_joint_lags_and_its_goal_comes_back_to_it_slowly_where_nothing_tells_that_it_presses():
    joint = Joint1()
    joint.run(0.3, 0.0, goal=0.3)
    assert joint.adherence.lagging.tolist() == [True, False, False, False, False, False]
    assert joint.cycle(0.0) == 0.3, "while it moves it is the governor's to hold"
    assert joint.cycle(0.0, rest=True) == pytest.approx(BLOCKED_LEAD)
    assert joint.adherence.settling_s(joint.now) == pytest.approx(0.3 / DRAW_BACK_SPEED)


def test_a_servo_that_presses_gets_its_goal_at_once():
    joint = Joint1()
    joint.run(0.3, 0.0, goal=0.3)
    assert joint.cycle(0.0, rest=True, pressing=True) == pytest.approx(BLOCKED_LEAD)
    assert joint.adherence.settling_s(joint.now) == 0.0


def test_a_servo_that_does_not_press_is_where_it_was_sent_whatever_its_sensor_says():
    joint = Joint1()
    joint.run(0.3, 0.0, goal=0.3)
    assert joint.run(5.0, 0.0, rest=True, pressing=False) == 0.3


def test_a_joint_that_is_pushed_away_takes_its_goal_along():
    joint = Joint1()
    joint.run(0.5, 0.0, rest=True)
    for k in range(50):
        commanded = joint.cycle(-0.01 * k, rest=True)
    assert abs(commanded - -0.49) < 0.12
    assert joint.run(2.0, -0.49, rest=True) == pytest.approx(-0.49 + BLOCKED_LEAD, abs=0.006)


def test_a_reading_farther_than_any_obstacle_can_explain_moves_nothing():
    joint = Joint1()
    joint.run(0.5, 0.0, rest=True)
    assert joint.run(5.0, -1.1 * IMPLAUSIBLE_LEAD, rest=True) == 0.0


def test_the_next_motion_may_try_again():
    joint = Joint1()
    joint.run(0.3, 0.0, goal=0.3)
    joint.run(2.0, 0.0, rest=True)
    joint.adherence.begin()
    joint.run(0.5, 0.0, goal=0.05)
    assert joint.run(1.0, 0.0, rest=True) == 0.05


def test_a_servo_that_comes_back_begins_where_it_is():
    joint = Joint1()
    joint.run(0.2, 0.0, goal=0.0)
    joint.run(0.3, 0.0, goal=0.25, silent=(0,))
    assert not joint.adherence.lagging.any(), "a servo that does not answer cannot be compared"
    assert joint.cycle(0.0, rest=True) == 0.0


def test_the_gripper_is_left_to_its_own_care():
    adherence = Adherence(0.1)
    adherence.start(0.0, np.zeros(6))
    commanded = np.array([0, 0, 0, 0, 0, 0.5])
    for k in range(1, 100):
        adherence.commanded(k * PERIOD, commanded)
        assert adherence.correct(commanded, reading(np.zeros(6), k * PERIOD), k * PERIOD, rest=True)[5] == 0.5
    assert not adherence.lagging.any()


# -- exact leads -------------------------------------------------------------------------------------------------------


def test_before_it_is_started_and_after_every_start_nothing_lags():
    adherence = Adherence(0.1)
    assert adherence.error.tolist() == [0.0] * 6
    assert not adherence.lagging.any()
    joint = Joint1()
    joint.run(0.3, 0.0, goal=0.3)
    assert joint.adherence.lagging[0]
    joint.adherence.start(joint.now, np.zeros(6))
    assert joint.adherence.error.tolist() == [0.0] * 6
    assert not joint.adherence.lagging.any()


def test_starting_forgets_which_joint_was_stopped_and_how_long_its_servo_takes():
    joint = Joint1()
    joint.run(0.3, 0.0, goal=0.3)
    joint.cycle(0.0, rest=True)
    assert joint.adherence.settling_s(joint.now) > 1.0
    joint.commanded = np.array([0.02, 0, 0, 0, 0, 0])
    joint.adherence.start(joint.now, joint.commanded)
    assert joint.adherence.settling_s(joint.now) == 0.0
    assert joint.run(1.0, 0.0, rest=True) == 0.02, "it has not been stopped since: it droops"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_goal_that_was_drawn_back_is_left_alone_while_the_reading_changes_by_a_few_ticks(sign):
    joint = Joint1()
    joint.run(0.3, 0.0, goal=sign * 0.3)
    drawn = joint.cycle(0.0, rest=True)
    assert drawn == pytest.approx(sign * BLOCKED_LEAD)
    for measured in (0.0045, -0.0045, 0.0):
        assert joint.cycle(sign * measured, rest=True) == drawn
    beyond = -1.1 * HYSTERESIS
    assert joint.cycle(sign * beyond, rest=True) == pytest.approx(sign * (beyond + BLOCKED_LEAD))


def settle(commanded, measured, *, silent=(), gripper_presses=None, joint=0, heard=None):
    """Where joint `joint` is held after a halt."""
    position = np.zeros(6)
    position[joint] = measured
    silent_s = np.array([0.1 if i in silent else 0.0 for i in range(6)])
    presses = (*[None] * 5, gripper_presses)
    at = ArmReading(
        1.0, position, np.ones(6), silent_s == 0, (ServoHealth(),) * 6, silent_s, pressing=presses, heard=(heard,) * 6
    )
    goal = np.full(6, 0.004)
    goal[joint] = commanded
    held = Adherence.settled(goal, at)
    others = np.arange(6) != joint
    assert (held[others] == goal[others]).all(), "only that joint is elsewhere"
    return held[joint]


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("lead", "moves"),
    [
        (0.9 * HALT_LEAD, False),
        (1.1 * HALT_LEAD, True),
        (0.9 * IMPLAUSIBLE_LEAD, True),
        (1.1 * IMPLAUSIBLE_LEAD, False),
    ],
)
def test_after_a_halt_a_joint_stays_where_it_came_to_rest(sign, lead, moves):
    commanded = 1.0 + sign * lead
    assert settle(commanded, 1.0) == (1.0 if moves else commanded)


@pytest.mark.parametrize(("heard", "moves"), [(True, False), (False, True), (None, True)])
def test_after_a_halt_a_joint_that_has_its_goal_bears_a_load_and_keeps_it(heard, moves):
    assert settle(0.32, 0.3, heard=heard) == (0.3 if moves else 0.32)


def test_after_a_halt_a_silent_joint_keeps_its_goal():
    assert settle(0.3, 0.0, silent=(0,)) == 0.3


@pytest.mark.parametrize(("presses", "moves"), [(False, True), (True, False), (None, False)])
def test_after_a_halt_a_gripper_goes_on_holding_unless_it_presses_on_nothing(presses, moves):
    assert settle(0.3, 0.2, gripper_presses=presses, joint=5) == (0.2 if moves else 0.3)
    assert settle(0.204, 0.2, gripper_presses=presses, joint=5) == 0.204


def test_a_servo_that_was_away_is_not_taken_for_back_before_it_has_answered():
    joint = Joint1()
    joint.run(0.2, 0.0, goal=0.0)
    joint.run(0.3, 0.0, goal=0.25, silent=(0,))
    at = reading([0.1, 0, 0, 0, 0, 0], joint.now, ())
    fresh = at.fresh.copy()
    fresh[0] = False
    unanswered = replace(at, fresh=fresh)
    assert joint.adherence.correct(joint.commanded, unanswered, joint.now, rest=True)[0] == 0.25
    assert joint.adherence.error[0] == 0.0
    assert joint.adherence.correct(joint.commanded, at, joint.now, rest=True)[0] == 0.1


@pytest.mark.parametrize(("lead", "back"), [(0.9 * IMPLAUSIBLE_LEAD, True), (1.1 * IMPLAUSIBLE_LEAD, False)])
def test_a_servo_that_comes_back_impossibly_far_away_is_not_believed(lead, back):
    joint = Joint1()
    joint.run(0.2, 0.0, goal=0.0)
    joint.run(0.2, 0.0, goal=lead, silent=(0,))
    assert joint.cycle(0.0, rest=False) == (0.0 if back else lead)


def test_the_time_to_draw_back_is_that_of_the_joint_that_takes_longest_and_runs_out():
    joint = Joint1()
    joint.run(0.3, 0.0, goal=0.3)
    joint.cycle(0.0, rest=True)
    began = joint.now
    assert joint.adherence.settling_s(began) == pytest.approx(1.5)
    assert joint.adherence.settling_s(began + 1.0) == pytest.approx(0.5)
    assert joint.adherence.settling_s(began + 2.0) == 0.0
    joint.run(0.1, -0.02, rest=True)
    assert joint.adherence.settling_s(began) == pytest.approx(1.5), "a shorter one does not cut it off"
