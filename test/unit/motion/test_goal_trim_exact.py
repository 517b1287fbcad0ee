"""Goal corrections period by period: when they begin, by how much they grow, and what ends them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from dofbot_ros.arm.gravity import Gravity
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.types import N_JOINTS, FloatArray
from dofbot_ros.motion.goal_trim import (
    ENGAGE_RAD,
    FOLLOW_S,
    GAIN_HZ,
    GIVE_UP_S,
    MIN_SHARE,
    MOST_PLAY,
    MOST_TAKEN_UP,
    RELEASE_RAD,
    SPEED,
    STILL,
    TURNING,
    GoalTrim,
)

GRAVITY = Gravity(DRAWN.kinematics)
PERIOD_S = 1.0 / 16.0
"""Adds up without rounding."""
BENT = np.array([0.2, 0.9, 0.5, 0.9, 0.0, 0.3])
SHARES = GRAVITY.shares(BENT)
PULLED = np.abs(SHARES) > MIN_SHARE
DOWN = np.sign(SHARES) * PULLED
ALL, NONE = np.ones(N_JOINTS, dtype=np.bool_), np.zeros(N_JOINTS, dtype=np.bool_)
WAITING = int(np.ceil(FOLLOW_S / PERIOD_S))
"""Periods at rest in which servos are let come to rest, after the one in which the goal came."""
LOW = 0.02
GROWTH = GAIN_HZ * LOW * PERIOD_S
"""By which the correction of a joint that hangs LOW below its goal grows in a period [rad]."""


def trimmed(periods: int, low: float = LOW, most: float = 1.0, side: FloatArray = DOWN) -> GoalTrim:
    """A trim after so many periods at rest at BENT, with joints `low` [rad] off their goals, to that side."""
    trim = GoalTrim(GRAVITY, PERIOD_S, most)
    rest(trim, periods, low, side=side)
    return trim


def rest(
    trim: GoalTrim, periods: int, low: float = LOW, goal: FloatArray = BENT, side: FloatArray = DOWN
) -> FloatArray:
    for _ in range(periods):
        offset = trim.update(goal, goal + low * side, ALL, NONE)
    return offset


def test_some_joints_are_pulled_and_some_are_not() -> None:
    assert 2 <= PULLED.sum() < N_JOINTS


def test_it_waits_for_the_servos_and_then_grows_against_gravity_by_its_gain() -> None:
    assert not trimmed(WAITING).offset.any()
    for learned in (1, 2, 5):
        assert trimmed(WAITING + learned).offset == pytest.approx(-learned * GROWTH * DOWN)


def test_it_grows_no_faster_than_its_speed_and_no_further_than_it_may() -> None:
    assert trimmed(WAITING + 3, low=0.5).offset == pytest.approx(-3 * SPEED * PERIOD_S * DOWN)
    assert trimmed(WAITING + 60, most=0.05).offset == pytest.approx(-0.05 * DOWN)


def test_a_joint_above_its_goal_takes_its_correction_back_and_is_not_pressed_down() -> None:
    trim = trimmed(WAITING + 4)
    assert rest(trim, 1, -LOW) == pytest.approx(-3 * GROWTH * DOWN)
    assert rest(trim, 20, -LOW) == pytest.approx(np.zeros(N_JOINTS), abs=1e-12)
    assert not trim.busy
    pushed = trimmed(WAITING + 4, low=-LOW)
    assert not pushed.offset.any()
    assert not pushed.busy


def test_it_takes_a_correction_back_no_faster_than_its_speed() -> None:
    trim = trimmed(WAITING + 4, low=0.5)
    assert rest(trim, 1, -0.5) == pytest.approx(-3 * SPEED * PERIOD_S * DOWN)
    assert rest(trim, 1, 0.5) == pytest.approx(-4 * SPEED * PERIOD_S * DOWN)


def test_a_joint_whose_correction_is_as_large_as_it_may_be_is_waited_for_no_longer() -> None:
    trim = trimmed(WAITING + 7, most=8 * GROWTH)
    assert trim.busy
    assert rest(trim, 2) == pytest.approx(-8 * GROWTH * DOWN)
    assert not trim.busy


def test_a_joint_that_something_holds_up_is_waited_for_no_longer() -> None:
    trim = trimmed(WAITING + 2)
    assert trim.busy
    trim.update(BENT, BENT + LOW * DOWN, NONE, ALL)
    assert not trim.busy


@pytest.mark.parametrize("kept", ["fresh", "held_up"])
def test_a_joint_that_was_not_read_or_does_not_follow_teaches_nothing(kept: str) -> None:
    one = int(np.flatnonzero(PULLED)[0])
    out = np.arange(N_JOINTS) == one
    trim = trimmed(WAITING)
    offset = trim.update(BENT, BENT + LOW * DOWN, ~out if kept == "fresh" else ALL, out if kept == "held_up" else NONE)
    assert offset == pytest.approx(-GROWTH * DOWN * ~out)


def test_a_joint_is_brought_nearer_than_where_it_began_to_be_corrected() -> None:
    assert not trimmed(WAITING + 1, low=0.99 * ENGAGE_RAD).offset.any()
    trim = trimmed(WAITING + 1, low=1.01 * ENGAGE_RAD)
    begun = trim.offset.copy()
    assert begun.any()
    assert trim.busy
    on = rest(trim, 1, 1.01 * RELEASE_RAD).copy()
    assert on == pytest.approx(begun - GAIN_HZ * 1.01 * RELEASE_RAD * PERIOD_S * DOWN)
    assert trim.busy
    assert rest(trim, 1, 0.99 * RELEASE_RAD) == pytest.approx(on)
    assert not trim.busy


def test_a_goal_that_moves_begins_the_wait_anew_and_one_that_trembles_does_not() -> None:
    trim = trimmed(WAITING + 1)
    learned = trim.offset.copy()
    moved = BENT + np.array([0.0, 2.0 * STILL, 0.0, 0.0, 0.0, 0.0])
    assert rest(trim, WAITING, goal=moved) == pytest.approx(learned, abs=1e-5)
    trembling = moved + np.array([0.0, 0.5 * STILL, 0.0, 0.0, 0.0, 0.4])
    assert rest(trim, 1, goal=trembling) == pytest.approx(learned - GROWTH * DOWN, abs=1e-5)


def test_it_is_busy_while_servos_follow_by_more_than_it_would_correct() -> None:
    assert not GoalTrim(GRAVITY, PERIOD_S, 1.0).busy
    assert trimmed(1, low=1.01 * ENGAGE_RAD).busy
    assert not trimmed(1, low=0.99 * ENGAGE_RAD).busy
    assert not trimmed(1, most=0.0).busy


def test_it_gives_a_joint_up_that_does_not_arrive() -> None:
    in_time = round(GIVE_UP_S / PERIOD_S)
    trim = trimmed(1 + in_time)
    assert trim.busy
    rest(trim, 1)
    assert not trim.busy


def test_a_pause_keeps_the_correction_and_waits_again_before_it_learns() -> None:
    trim = trimmed(WAITING + 2)
    kept = trim.offset.copy()
    trim.pause()
    assert not trim.busy
    assert rest(trim, WAITING) == pytest.approx(kept)
    assert rest(trim, 1) == pytest.approx(kept - GROWTH * DOWN)


def test_a_start_takes_the_correction_away_and_lets_what_was_learned_come_back() -> None:
    trim = trimmed(WAITING + 12, low=0.5)
    learned = trim.offset.copy()
    trim.start()
    assert not trim.busy
    assert trim.offset.tolist() == [0.0] * N_JOINTS
    assert rest(trim, 1, 0.0) == pytest.approx(-SPEED * PERIOD_S * DOWN)
    assert rest(trim, 12, 0.0) == pytest.approx(learned)


def test_switched_off_it_adds_nothing() -> None:
    assert trimmed(WAITING + 5, most=0.0).offset.tolist() == [0.0] * N_JOINTS


def test_times_and_errors_at_their_bounds() -> None:
    """Where a number is exactly its bound: the wait is over, too long a wait is not, an error at the bound is none."""
    trim = GoalTrim(GRAVITY, FOLLOW_S, 1.0)
    rest(trim, 1)
    assert not trim.offset.any()
    assert rest(trim, 1) == pytest.approx(-GAIN_HZ * LOW * FOLLOW_S * DOWN)
    patient = GoalTrim(GRAVITY, GIVE_UP_S, 1.0)
    rest(patient, 2)
    assert patient.busy
    rest(patient, 1)
    assert not patient.busy


def test_a_goal_that_changes_by_its_bound_moves_and_an_error_at_its_bound_is_left() -> None:
    level = np.array([0.0, 0.0, 0.9, 0.9, 0.0, 0.3])
    one = np.arange(N_JOINTS) == 1
    pulled_down = np.where(one, DOWN, 0.0)
    assert pulled_down[1]
    trim = GoalTrim(GRAVITY, PERIOD_S, 1.0)
    for _ in range(WAITING + 2):
        trim.update(level, level + ENGAGE_RAD * pulled_down, ALL, NONE)
    assert not trim.offset.any()
    assert not trim.busy
    trim.update(level, level + LOW * pulled_down, ALL, NONE)
    learned = trim.offset.copy()
    assert trim.busy
    trim.update(level, level + RELEASE_RAD * pulled_down, ALL, NONE)
    assert trim.offset == pytest.approx(learned)
    assert not trim.busy
    moved = np.where(one, STILL, level)
    trim.update(moved, moved + LOW * pulled_down, ALL, NONE)
    trim.update(moved, moved + LOW * pulled_down, ALL, NONE)
    assert trim.offset == pytest.approx(learned, abs=1e-6)


SIDE = np.where(TURNING, [1.0, 0.0, 0.0, 0.0, -1.0, 0.0], 0.0)
"""Which way the turning joints rest beside their goals."""


turned = partial(trimmed, side=SIDE)
stay = partial(rest, side=SIDE)


def test_a_turning_joint_is_led_by_the_gain_after_the_wait() -> None:
    assert not turned(WAITING).offset.any()
    assert turned(1).busy
    for learned in (1, 2):
        assert turned(WAITING + learned).offset == pytest.approx(-learned * GROWTH * SIDE)
        assert turned(WAITING + learned).busy


def test_a_turning_joint_is_led_no_further_than_it_may_and_waited_for_no_longer() -> None:
    trim = turned(WAITING + 4)
    assert trim.offset == pytest.approx(-MOST_TAKEN_UP * SIDE)
    assert trim.busy
    assert stay(trim, 1) == pytest.approx(-MOST_TAKEN_UP * SIDE)
    assert not trim.busy
    assert turned(WAITING + 4, most=0.01).offset == pytest.approx(-0.01 * SIDE)
    # Back it may come.
    assert stay(trim, 1, -LOW) == pytest.approx((GROWTH - MOST_TAKEN_UP) * SIDE)


def test_a_turning_joint_is_brought_nearer_than_where_it_began_to_be_corrected() -> None:
    assert not turned(WAITING + 1, low=0.99 * ENGAGE_RAD).offset.any()
    trim = turned(WAITING + 1, low=1.01 * ENGAGE_RAD)
    begun = trim.offset.copy()
    assert begun.any()
    on = stay(trim, 1, 1.01 * RELEASE_RAD).copy()
    assert on == pytest.approx(begun - GAIN_HZ * 1.01 * RELEASE_RAD * PERIOD_S * SIDE)
    assert trim.busy
    assert stay(trim, 1, 0.99 * RELEASE_RAD) == pytest.approx(on)
    assert not trim.busy


def test_a_turning_joint_further_off_than_play_explains_is_left() -> None:
    assert turned(WAITING + 1, low=0.99 * MOST_PLAY).offset.any()
    far = turned(WAITING + 1, low=1.01 * MOST_PLAY)
    assert not far.offset.any()
    assert not far.busy


@pytest.mark.parametrize("kept", ["fresh", "held_up"])
def test_a_turning_joint_that_was_not_read_or_does_not_follow_is_not_led(kept: str) -> None:
    out = np.arange(N_JOINTS) == 0
    trim = turned(WAITING)
    offset = trim.update(BENT, BENT + LOW * SIDE, ~out if kept == "fresh" else ALL, out if kept == "held_up" else NONE)
    assert offset == pytest.approx(-GROWTH * SIDE * ~out)


def test_a_lead_of_a_turning_joint_goes_with_the_next_motion_no_faster_than_its_speed() -> None:
    trim = turned(WAITING + 2)
    moved = BENT + 2.0 * STILL
    led = trim.offset.copy()
    assert stay(trim, 1, goal=moved) == pytest.approx(led + np.minimum(SPEED * PERIOD_S, np.abs(led)) * SIDE)
    assert stay(trim, 1, goal=BENT) == pytest.approx(np.zeros(N_JOINTS), abs=1e-12)
    trim = turned(WAITING + 2)
    trim.start()
    assert stay(trim, 1, 0.0) == pytest.approx(np.zeros(N_JOINTS), abs=1e-12)
