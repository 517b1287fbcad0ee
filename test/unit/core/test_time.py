import time

import pytest

from dofbot_ros.core.clock import ManualClock, MonotonicClock
from dofbot_ros.core.rate import Rate


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
    assert wakes == pytest.approx([5.0 + 0.02 * (k + 1) + (0.003 if k % 2 else 0.0) for k in range(10)])
    assert rate.lateness_s() == pytest.approx([0.0, 0.003] * 5)
    assert rate.missed == 0


def test_a_missed_deadline_is_skipped_not_made_up_for():
    clock = ManualClock()
    rate = Rate(clock, 50.0)
    rate.wait()
    clock.advance(0.07)
    assert rate.wait() == pytest.approx(0.05)
    assert rate.missed == 2
    rate.wait()
    assert clock.now() == pytest.approx(0.10)


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
