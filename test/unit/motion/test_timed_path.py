"""Timing a path: within the limits, and not slower than they ask for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.motion.pieces import Pieces
from dofbot_ros.motion.timed_path import HEADROOM, KNOTS, SAME_PLACE, TimedPath, retime
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
    for path in (np.zeros((4, 5)), np.array([np.zeros(5), np.full(5, SAME_PLACE)])):
        with pytest.raises(InputError, match=r"^a path of one point takes no time: leave it out$"):
            retime(path, LIMITS)
    assert retime(np.array([np.zeros(5), np.full(5, 1.01 * SAME_PLACE)]), LIMITS).duration_s > 0.0


def test_points_that_are_twice_in_a_path_are_taken_once() -> None:
    path = np.array([np.zeros(5), np.full(5, 0.1), np.full(5, 0.3)])
    once, twice = retime(path, LIMITS), retime(path[[0, 0, 1, 1, 2, 2]], LIMITS)
    np.testing.assert_allclose(twice.times, once.times)
    np.testing.assert_allclose(twice.positions, once.positions)


def test_it_follows_its_time_law_along_the_joint_that_turns_most() -> None:
    start, turn = np.array([0.1, 0.2, -0.3, 0.4, 0.0]), np.array([0.2, -1.0, 0.5, 0.0, 0.1])
    timed = retime(start + np.array([0.0, 0.2, 0.25, 1.0])[:, None] * turn, LIMITS)
    u = np.linspace(0.0, 1.0, KNOTS)[:, None]
    np.testing.assert_allclose(timed.times, timed.duration_s * u[:, 0], atol=1e-12)
    np.testing.assert_allclose(timed.positions, start + (3.0 * u**2 - 2.0 * u**3) * turn, atol=1e-12)
    # Central differences of u^3 are off by the square of the step.
    inner = (6.0 * u - 6.0 * u**2 - 2.0 / (KNOTS - 1) ** 2) * turn / timed.duration_s
    np.testing.assert_allclose(timed.velocities[1:-1], inner[1:-1], atol=1e-12)


@given(curves(), arrays(np.float64, (2, 6), elements=st.floats(0.5, 5.0)))
def test_one_joint_reaches_its_velocity_or_acceleration_limit_but_for_the_headroom(
    path: FloatArray, most: FloatArray
) -> None:
    limits = MotionLimits(np.full(6, -np.pi), np.full(6, np.pi), most[0], 3.0 * most[1])
    timed = retime(path, limits)
    pieces = Pieces.cubic(timed.times, timed.positions, timed.velocities)
    velocity = np.abs(pieces.velocity(np.array([0.0, 0.5, 1.0])[:, None, None])).max(axis=(0, 1)) / limits.velocity[:5]
    ends = np.abs(pieces.acceleration(np.array([0.0, 1.0])[:, None, None])).max(axis=(0, 1)) / limits.acceleration[:5]
    assert max(velocity.max(), ends.max()) == pytest.approx(HEADROOM)


def test_later_and_reversed_are_the_same_motion_at_other_times() -> None:
    there = TimedPath(np.array([0.0, 0.5, 2.0]), np.arange(15.0).reshape(3, 5), np.arange(15.0, 30.0).reshape(3, 5))
    later = there.later(0.75)
    assert later.times.tolist() == [0.75, 1.25, 2.75]
    assert later.duration_s == 2.75
    np.testing.assert_array_equal(later.positions, there.positions)
    np.testing.assert_array_equal(later.velocities, there.velocities)
    back = there.reversed()
    assert back.times.tolist() == [0.0, 1.5, 2.0]
    np.testing.assert_array_equal(back.positions, there.positions[[2, 1, 0]])
    np.testing.assert_array_equal(back.velocities, -there.velocities[[2, 1, 0]])


def test_one_motion_after_another_has_the_knots_of_both_and_that_between_them_once() -> None:
    first = TimedPath(
        np.array([0.0, 1.0]), np.array([np.zeros(5), np.ones(5)]), np.array([np.zeros(5), np.full(5, 0.1)])
    )
    second = TimedPath(
        np.array([0.0, 0.5, 0.7]),
        np.array([np.ones(5), np.full(5, 2.0), np.full(5, 3.0)]),
        np.array([np.full(5, 0.1), np.full(5, 0.2), np.zeros(5)]),
    )
    both = first.then(second)
    assert both.times == pytest.approx([0.0, 1.0, 1.5, 1.7])
    assert both.positions[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert both.velocities[:, 0].tolist() == [0.0, 0.1, 0.2, 0.0]
