"""Trajectories with accelerations, as time-optimal planners sample them: taken inside the limits, refused outside."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dofbot_ros.core.types import FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.pieces import Pieces
from dofbot_ros.motion.trajectory import BETWEEN_SAMPLES, SAMPLED_S, MotionLimits, Sample, Trajectory

VELOCITY, ACCELERATION = DriverConfig().max_velocity, DriverConfig().max_acceleration
LIMITS = MotionLimits(np.full(6, -3.2), np.full(6, 3.2), np.full(6, VELOCITY), np.full(6, ACCELERATION))
STEP_S = 0.1
distances = st.lists(st.floats(-3.0, 3.0), min_size=6, max_size=6).map(np.array)
Points = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def trapezoid(distance: FloatArray, velocity: float = VELOCITY, acceleration: float = ACCELERATION) -> Points:
    """Points each STEP_S along a straight line in joint space, as MoveIt's TOTG samples its fastest motion.

    The joint with the longest way keeps the limits, the others go in proportion. Times (n,) [s], then positions,
    velocities and accelerations (n, 6).
    """
    way = float(np.abs(distance).max())
    peak = min(velocity, math.sqrt(way * acceleration))
    ramp = peak / acceleration
    duration = ramp + way / peak
    t = np.append(np.arange(0.0, duration, STEP_S), duration)
    end = duration - t
    s = np.select(
        [t < ramp, end < ramp], [acceleration * t**2 / 2, way - acceleration * end**2 / 2], peak * (t - ramp / 2)
    )
    ds = np.select([t < ramp, end < ramp], [acceleration * t, acceleration * end], peak)
    dds = np.select([t < ramp, end < ramp], [acceleration, -acceleration], 0.0)
    direction = distance / way
    return t, np.outer(s, direction), np.outer(ds, direction), np.outer(dds, direction)


def planned(points: Points, start: FloatArray | None = None) -> Trajectory:
    t, q, v, a = points
    return Trajectory(t, q, v, Sample(q[0] if start is None else start, np.zeros(6)), a)


@given(distances)
def test_the_fastest_motion_inside_the_limits_is_taken(distance: FloatArray) -> None:
    assume(np.abs(distance).max() > 1e-3)
    planned(trapezoid(distance)).check(LIMITS)


@given(distances, st.floats(1e-12, 1e-9))
@example(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 2.400097104606039]), 9.6e-10)  # one 0.06 ms before the end
def test_what_a_planner_rounds_is_taken(distance: FloatArray, error: float) -> None:
    assume(np.abs(distance).max() > 1e-3)
    t, q, v, a = trapezoid(distance)
    late = np.append(t, t[-1] + error)
    again = [np.vstack([rows, rows[-1]]) for rows in (q, v, a)]
    planned((late, again[0], again[1] * (1.0 + 1e-3), again[2] * (1.0 + 1e-3))).check(LIMITS)


@given(distances, st.floats(1.03, 3.0))
def test_a_motion_that_is_faster_than_the_limits_is_refused(distance: FloatArray, excess: float) -> None:
    assume(np.abs(distance).max() > 1.0)
    with pytest.raises(CommandRefusedError, match=r"a velocity of .* the limit is 1\.60: stretch"):
        planned(trapezoid(distance, VELOCITY * excess, ACCELERATION * 0.9)).check(LIMITS)
    with pytest.raises(CommandRefusedError, match=r"an acceleration of .* the limit is 8\.00: stretch"):
        planned(trapezoid(distance, VELOCITY * 0.9, ACCELERATION * excess)).check(LIMITS)


@given(distances, st.lists(st.floats(-0.049, 0.049), min_size=6, max_size=6).map(np.array))
def test_a_plan_that_begins_where_the_arm_was_measured_is_joined(distance: FloatArray, gap: FloatArray) -> None:
    assume(np.abs(distance).max() > 0.5)
    points = trapezoid(distance)
    trajectory = planned(points, points[1][0] + gap)
    trajectory.check(LIMITS)
    np.testing.assert_allclose(trajectory.sample(0.0).position, points[1][0] + gap, atol=1e-12)
    late = points[0] >= 0.5
    np.testing.assert_allclose(trajectory.sample(points[0][late]).position, points[1][late], atol=1e-12)


def test_a_point_that_hops_is_refused_though_its_neighbours_are_near_in_time() -> None:
    t, q, v, a = trapezoid(np.full(6, 1.0))
    q[5, 2] += 0.1
    with pytest.raises(CommandRefusedError, match="joint3 would need"):
        planned((t, q, v, a)).check(LIMITS)


def test_accelerations_on_points_far_apart_are_held_to_the_limits() -> None:
    # From rest to rest over d in T a quintic needs 5.77 d / T^2.
    q, zeros = np.full((1, 6), 1.0), np.zeros((1, 6))
    for duration, taken in ((1.3, True), (0.8, False)):
        trajectory = Trajectory([duration], q, zeros, Sample(np.zeros(6), np.zeros(6)), zeros)
        limits = MotionLimits(LIMITS.lower, LIMITS.upper, np.full(6, 9.0), LIMITS.acceleration)
        if taken:
            trajectory.check(limits)
        else:
            with pytest.raises(CommandRefusedError, match="an acceleration"):
                trajectory.check(limits)


def test_a_position_beyond_a_limit_is_refused() -> None:
    points = trapezoid(np.full(6, 2.0))
    narrow = MotionLimits(LIMITS.lower, np.full(6, 1.99), LIMITS.velocity, LIMITS.acceleration)
    with pytest.raises(CommandRefusedError, match=r"would reach 2\.000 rad"):
        planned(points).check(narrow)


def line(times: list[float], rows: dict[str, list[float]]) -> Trajectory:
    """A planned motion of joint2 alone from rest at 0: position [rad], velocity [rad/s], acceleration [rad/s^2]."""
    unit = np.eye(6)[1]
    q, v, a = (np.outer(rows.get(name, [0.0] * len(times)), unit) for name in ("q", "v", "a"))
    return Trajectory(times, q, v, Sample(np.zeros(6), np.zeros(6)), a)


def within(lower: float = -9.0, upper: float = 9.0, velocity: float = 9.0, acceleration: float = 900.0) -> MotionLimits:
    return MotionLimits(np.full(6, lower), np.full(6, upper), np.full(6, velocity), np.full(6, acceleration))


@pytest.mark.parametrize(("interval", "slack"), [(SAMPLED_S, 2e-3), (1.01 * SAMPLED_S, 1e-5)])
def test_between_samples_a_position_may_leave_its_limit_a_little(interval: float, slack: float) -> None:
    trajectory = line([interval, 2 * interval], {"q": [0.01, 0.02], "v": [0.01 / interval, 0.0]})
    trajectory.check(within(upper=0.02 - 0.99 * slack))
    with pytest.raises(CommandRefusedError, match=r"joint2 would reach 0\.020 rad"):
        trajectory.check(within(upper=0.02 - 1.01 * slack))


def test_what_leaves_its_limit_by_more_than_it_may_is_named_rather_than_what_leaves_it_more() -> None:
    # Up to 1.5 mrad beyond the limit between samples, then 1 mrad beyond it between points that are far apart.
    trajectory = line([0.1, 0.2, 5.0, 9.0], {"q": [0.0115, 0.0, 0.011, 0.0]})
    with pytest.raises(CommandRefusedError, match=r"joint2 would reach 0\.011 rad before [59]\.00 s; its limits are "):
        trajectory.check(within(upper=0.01))


def test_a_slow_piece_beyond_its_velocity_is_named_rather_than_samples_within_theirs() -> None:
    # From rest to rest over d in T a quintic needs 15/8 d / T: 4 % more than the limit in 0.1 s, and 3 % more in 1 s.
    fast, slow = 1.04 * 8.0 / 15.0 * 0.1, 1.03 * 8.0 / 15.0
    trajectory = line([0.1, 1.1], {"q": [fast, fast + slow]})
    with pytest.raises(CommandRefusedError, match=r"joint2 would need a velocity of 1\.03 rad/s before 1\.10 s"):
        trajectory.check(within(velocity=1.0))
    line([0.1], {"q": [fast]}).check(within(velocity=1.0))


@pytest.mark.parametrize(("excess", "refused"), [(1.009, False), (1.011, True), (-1.009, False), (-1.011, True)])
def test_on_average_between_two_points_the_acceleration_is_held_though_both_have_less(
    excess: float, refused: bool
) -> None:
    # Half of the limit at the points, more than it between them, and by less than samples may.
    trajectory = line(
        [1.0, 1.1], {"q": [0.0, 0.005 * excess], "v": [0.0, 0.1 * excess], "a": [0.5 * excess, 0.5 * excess]}
    )
    if refused:
        with pytest.raises(CommandRefusedError, match=r"joint2 would need an acceleration of .* before 1\.10 s"):
            trajectory.check(within(acceleration=1.0))
    else:
        trajectory.check(within(acceleration=1.0))


def test_a_point_at_time_0_gives_the_acceleration_there() -> None:
    q, zeros = np.zeros((3, 6)), np.zeros((3, 6))
    changes = np.outer([0.5, -0.3, 0.2], np.ones(6))
    trajectory = Trajectory([0.0, 1.0, 2.0], q, zeros, Sample(np.zeros(6), np.zeros(6)), changes)
    h = 1e-4
    for t, change in ((0.0, 0.5), (1.0, -0.3)):
        assert trajectory.sample(t + h).velocity / h == pytest.approx(np.full(6, change), abs=1e-3)
    later = Trajectory([1.0, 2.0, 3.0], q, zeros, Sample(np.zeros(6), np.zeros(6)), changes)
    assert later.sample(h).velocity / h == pytest.approx(np.zeros(6), abs=1e-3)
    assert later.sample(1.0 + h).velocity / h == pytest.approx(np.full(6, 0.5), abs=1e-3)


def test_accelerations_need_velocities() -> None:
    with pytest.raises(CommandRefusedError, match="accelerations are given without velocities"):
        Trajectory([1.0], np.zeros((1, 6)), None, Sample(np.zeros(6), np.zeros(6)), np.zeros((1, 6)))


@given(st.lists(st.floats(-2.0, 2.0), min_size=6, max_size=6), st.floats(0.05, 3.0))
def test_a_quintic_has_what_was_given_at_both_ends_and_consistent_derivatives(
    given_: list[float], length: float
) -> None:
    q0, v0, a0, q1, v1, a1 = given_
    ends = [np.array([[first], [last]]) for first, last in ((q0, q1), (v0, v1), (a0, a1))]
    pieces = Pieces.quintic_through(np.array([0.0, length]), *ends)
    for u, (q, v, a) in ((0.0, (q0, v0, a0)), (1.0, (q1, v1, a1))):
        at = np.array([[u]])
        assert pieces.position(at)[0, 0] == pytest.approx(q, abs=1e-9)
        assert pieces.velocity(at)[0, 0] == pytest.approx(v, abs=1e-7)
        assert pieces.acceleration(at)[0, 0] == pytest.approx(a, abs=1e-5)
    u, h = np.linspace(0.1, 0.9, 9)[:, None, None], 1e-5
    slope = (pieces.position(u + h) - pieces.position(u - h)) / (2 * h * length)
    np.testing.assert_allclose(pieces.velocity(u), slope, atol=1e-4)


def test_the_slack_between_samples_is_what_a_trapezoid_needs_and_little_more() -> None:
    worst = {"velocity": 0.0, "acceleration": 0.0}
    for way in np.linspace(0.02, 3.0, 2000):
        t, q, v, a = (rows if rows.ndim == 1 else rows[:, :1] for rows in trapezoid(np.full(6, way)))
        a[-1] *= round(1000 * way) % 2  # some planners end with the last acceleration, some at rest
        pieces = Pieces.quintic_through(t, q, v, a)
        u = pieces.extremes()
        worst["velocity"] = max(worst["velocity"], np.abs(pieces.velocity(u)).max() / VELOCITY)
        worst["acceleration"] = max(worst["acceleration"], np.abs(pieces.acceleration(u)).max() / ACCELERATION)
    assert worst["velocity"] == pytest.approx(1.034, abs=0.002)
    assert worst["acceleration"] == pytest.approx(1.74, abs=0.02)
    assert all(worst[what] < BETWEEN_SAMPLES[what] for what in worst)
