"""How long a servo may press: the account of it, period by period."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dofbot_ros.motion.pressing import Pressing

PERIOD_S = 0.02
LEAD = 0.12
CLOSING, OPENING = 1.0, -1.0


class Clock:
    """Presses for some time with a constant lead."""

    def __init__(self, pressing: Pressing) -> None:
        self.pressing = pressing
        self.now_s = 0.0

    def press(self, lead: float, seconds: float, period_s: float = PERIOD_S) -> None:
        for _ in range(round(seconds / period_s)):
            self.now_s += period_s
            self.pressing.update(lead, 0.0, self.now_s)

    def until_capped(self, lead: float, below: float, side: float = CLOSING, at_most_s: float = 100.0) -> float:
        """Press until the cap is less than `below` [rad]. Returns how long that took [s]."""
        start_s = self.now_s
        while self.pressing.cap(side) >= below:
            self.press(lead, PERIOD_S)
            assert self.now_s - start_s < at_most_s
        return self.now_s - start_s


@pytest.fixture
def clock() -> Clock:
    return Clock(Pressing(LEAD))


def test_a_hard_press_is_limited_to_the_lead_after_its_time(clock: Clock) -> None:
    assert clock.pressing.cap(CLOSING) == math.inf
    assert clock.until_capped(0.3, math.inf) == pytest.approx(Pressing.HARD_S, abs=1.5 * PERIOD_S)
    assert clock.pressing.cap(CLOSING) == LEAD
    assert clock.pressing.cap(OPENING) == math.inf


def test_fingers_that_cannot_open_are_limited_on_that_side(clock: Clock) -> None:
    clock.until_capped(-0.3, math.inf, OPENING)
    assert clock.pressing.cap(OPENING) == LEAD
    assert clock.pressing.cap(CLOSING) == math.inf


def test_fingers_that_are_pressed_to_and_fro_are_limited_on_both_sides(clock: Clock) -> None:
    clock.until_capped(0.3, math.inf)
    clock.until_capped(-0.3, math.inf, OPENING)
    assert clock.pressing.cap(OPENING) == clock.pressing.cap(CLOSING) == Pressing.HOLDING * LEAD


@pytest.mark.parametrize(("share", "limited"), [(1.04, False), (1.06, True), (0.7, False)])
def test_within_a_twentieth_of_the_lead_is_no_hard_press(clock: Clock, share: float, limited: bool) -> None:
    clock.press(share * LEAD, 3.0)
    assert (clock.pressing.cap(CLOSING) < math.inf) == limited


def test_the_lead_is_what_was_sent_a_moment_ago(clock: Clock) -> None:
    clock.press(0.0, 1.0)
    needed_s = clock.until_capped(0.3, math.inf)
    assert needed_s == pytest.approx(Pressing.HARD_S + Pressing.DELAY_S, abs=1.5 * PERIOD_S)


def test_fingers_that_have_passed_what_was_sent_before_are_not_pressed(clock: Clock) -> None:
    pressing = clock.pressing
    for k in range(200):
        # They follow at 3 rad/s, right behind: a moment ago the goal was 0.36 rad behind where they are now.
        pressing.update(0.06 * k, 0.06 * k - 0.001, PERIOD_S * k)
    assert pressing.cap(CLOSING) == pressing.cap(OPENING) == math.inf


def test_a_firm_hold_is_lowered_after_its_time_and_stays_lowered(clock: Clock) -> None:
    firm_s = clock.until_capped(LEAD, math.inf)
    assert firm_s == pytest.approx(Pressing.FIRM_S, abs=0.1)
    assert clock.pressing.cap(CLOSING) == Pressing.HOLDING * LEAD
    clock.press(Pressing.HOLDING * LEAD, 600.0, 0.1)
    assert clock.pressing.cap(CLOSING) == Pressing.HOLDING * LEAD


def test_a_lighter_hold_is_never_lowered(clock: Clock) -> None:
    clock.press(1.04 * Pressing.HOLDING * LEAD, 600.0, 0.1)
    assert clock.pressing.cap(CLOSING) == math.inf


def test_fingers_that_go_on_being_pressed_hard_are_eased_step_by_step(clock: Clock) -> None:
    steps = []
    while clock.pressing.cap(CLOSING) > 0.2 * LEAD:
        before = clock.pressing.cap(CLOSING)
        steps.append(clock.until_capped(0.3, before))
    # A goal takes its time to be drawn back: nothing is lowered again before the fingers can have felt it.
    assert steps[1:] == pytest.approx([Pressing.SETTLE_S] * 3, abs=1.5 * PERIOD_S)
    assert clock.pressing.cap(CLOSING) == pytest.approx(0.15 * LEAD)


def test_fingers_that_have_felt_it_are_eased_at_once(clock: Clock) -> None:
    clock.until_capped(0.3, math.inf)
    clock.press(LEAD, 3.0)
    assert clock.pressing.cap(CLOSING) == LEAD
    needed_s = clock.until_capped(0.3, LEAD)
    assert needed_s < Pressing.DELAY_S + Pressing.LOWER_S + 0.15


def test_what_was_eased_comes_back_to_what_can_be_held_for_good(clock: Clock) -> None:
    clock.press(0.3, 5.0)
    assert clock.pressing.cap(CLOSING) == pytest.approx(Pressing.EASED[1] * LEAD)
    clock.press(0.02, 60.0)
    assert clock.pressing.cap(CLOSING) == pytest.approx(Pressing.HOLDING * LEAD)


def test_time_to_press_hard_comes_back_slowly(clock: Clock) -> None:
    pressing = clock.pressing
    assert pressing.may_press_hard
    clock.until_capped(0.3, math.inf)
    assert not pressing.may_press_hard
    pressing.release()
    assert pressing.cap(CLOSING) == LEAD
    clock.press(0.0, Pressing.DELAY_S)
    waited_s = 0.0
    while not pressing.may_press_hard:
        clock.press(0.0, 0.1)
        waited_s += 0.1
    used_again = Pressing.HARD_S + Pressing.DELAY_S - (Pressing.HARD_S - Pressing.RECOVER_S)
    assert 0.6 * used_again / Pressing.HARD_REFILL < waited_s < 1.1 * used_again / Pressing.HARD_REFILL
    pressing.release()
    assert pressing.cap(CLOSING) == math.inf


def test_letting_go_does_not_give_back_the_time_of_a_firm_hold(clock: Clock) -> None:
    clock.press(LEAD, Pressing.FIRM_S + 1.0)
    clock.pressing.release()
    assert clock.pressing.cap(CLOSING) == Pressing.HOLDING * LEAD
    clock.press(0.0, 6.0)
    assert clock.pressing.may_press_hard
    clock.pressing.release()
    assert clock.pressing.cap(CLOSING) == math.inf
    # A fifth of those six seconds has come back.
    assert clock.until_capped(LEAD, math.inf) == pytest.approx(1.2 + Pressing.DELAY_S, abs=0.3)


def test_a_pause_counts_as_one_short_period(clock: Clock) -> None:
    clock.pressing.update(0.3, 0.0, 0.0)
    clock.pressing.update(0.3, 0.0, 3600.0)
    assert clock.pressing.cap(CLOSING) == math.inf
    clock.pressing.update(0.3, 0.0, 3599.0)
    assert clock.pressing.cap(CLOSING) == math.inf


def test_the_times_and_shares_are_those_that_were_tried_on_the_servo_model() -> None:
    assert (Pressing.HARD_S, Pressing.LOWER_S, Pressing.RECOVER_S, Pressing.HARD_REFILL) == (0.3, 0.05, 0.2, 0.03)
    assert (Pressing.FIRM_S, Pressing.FIRM_REFILL) == (30.0, 0.2)
    assert (Pressing.HOLDING, *Pressing.EASED) == (0.75, 0.4, 0.15)
    assert (Pressing.DELAY_S, Pressing.SETTLE_S, Pressing.ABOVE) == (0.12, 0.6, 1.05)


def test_where_the_fingers_are_does_not_matter() -> None:
    here, there = Pressing(LEAD), Pressing(LEAD)
    rng = np.random.default_rng(3)
    now_s, caps = 0.0, set()
    for lead in rng.choice([0.3, 0.115, 0.05, 0.0, -0.02, -0.3], 150):
        for _ in range(int(rng.integers(1, 40))):
            now_s += PERIOD_S
            here.update(lead, 0.0, now_s)
            there.update(lead - 0.5, -0.5, now_s)
            assert [here.cap(side) for side in (CLOSING, OPENING)] == [there.cap(side) for side in (CLOSING, OPENING)]
            caps.add(here.cap(CLOSING))
    assert len(caps) >= 4, "it has been through its levels"


def test_a_long_rest_gives_back_all_the_time_for_a_firm_grip_and_no_more(clock: Clock) -> None:
    clock.press(0.0, 20.0)
    assert clock.until_capped(0.95 * LEAD, math.inf) == pytest.approx(Pressing.FIRM_S + Pressing.DELAY_S, abs=0.2)
    assert clock.pressing.cap(CLOSING) == Pressing.HOLDING * LEAD


def test_shaken_fingers_are_eased_level_by_level_and_come_back_the_same_way(clock: Clock) -> None:
    levels = []
    for press in (True, False):
        for _ in range(1200):
            clock.press(0.3 if press else 0.0, PERIOD_S)
            if not levels or levels[-1] != clock.pressing.cap(CLOSING):
                levels.append(clock.pressing.cap(CLOSING))
    down = [math.inf, LEAD, Pressing.HOLDING * LEAD, *(share * LEAD for share in Pressing.EASED)]
    assert levels == [*down, *down[-2:1:-1]]


def test_an_eased_grip_is_firm_again_once_time_to_press_hard_has_come_back(clock: Clock) -> None:
    clock.press(0.3, 24.0)
    released_s, changes = clock.now_s, []
    before = clock.pressing.cap(CLOSING)
    assert before == Pressing.EASED[-1] * LEAD
    for _ in range(700):
        clock.press(0.0, PERIOD_S)
        if clock.pressing.cap(CLOSING) != before:
            before = clock.pressing.cap(CLOSING)
            changes.append(clock.now_s - released_s)
    full_s = Pressing.HARD_S + 3 * Pressing.LOWER_S
    levels_s = [full_s, full_s - Pressing.LOWER_S]
    expected = [(full_s - level_s + Pressing.RECOVER_S) / Pressing.HARD_REFILL for level_s in levels_s]
    assert changes == pytest.approx(expected, abs=Pressing.DELAY_S + 0.1)
