"""What the points of a trajectory may be, and the sentence with which anything else is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.trajectory_bounds import MAX_ACCELERATION, MIN_INTERVAL_S, checked_points


def rows(n: int, value: float = 0.0) -> FloatArray:
    return np.full((n, 6), value)


def refusal(*points: Any) -> str:
    with pytest.raises(CommandRefusedError) as refused:
        checked_points(*points)
    return str(refused.value)


@pytest.mark.parametrize("times", [[], 1.0])
def test_no_points_are_refused(times: Any) -> None:
    assert refusal(times, rows(0), None) == "the trajectory has no points"


def test_accelerations_alone_say_little() -> None:
    assert refusal([1.0], rows(1), None, rows(1)) == (
        "accelerations are given without velocities: give both, or velocities alone"
    )


def test_accelerations_beyond_any_servo_are_named_with_their_unit() -> None:
    accelerations = rows(2)
    accelerations[1, 3] = -2.0 * MAX_ACCELERATION
    assert refusal([1.0, 2.0], rows(2), rows(2), accelerations) == (
        "accelerations hold -2000 rad/s^2 in point 1; no joint has more than 1000 rad/s^2"
    )
    accelerations[1, 3] = MAX_ACCELERATION
    assert checked_points([1.0, 2.0], rows(2), rows(2), accelerations)[3] == pytest.approx(accelerations)


def test_of_many_times_the_first_eight_are_shown() -> None:
    assert refusal([0.0] * 20, rows(20), None) == (
        f"times must be finite and strictly increasing from 0, got {[0.0] * 8}"
    )


@pytest.mark.parametrize(
    ("n", "late_s", "off", "merged"),
    [
        (3, 1e-9, 0.0, True),
        (3, 0.9 * MIN_INTERVAL_S, 0.9e-3, True),
        (5, 1e-9, 0.0, True),
        (3, 1e-9, 1.1e-3, False),
        (2, 1e-9, 0.0, False),
    ],
)
def test_a_last_point_that_a_planner_says_twice_counts_once(n: int, late_s: float, off: float, merged: bool) -> None:
    times = np.arange(1.0, n + 1.0)
    times[-1] = times[-2] + late_s
    positions = np.linspace(0.0, 0.5, n)[:, None] * np.ones(6)
    positions[-1] = positions[-2]
    positions[-1, 2] += off
    if not merged:
        assert "apart; at least 0.0001 s are needed" in refusal(times, positions, rows(n), rows(n))
        return
    t, q, v, a = checked_points(times, positions, rows(n), rows(n))
    assert t == pytest.approx(np.delete(times, n - 2), abs=0.0)
    assert q == pytest.approx(np.delete(positions, n - 2, axis=0), abs=0.0)
    assert v is not None
    assert a is not None
    assert len(v) == len(a) == n - 1


def test_points_that_are_far_enough_apart_are_all_kept() -> None:
    times = [1.0, 2.0, 2.0 + 1.1 * MIN_INTERVAL_S]
    assert len(checked_points(times, rows(3), rows(3), rows(3))[0]) == 3
