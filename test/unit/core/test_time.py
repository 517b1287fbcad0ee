import random
import threading
import time
from itertools import pairwise

import pytest

from dofbot_ros.core.clock import EventClock, ManualClock, MonotonicClock
from dofbot_ros.core.rate import SPACING, YIELD_S, Rate


class LateClock(ManualClock):
    """Wakes `late_s` after each deadline."""

    late_s = 0.0

    def sleep_until(self, deadline_s: float) -> None:
        super().sleep_until(deadline_s)
        self.advance(self.late_s)


def test_rate_keeps_to_its_grid():
    clock = LateClock(5.0)
    rate = Rate(clock, 50.0)
    wakes = []
    for k in range(10):
        clock.late_s = 0.003 if k % 2 else 0.0
        rate.wait()
        wakes.append(clock.now())
    assert rate.lateness_s() == pytest.approx([0.0, 0.003] * 5, abs=2e-3)
    assert rate.missed == 0
    assert wakes[::2] == pytest.approx([5.02 + 0.04 * k for k in range(5)], abs=6e-3)


def test_wakes_are_never_much_closer_than_a_period_whatever_was_late():
    """What is limited per period is limited per second: a late wake-up is not made up for by an early one."""
    clock, rng = LateClock(), random.Random(1)
    rate, wakes = Rate(clock, 50.0), []
    for _ in range(500):
        clock.late_s = rng.choice([0.0, 0.001, 0.008, 0.019, 0.045])
        rate.wait()
        wakes.append(clock.now())
        clock.advance(rng.choice([0.0, 0.005, 0.030]))
    assert min(b - a for a, b in pairwise(wakes)) >= SPACING * rate.period_s - 1e-9


def test_a_loop_that_is_late_all_the_time_still_sleeps_for_a_moment():
    clock = ManualClock()
    rate = Rate(clock, 50.0)
    for _ in range(20):
        clock.advance(0.1)
        before = clock.now()
        rate.wait()
        assert clock.now() - before >= YIELD_S - 1e-12


def test_a_missed_deadline_is_skipped_not_made_up_for():
    clock = ManualClock()
    rate = Rate(clock, 50.0)
    rate.wait()
    clock.advance(0.07)
    assert rate.wait() == pytest.approx(0.05 + YIELD_S)
    assert rate.missed == 2
    rate.wait()
    assert clock.now() == pytest.approx(0.09 + YIELD_S + SPACING * 0.02)


def test_news_begins_a_period_early_and_the_next_one_in_its_time():
    clock = ManualClock()
    rate, news = Rate(clock, 50.0), threading.Event()
    rate.wait()
    clock.advance(0.004)
    news.set()
    assert rate.wait(news) == pytest.approx(-0.016)
    assert not news.is_set()
    rate.wait()
    assert clock.now() == pytest.approx(0.06)
    assert rate.lateness_s() == pytest.approx([0.0, 0.0, 0.0])


def test_without_news_a_period_is_begun_at_its_deadline():
    clock = MonotonicClock()
    rate, begin = Rate(clock, 50.0), clock.now()
    assert rate.wait(threading.Event()) >= 0.0
    assert clock.now() - begin >= 0.9 * rate.period_s


def test_a_rate_must_be_positive():
    with pytest.raises(ValueError, match="positive, got 0"):
        Rate(ManualClock(), 0.0)


def test_monotonic_clock_sleeps_to_its_deadline_and_not_when_it_has_passed():
    clock = MonotonicClock()
    deadline = clock.now() + 0.01
    clock.sleep_until(deadline)
    assert clock.now() >= deadline
    before = time.monotonic()
    clock.sleep_until(before - 10.0)
    assert time.monotonic() - before < 5.0


def test_events_happen_in_order_of_time_while_someone_sleeps():
    clock = EventClock(10.0)
    seen: list[tuple[str, float]] = []
    clock.at(10.3, lambda: seen.append(("late", clock.now())))
    clock.at(10.1, lambda: seen.append(("early", clock.now())))
    clock.at(9.0, lambda: seen.append(("past", clock.now())))
    clock.sleep_until(10.2)
    assert seen == [("past", 10.0), ("early", 10.1)]
    assert clock.now() == 10.2
    clock.advance(0.5)
    assert seen[-1] == ("late", 10.3)
    assert clock.now() == pytest.approx(10.7)


def test_an_event_may_plan_the_next_one_and_let_time_pass_itself():
    clock = EventClock()
    times: list[float] = []

    def tick() -> None:
        times.append(clock.now())
        clock.at(clock.now() + 0.1, tick)

    clock.at(0.1, tick)
    clock.at(0.25, lambda: clock.advance(0.2))
    clock.sleep_until(0.3)
    assert times == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert clock.now() == pytest.approx(0.45)


def test_sleeping_to_a_time_that_is_past_runs_what_is_overdue_and_does_not_turn_back():
    clock = EventClock(5.0)
    seen: list[float] = []
    clock.at(4.0, lambda: seen.append(clock.now()))
    clock.sleep_until(3.0)
    assert seen == [5.0]
    assert clock.now() == 5.0
