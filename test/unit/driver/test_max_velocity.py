"""The joint velocity limit is set while the arm runs: what moves brakes to it, what comes next keeps to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.core.types import GRIP, FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.motion_events import EndCode
from dofbot_ros.errors import ConfigError

from .conftest import Bench
from .daemon_bench import PERIOD_S, refusal

BENT = [0.0, -0.5, -0.7, -0.6, 0.0]
ROUNDING = 1e-9


def speeds(bench: Any, since: int) -> FloatArray:
    """Of the goals that went out from the one before number `since` on [rad/s] (n, 6)."""
    return np.asarray(np.diff(np.array(bench.arm.goals[max(since - 1, 0) :]), axis=0)) / PERIOD_S


@pytest.fixture
def bent(new_bench: Any) -> Any:
    """An arm that goals move exactly as commanded, in a bent pose."""
    b = new_bench(goal_trim=0.0)
    b.hold()
    b.daemon.move_joints(BENT)
    b.until(lambda snapshot: snapshot.motion == 0)
    return b


def test_what_comes_next_keeps_to_the_new_limit(bent: Any) -> None:
    for limit in (0.3, 2.5, 1.0):
        bent.daemon.set_max_velocity(limit)
        begun = len(bent.arm.goals)
        goal = 1.0 if bent.daemon.snapshot().reading.position[0] < 0.5 else -1.0
        bent.daemon.move_joints([goal, *BENT[1:]])
        bent.until(lambda snapshot: snapshot.motion == 0)
        assert limit - 0.1 < np.abs(speeds(bent, begun)).max() <= limit + ROUNDING


def test_a_trajectory_is_judged_by_the_limit_of_now(bent: Any) -> None:
    ask = ([1.0], [[0.9, *BENT[1:], 0.0]], [np.zeros(6)])
    bent.daemon.set_max_velocity(0.5)
    assert "the limit is 0.50: stretch the times by 2.7" in refusal(lambda: bent.daemon.follow(*ask))
    bent.daemon.set_max_velocity(1.6)
    bent.daemon.follow(*ask)
    bent.until(lambda snapshot: snapshot.motion == 0)
    assert bent.daemon.snapshot().result.code is EndCode.ARRIVED


def test_a_move_that_runs_brakes_to_a_lower_limit_and_arrives(bent: Any) -> None:
    acceleration = DriverConfig().max_acceleration
    bent.daemon.move_joints([1.5, *BENT[1:]])
    bent.run(0.6)
    lowered = len(bent.arm.goals)
    bent.daemon.set_max_velocity(0.4)
    bent.until(lambda snapshot: snapshot.motion == 0)
    moved = speeds(bent, lowered)
    assert moved[0, 0] > 1.0
    assert np.abs(moved[round(1.6 / acceleration / PERIOD_S) + 2 :]).max() <= 0.4 + ROUNDING
    assert np.abs(np.diff(moved, axis=0)).max() <= acceleration * PERIOD_S + ROUNDING
    assert bent.daemon.snapshot().result.code is EndCode.ARRIVED


def test_a_trajectory_that_runs_and_needs_more_is_given_up(bent: Any) -> None:
    bent.daemon.follow([1.0, 2.0], [[0.7, *BENT[1:], 0.0], [1.4, *BENT[1:], 0.0]])
    bent.run(0.5)
    bent.daemon.set_max_velocity(0.1)
    bent.until(lambda snapshot: snapshot.motion == 0)
    result = bent.daemon.snapshot().result
    assert result.code is EndCode.LIMITED
    assert "velocity limit" in result.reason


def test_the_tool_keeps_its_direction_while_the_limit_changes(bent: Any) -> None:
    kinematics = bent.daemon.kinematics
    begun = len(bent.arm.goals)
    for tick in range(150):
        bent.daemon.twist((0.0, 0.0, 0.2), np.zeros(3), bent.clock.now())
        if tick in (40, 60, 80):
            bent.daemon.set_max_velocity({40: 0.2, 60: 0.05, 80: 1.6}[tick])
        bent.run(PERIOD_S)
    heights = np.array([kinematics.forward(goal[:GRIP]).z for goal in bent.arm.goals[begun:]])
    assert heights.max() - heights[0] > 0.05
    assert np.diff(heights).min() > -1e-3
    assert (np.maximum.accumulate(heights) - heights).max() < 1e-3


def test_the_share_of_the_speed_stays(new_bench: Any) -> None:
    b = new_bench(speed=0.2)
    b.daemon.set_max_velocity(1.0)
    assert b.daemon.config.velocity == pytest.approx(0.2)
    assert b.daemon.limits.velocity == pytest.approx(np.full(6, 0.2))


@pytest.mark.parametrize("value", [0.0, -1.0, 3.5, np.nan, np.inf])
def test_a_limit_out_of_its_range_changes_nothing(value: float, new_bench: Any) -> None:
    b = new_bench()
    with pytest.raises(ConfigError, match=r"max_velocity must be 0.01 to 3.4"):
        b.daemon.set_max_velocity(value)
    assert b.daemon.limits.velocity == pytest.approx(np.full(6, 1.6))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.floats(0.01, 3.4), st.floats(-1.4, 1.4)), min_size=1, max_size=8))
def test_no_sequence_of_limits_breaks_acceleration_or_limits(steps: list[tuple[int, float, float]]) -> None:
    """Whatever the limit becomes: acceleration is kept, and after the time to brake the limit is, too."""
    b = Bench(goal_trim=0.0)
    b.hold()
    step = b.daemon.config.max_acceleration * PERIOD_S
    for periods, limit, goal in steps:
        before = len(b.arm.goals)
        b.daemon.set_max_velocity(limit)
        b.daemon.move_joints([goal, 0.0, 0.0, 0.0, 0.0])
        b.run(periods * PERIOD_S)
        moved = speeds(b, before - 1)
        assert np.abs(np.diff(moved, axis=0)).max(initial=0.0) <= step + ROUNDING
        over = np.maximum(np.abs(moved[0]).max() - step * np.arange(len(moved)), limit)
        assert (np.abs(moved).max(axis=1) <= over + ROUNDING).all()
