"""joint_states names all joints, each read since the last message, or does not come at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.arm.backend import ArmReading, ServoHealth
from dofbot_ros.core.types import N_JOINTS
from dofbot_ros.driver.joint_reports import JointReport, JointReports

CYCLE_S, READ_S = 0.02, 0.0015


class Servos:
    """Readings as a bus makes them: one servo after the other, those that are not heard keep stamp and position."""

    def __init__(self) -> None:
        self._position, self._stamps_s = np.zeros(N_JOINTS), np.full(N_JOINTS, -np.inf)

    def read(self, now_s: float, heard: set[int]) -> ArmReading:
        fresh = np.array([i in heard for i in range(N_JOINTS)])
        self._stamps_s = np.where(fresh, now_s + READ_S * np.arange(1, N_JOINTS + 1), self._stamps_s)
        self._position = np.where(fresh, now_s, self._position)
        end_s = now_s + READ_S * N_JOINTS
        health = (ServoHealth(),) * N_JOINTS
        return ArmReading(end_s, self._position.copy(), self._stamps_s.copy(), fresh, health)


def reports(heard: list[set[int]], period_s: float = CYCLE_S) -> list[JointReport | None]:
    servos, maker = Servos(), JointReports(period_s, 0.5 * CYCLE_S)
    return [maker.of(servos.read(CYCLE_S * (k + 1), who)) for k, who in enumerate(heard)]


ALL = set(range(N_JOINTS))


def test_every_sweep_is_reported_with_the_stamp_of_its_first_joint() -> None:
    told = [report for report in reports([ALL] * 5) if report is not None]
    assert [report.stamp_s for report in told] == pytest.approx([CYCLE_S * (k + 1) + READ_S for k in range(5)])


def test_a_slower_rate_takes_every_third_sweep() -> None:
    assert [report is not None for report in reports([ALL] * 7, 3 * CYCLE_S)] == [True, False, False] * 2 + [True]


def test_the_rate_is_kept_on_average_where_the_period_is_no_multiple_of_a_sweep() -> None:
    told = [report for report in reports([ALL] * 250, 2.5 * CYCLE_S) if report is not None]
    assert len(told) == pytest.approx(100, abs=1)


def test_velocities_come_with_the_positions() -> None:
    *_, last = reports([ALL] * 60)
    assert last is not None
    # The servos above turn by as many radians as seconds pass.
    assert last.velocity == pytest.approx(np.ones(N_JOINTS), abs=1e-3)


def test_a_joint_that_falls_silent_ends_the_reports_until_it_is_back() -> None:
    without = ALL - {2}
    assert [report is not None for report in reports([ALL, without, without, ALL, ALL])] == [True, 0, 0, True, True]


def test_nothing_comes_before_every_joint_was_read_once() -> None:
    assert [report is not None for report in reports([ALL - {5}, ALL - {5}, {5}])] == [False, False, True]


@given(st.lists(st.sets(st.integers(0, N_JOINTS - 1)), max_size=60), st.sampled_from([CYCLE_S, 0.05, 0.2]))
def test_no_position_is_older_than_its_stamp_and_none_is_told_twice(heard: list[set[int]], period_s: float) -> None:
    told = [(k, report) for k, report in enumerate(reports(heard, period_s)) if report is not None]
    last, before = -1, -np.inf
    for k, report in told:
        # Every joint was heard since the report before, and its position is that of the time it was heard at.
        assert set().union(*heard[last + 1 : k + 1]) == ALL
        assert (report.position + READ_S * np.arange(1, N_JOINTS + 1) >= report.stamp_s - 1e-9).all()
        assert report.stamp_s > before
        last, before = k, report.stamp_s
