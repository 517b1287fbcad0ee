"""The gripper's motion step by step: what resets it, what it is caught up with, and when it presses harder again."""

from __future__ import annotations

import pytest

from dofbot_ros.motion.grip import GripGuard, GripMotion
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.pressing import Pressing

PERIOD_S = 0.02
LEAD = 0.12


def online() -> OnlineMotion:
    return OnlineMotion(PERIOD_S, [1.6], [8.0], [80.0])


class Fingers:
    """A gripper whose fingers follow at once, up to a block; and the time that passes with its periods."""

    def __init__(self, at: float = 0.0) -> None:
        self.grip = GripMotion(online(), LEAD)
        self.grip.reset(at)
        self.at, self.now_s, self.sent = at, 0.0, at

    def run(self, seconds: float, low: float = -9.0, high: float = 9.0) -> float:
        """Let periods pass with the fingers between `low` and `high`. Returns the last command [rad]."""
        for _ in range(round(seconds / PERIOD_S)):
            self.now_s += PERIOD_S
            self.at = min(max(self.sent, low), high)
            self.sent, _ = self.grip.update(self.at, self.now_s)
        return self.sent


def test_before_it_is_told_anything_it_rests_at_zero() -> None:
    grip = GripMotion(online(), LEAD)
    assert grip.stalled is False
    assert grip.moving is False
    assert grip.update(0.0, 0.0) == (0.0, 0.0)


def test_a_reset_ends_whatever_it_did_and_rests_there() -> None:
    fingers = Fingers()
    fingers.grip.go(1.5)
    fingers.run(3.0, high=1.0)
    assert fingers.grip.stalled is True
    fingers.grip.reset(0.7)
    assert fingers.grip.stalled is False
    assert fingers.grip.moving is False
    assert fingers.grip.update(0.7, fingers.now_s) == (0.7, 0.0)


def test_a_reset_may_leave_it_a_velocity_from_which_it_brakes() -> None:
    grip, twin = GripMotion(online(), LEAD), online()
    grip.reset(0.5, 0.4)
    twin.reset([0.5], [0.4])
    expected = twin.update([0.5])
    assert grip.update(0.5, 0.0) == pytest.approx((expected.position[0], expected.velocity[0]))
    assert grip.moving


def test_what_runs_ahead_of_the_command_goes_on_from_the_command() -> None:
    fingers, twin = Fingers(), online()
    fingers.grip.go(1.0)
    fingers.run(0.3)
    fingers.grip.keep_near(fingers.sent - 0.05, 0.25)
    twin.reset([fingers.sent - 0.05], [0.25])
    for _ in range(5):
        fingers.now_s += PERIOD_S
        expected = twin.update([1.0])
        given = fingers.grip.update(float(expected.position[0]), fingers.now_s)
        assert given == pytest.approx((expected.position[0], expected.velocity[0]))


@pytest.mark.parametrize("off", [0.9, -0.9])
def test_a_command_that_is_near_enough_leaves_the_motion_alone(off: float) -> None:
    fingers, alone = Fingers(), Fingers()
    for each in (fingers, alone):
        each.grip.go(1.0)
        each.run(0.3)
    fingers.grip.keep_near(fingers.sent + off * GripMotion.AHEAD, 0.0)
    assert fingers.run(0.1) == alone.run(0.1)


@pytest.mark.parametrize(("goal", "tighter", "looser", "wall"), [(1.5, 1.4, 0.6, 1.0), (-1.5, -1.4, -0.6, -1.0)])
def test_fingers_that_have_just_pressed_hard_open_and_are_not_pressed_harder(
    goal: float, tighter: float, looser: float, wall: float
) -> None:
    fingers = Fingers()
    fingers.grip.go(goal)
    held = fingers.run(3.0, *sorted((wall, -9.0 if wall > 0 else 9.0)))
    assert abs(held - wall) == pytest.approx(LEAD, abs=2e-3)
    fingers.grip.go(tighter)
    assert fingers.grip.stalled is True
    assert fingers.run(0.1, *sorted((wall, -9.0 if wall > 0 else 9.0))) == pytest.approx(held, abs=2e-3)
    fingers.grip.go(looser)
    assert fingers.grip.stalled is False
    assert fingers.grip.moving
    assert fingers.run(2.0, *sorted((wall, -9.0 if wall > 0 else 9.0))) == pytest.approx(looser, abs=1e-6)


def test_fingers_that_were_opened_against_something_may_close() -> None:
    """The side on which they press is told from where they are, not from the sign of the goal."""
    fingers = Fingers(1.2)
    fingers.grip.go(0.2)
    held = fingers.run(3.0, low=0.8)
    assert 0.8 - held == pytest.approx(LEAD, abs=2e-3)
    fingers.grip.go(0.3)
    assert fingers.grip.stalled is True
    fingers.grip.go(1.4)
    assert fingers.grip.stalled is False
    assert fingers.run(2.0, low=0.8) == pytest.approx(1.4, abs=1e-6)


def test_fingers_that_stalled_just_now_are_pressed_hard_once_more() -> None:
    fingers = Fingers()
    fingers.grip.go(1.02)
    fingers.run(1.5, high=1.0)
    fingers.grip.go(1.5)
    assert fingers.grip.stalled is False
    assert fingers.grip.moving


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_grip_that_lasts_is_eased_to_what_its_servo_bears(side: float) -> None:
    fingers = Fingers()
    fingers.grip.go(1.5 * side)
    walls = sorted((side, -9.0 * side))
    assert side * fingers.run(0.5 * Pressing.FIRM_S, *walls) == pytest.approx(1.0 + LEAD, abs=2e-3)
    assert side * fingers.run(0.7 * Pressing.FIRM_S, *walls) == pytest.approx(1.0 + Pressing.HOLDING * LEAD, abs=2e-3)


@pytest.mark.parametrize("start_s", [0.0, 1000.0])
def test_a_guard_that_is_reset_takes_the_fingers_for_where_they_are(start_s: float) -> None:
    """Without word of what was sent, the goals of a stream are reached at the speed of fingers, from there on."""
    pressing = Pressing(LEAD)
    guard = GripGuard(LEAD, pressing)
    for round_s in (start_s, start_s + 60.0):
        guard.reset()
        assert guard.limit(1.5, 0.0, round_s) == 1.5
        now_s, step = round_s, GripGuard.FINGER_SPEED * PERIOD_S
        for k in range(1, 40):
            now_s += PERIOD_S
            assert guard.limit(1.5, min(k * step, 1.5), now_s) == 1.5, "fingers that follow are not held back"


def test_a_guard_does_not_press_hard_again_because_time_has_passed() -> None:
    guard, now_s, sent = GripGuard(LEAD), 0.0, 1.0
    goals = []
    for _ in range(1250):
        sent = guard.limit(1.5, 1.0, now_s, sent=sent)
        goals.append(sent)
        now_s += PERIOD_S
    assert max(goals[100:]) == pytest.approx(1.0 + LEAD)


def test_a_guard_lets_a_stream_lead_until_it_has_pressed_and_then_by_the_lead() -> None:
    guard, now_s = GripGuard(LEAD), 0.0
    goals = []
    for _ in range(100):
        goals.append(guard.limit(1.5, 1.0, now_s, sent=goals[-1] if goals else 1.0))
        now_s += PERIOD_S
    assert goals[0] == 1.5
    assert goals[-1] == pytest.approx(1.0 + LEAD)
    drawn = goals[-1]
    # Within its slack and the way of standing fingers the goal stays; beyond them it follows.
    assert guard.limit(1.5, 1.0 - 0.9 * GripMotion.SLACK, now_s, sent=drawn) == drawn
    assert guard.limit(1.5, 1.0 + 0.9 * GripMotion.STANDING_TRAVEL, now_s, sent=drawn) == drawn
    lower = 1.0 - 1.1 * GripMotion.SLACK
    assert guard.limit(1.5, lower, now_s, sent=drawn) == pytest.approx(lower + LEAD)
    upper = lower + 1.1 * GripMotion.STANDING_TRAVEL
    assert guard.limit(1.5, upper, now_s, sent=lower + LEAD) == pytest.approx(upper + LEAD)


@pytest.mark.parametrize(("ahead", "released"), [(0.4, True), (0.6, False)])
def test_a_guard_lets_go_where_less_than_half_of_the_lead_is_asked_for(ahead: float, released: bool) -> None:
    pressing = Pressing(LEAD)
    guard, now_s, sent = GripGuard(LEAD, pressing), 0.0, 1.0
    while pressing.cap(1.0) > LEAD:
        sent = guard.limit(1.5, 1.0, now_s, sent=sent)
        now_s += PERIOD_S
    for _ in range(800):
        guard.limit(1.0 + ahead * LEAD, 1.0, now_s, sent=1.0 + ahead * LEAD)
        now_s += PERIOD_S
    assert (guard.limit(1.5, 1.0, now_s, sent=1.0) == 1.5) is released


@pytest.mark.parametrize("start_s", [0.0, 1000.0])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_fingers_that_stand_beside_a_far_goal_are_taken_for_stopped_after_a_while(start_s: float, side: float) -> None:
    fingers = Fingers()
    fingers.now_s = start_s
    fingers.grip.go(1.5 * side)
    walls = sorted((0.3 * side, -9.0 * side))
    while side * fingers.sent <= 0.3 + LEAD + 1e-3:
        fingers.run(PERIOD_S, *walls)
        assert fingers.grip.stalled is False
    stood_s = fingers.now_s
    while not fingers.grip.stalled:
        fingers.run(PERIOD_S, *walls)
    assert fingers.now_s - stood_s == pytest.approx(GripMotion.STANDING_S, abs=2.1 * PERIOD_S)


@pytest.mark.parametrize("far", [1.1 * GripMotion.STANDING_TRAVEL, -1.1 * GripMotion.SLACK])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_stopped_fingers_keep_their_goal_while_they_tremble_and_take_it_along_beyond(side: float, far: float) -> None:
    fingers = Fingers()
    fingers.grip.go(1.5 * side)
    walls = sorted((side, -9.0 * side))
    held = fingers.run(2.0, *walls)
    for near in (0.9 * GripMotion.STANDING_TRAVEL, -0.9 * GripMotion.SLACK):
        for _ in range(10):
            fingers.now_s += PERIOD_S
            fingers.grip.update(side * (1.0 + near), fingers.now_s)
        assert fingers.grip.moving is False
    for _ in range(30):
        fingers.now_s += PERIOD_S
        sent, _ = fingers.grip.update(side * (1.0 + far), fingers.now_s)
    assert sent == pytest.approx(held + side * far, abs=1e-3)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_fingers_that_pressed_hard_lately_are_stopped_by_the_lead_alone(side: float) -> None:
    fingers = Fingers()
    fingers.grip.go(1.5 * side)
    walls = sorted((side, -9.0 * side))
    fingers.run(2.0, *walls)
    fingers.grip.go(0.5 * side)
    fingers.run(1.0, *walls)
    fingers.grip.go(1.5 * side)
    while not fingers.grip.stalled:
        fingers.run(PERIOD_S, *walls)
    assert side * fingers.sent < 1.0 + LEAD + GripMotion.SLACK + 2.0 * 1.6 * PERIOD_S


@pytest.mark.parametrize(("speed", "stopped"), [(0.05, True), (0.1, False)])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_fingers_that_creep_are_stopped_where_they_make_no_way(side: float, speed: float, stopped: bool) -> None:
    """They make way by STANDING_TRAVEL in STANDING_S, which is 0.067 rad/s."""
    fingers = Fingers()
    fingers.grip.go(1.5 * side)
    walls = sorted((0.3 * side, -9.0 * side))
    while side * fingers.sent <= 0.3 + LEAD + 1e-3:
        fingers.run(PERIOD_S, *walls)
    for k in range(1, 18):
        fingers.now_s += PERIOD_S
        fingers.grip.update(side * (0.3 + speed * k * PERIOD_S), fingers.now_s)
    assert fingers.grip.stalled is stopped
