"""Timing a path: within the limits, and not slower than they ask for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.motion.timed_path import TimedPath, retime
from dofbot_ros.motion.trajectory import MotionLimits, Sample, Trajectory

LIMITS = MotionLimits(np.full(6, -np.pi), np.full(6, np.pi), np.full(6, 1.6), np.full(6, 8.0))


def as_trajectory(path: TimedPath) -> Trajectory:
    """What the daemon makes of it, the gripper at rest."""
    rest = np.zeros(len(path.times))
    start = Sample(np.append(path.positions[0], 0.0), np.zeros(6))
    return Trajectory(
        path.times, np.column_stack([path.positions, rest]), np.column_stack([path.velocities, rest]), start
    )


def share_of_limits(path: TimedPath) -> float:
    """The largest velocity or acceleration as a share of its limit, finely sampled."""
    times = np.linspace(0.0, path.duration_s, 4000)
    velocity = as_trajectory(path).sample(times).velocity
    acceleration = np.diff(velocity, axis=0) / np.diff(times)[:, None]
    return max(np.abs(velocity).max() / 1.6, np.abs(acceleration).max() / 8.0)


@st.composite
def curves(draw: st.DrawFn) -> FloatArray:
    """Smooth paths of joint angles, of any length."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    s = np.linspace(0.0, 1.0, draw(st.integers(2, 40)))[:, None]
    a, b, c = rng.uniform(-1.0, 1.0, (3, 5)) * draw(st.floats(1e-3, 1.0))
    return a + b * s + 0.3 * c * s * s


@settings(max_examples=80, deadline=None)
@given(curves())
def test_is_accepted_and_uses_what_is_allowed(path: FloatArray) -> None:
    timed = retime(path, LIMITS)
    as_trajectory(timed).check(LIMITS)
    assert share_of_limits(timed) > 0.9
    np.testing.assert_allclose(timed.positions[[0, -1]], path[[0, -1]], atol=1e-12)
    assert not timed.velocities[[0, -1]].any()


@settings(max_examples=30, deadline=None)
@given(curves())
def test_stays_on_the_path(path: FloatArray) -> None:
    timed = retime(path, LIMITS)
    sampled = as_trajectory(timed).sample(np.linspace(0.0, timed.duration_s, 200)).position[:, :5]
    fine = np.array([np.interp(np.linspace(0, 1, 2000), np.linspace(0, 1, len(path)), column) for column in path.T]).T
    gap = np.abs(sampled[:, None] - fine).max(axis=-1).min(axis=-1)
    assert gap.max() < 0.02


def test_one_motion_after_another_rests_between_them() -> None:
    first = retime(np.array([np.zeros(5), np.full(5, 0.4)]), LIMITS)
    second = retime(np.array([np.full(5, 0.4), np.full(5, -0.1)]), LIMITS)
    both = first.then(second)
    assert both.duration_s == pytest.approx(first.duration_s + second.duration_s)
    as_trajectory(both).check(LIMITS)
    middle = as_trajectory(both).sample(first.duration_s)
    np.testing.assert_allclose(middle.position[:5], 0.4, atol=1e-9)
    np.testing.assert_allclose(middle.velocity, 0.0, atol=1e-9)


def test_a_path_that_goes_nowhere_is_refused() -> None:
    with pytest.raises(InputError, match="takes no time"):
        retime(np.zeros((4, 5)), LIMITS)
