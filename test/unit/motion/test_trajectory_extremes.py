"""Trajectory.check finds the exact extremes of each cubic piece, and knot velocities are those of the paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.trajectory import MotionLimits, Sample, Trajectory

REST = Sample(np.zeros(6), np.zeros(6))
WIDE = np.full(6, 1e3)
JOINT = 2
DURATION_S = 2.0
numbers = st.floats(-2.0, 2.0)


def one_piece(q1: float, v0: float, v1: float) -> Trajectory:
    """Joint 3 alone, from 0 at v0 to q1 at v1 in DURATION_S."""
    start, goal, speed = np.zeros(6), np.zeros((1, 6)), np.zeros((1, 6))
    start[JOINT], goal[0, JOINT], speed[0, JOINT] = v0, q1, v1
    return Trajectory([DURATION_S], goal, speed, Sample(np.zeros(6), start))


def passes(trajectory: Trajectory, limits: MotionLimits) -> bool:
    try:
        trajectory.check(limits)
    except CommandRefusedError:
        return False
    return True


def only(value: float) -> FloatArray:
    limit = WIDE.copy()
    limit[JOINT] = value
    return limit


@pytest.mark.slow
@given(numbers, numbers, numbers)
def test_the_extremes_that_are_checked_are_those_of_the_curve(q1: float, v0: float, v1: float) -> None:
    trajectory = one_piece(q1, v0, v1)
    times = np.linspace(0.0, DURATION_S, 20001)
    dense = trajectory.sample(times)
    q, v = dense.position[:, JOINT], dense.velocity[:, JOINT]
    assume(np.ptp(q) > 1e-2 and np.abs(v).max() > 1e-2)
    margin = 1e-4
    upper, lower, fastest = q.max(), q.min(), np.abs(v).max()
    assert passes(trajectory, MotionLimits(-WIDE, only(upper + margin), WIDE, WIDE))
    assert not passes(trajectory, MotionLimits(-WIDE, only(upper - margin), WIDE, WIDE))
    assert passes(trajectory, MotionLimits(-only(-(lower - margin)), WIDE, WIDE, WIDE))
    assert not passes(trajectory, MotionLimits(-only(-(lower + margin)), WIDE, WIDE, WIDE))
    assert passes(trajectory, MotionLimits(-WIDE, WIDE, only(fastest + margin), WIDE))
    assert not passes(trajectory, MotionLimits(-WIDE, WIDE, only(fastest - margin), WIDE))
    steepest = np.abs(np.diff(v) / np.diff(times)).max()
    assume(steepest > 1e-2)  # a straight line has no acceleration, and limits are positive
    assert passes(trajectory, MotionLimits(-WIDE, WIDE, WIDE, only(steepest * 1.001)))
    assert not passes(trajectory, MotionLimits(-WIDE, WIDE, WIDE, only(steepest * 0.999)))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_parabola_is_measured_at_its_vertex(sign: float) -> None:
    # q = v t (1 - t / T): no cubic part; it rises to v T / 4 and comes back.
    trajectory = one_piece(0.0, sign * 0.8, -sign * 0.8)
    height = 0.8 * DURATION_S / 4.0
    for excess, fits in ((1.001, True), (0.999, False)):
        limit = only(height * excess)
        limits = MotionLimits(-WIDE, limit, WIDE, WIDE) if sign > 0 else MotionLimits(-limit, WIDE, WIDE, WIDE)
        assert passes(trajectory, limits) is fits


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_pieces_without_curvature_are_checked_without_a_warning() -> None:
    even = np.linspace(0.1, 0.5, 5)[:, None] * np.ones(6)
    steady = Sample(np.zeros(6), np.full(6, 0.1))
    for trajectory in (
        Trajectory([1.0, 2.0, 3.0, 4.0, 5.0], even, np.full((5, 6), 0.1), steady),
        Trajectory([1.0, 2.0, 3.0], np.zeros((3, 6)), None, REST),
    ):
        trajectory.check(MotionLimits(-WIDE, WIDE, WIDE, WIDE))
        assert np.isfinite(np.vstack([chunk.positions for chunk in trajectory.check_points()])).all()


@pytest.mark.parametrize(
    ("excess", "stretch", "what"),
    [(2.0, 2.0, "a velocity"), (4.0, 2.0, "an acceleration")],
)
def test_the_factor_by_which_to_stretch_is_exact(excess: float, stretch: float, what: str) -> None:
    trajectory = Trajectory([3.0, 5.0], np.array([[0.0] * 6, [1.2] * 6]), np.zeros((2, 6)), REST)
    # From rest to rest over d in T: 1.5 d / T = 0.9 rad/s and 6 d / T^2 = 1.8 rad/s^2, in the second piece.
    limits = (
        MotionLimits(-WIDE, WIDE, np.full(6, 0.9 / excess), WIDE)
        if what == "a velocity"
        else MotionLimits(-WIDE, WIDE, WIDE, np.full(6, 1.8 / excess))
    )
    with pytest.raises(CommandRefusedError, match=rf"{what} .* before 5\.00 s; .* by {stretch:.2f}$"):
        trajectory.check(limits)


@pytest.mark.parametrize(("excess", "refused"), [(1.0 + 5e-7, False), (1.0 + 2e-6, True)])
def test_velocity_may_exceed_its_limit_by_rounding_only(excess: float, refused: bool) -> None:
    trajectory = Trajectory([2.0], np.full((1, 6), 1.2), None, REST)
    assert passes(trajectory, MotionLimits(-WIDE, WIDE, np.full(6, 0.9 / excess), WIDE)) is not refused


def test_knot_velocities_are_the_weighted_harmonic_mean_of_the_slopes() -> None:
    # Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5, 1984.
    intervals, slopes = np.array([0.5, 1.5, 1.0, 0.7]), np.array([0.1, 0.3, 0.2, -0.4])
    times = np.cumsum(intervals)
    trajectory = Trajectory(times, np.outer(np.cumsum(intervals * slopes), np.ones(6)), None, REST)
    for k in range(2):
        h0, h1 = intervals[k], intervals[k + 1]
        w0, w1 = 2 * h1 + h0, h1 + 2 * h0
        mean = (w0 + w1) / (w0 / slopes[k] + w1 / slopes[k + 1])
        assert trajectory.sample(times[k]).velocity == pytest.approx(np.full(6, mean))
    assert trajectory.sample(times[2]).velocity == pytest.approx(np.zeros(6)), "the slope changes its sign there"
    assert trajectory.sample(times[3]).velocity == pytest.approx(np.zeros(6)), "it ends at rest"


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_joint_that_stands_still_between_two_knots_has_no_velocity_there() -> None:
    trajectory = Trajectory([1.0, 2.0, 3.0, 4.0], np.outer([0.1, 0.1, 0.1, 0.2], np.ones(6)), None, REST)
    for knot in (1.0, 2.0, 3.0):
        assert trajectory.sample(knot).velocity == pytest.approx(np.zeros(6))


@given(arrays(np.float64, (4, 6), elements=st.floats(-1.4, 1.4)))
def test_turned_around_in_sign_the_curve_is_the_same(q: FloatArray) -> None:
    times = [0.3, 1.0, 1.7, 3.1]
    t = np.linspace(0.0, 3.1, 40)
    there, back = Trajectory(times, q, None, REST).sample(t), Trajectory(times, -q, None, REST).sample(t)
    np.testing.assert_allclose(back.position, -there.position, atol=1e-12)
    np.testing.assert_allclose(back.velocity, -there.velocity, atol=1e-12)


def test_before_the_start_it_is_at_the_start_and_whole_seconds_are_times_too() -> None:
    trajectory = Trajectory([1.0, 2.0], np.outer([0.4, 0.6], np.ones(6)), None, REST)
    assert trajectory.sample(-1.0).position == pytest.approx(np.zeros(6))
    assert trajectory.sample(1).position == pytest.approx(np.full(6, 0.4))
    assert trajectory.sample(np.array([1, 2])).position[1] == pytest.approx(np.full(6, 0.6))


def test_at_a_knot_the_velocity_is_the_knots() -> None:
    speeds = np.outer([0.2, 0.0], np.ones(6))
    trajectory = Trajectory([1.0, 2.0], np.outer([0.4, 0.6], np.ones(6)), speeds, REST)
    assert trajectory.sample(1.0).velocity == pytest.approx(np.full(6, 0.2))
    assert trajectory.sample(2.0).velocity == pytest.approx(np.zeros(6))
    assert trajectory.sample(2.0).position == pytest.approx(np.full(6, 0.6))


def test_a_slow_move_is_as_fast_in_its_middle_as_any_other() -> None:
    # 0.4 rad from rest to rest in 2 s: 1.5 d / T = 0.3 rad/s half way.
    trajectory = one_piece(0.4, 0.0, 0.0)
    assert passes(trajectory, MotionLimits(-WIDE, WIDE, only(0.3001), WIDE))
    assert not passes(trajectory, MotionLimits(-WIDE, WIDE, only(0.2999), WIDE))


def test_after_the_end_it_rests_though_it_arrived_with_a_velocity() -> None:
    trajectory = one_piece(0.4, 0.0, 0.2)
    assert trajectory.sample(DURATION_S).velocity[JOINT] == pytest.approx(0.2)
    assert not trajectory.sample(DURATION_S + 1e-6).velocity.any()
    after = trajectory.sample(np.array([1.0, DURATION_S + 1.0]))
    assert after.velocity[0, JOINT] > 0.1
    assert not after.velocity[1].any()


def test_a_first_point_at_time_0_is_where_the_arm_is_and_its_velocity_the_arms() -> None:
    start = Sample(np.full(6, 0.5), np.full(6, 0.1))
    q = np.outer([0.5, 0.7, 0.8], np.ones(6))
    v = np.outer([9.0, 0.2, 0.0], np.ones(6))
    trajectory = Trajectory([0.0, 1.0, 2.0], q, v, start)
    assert trajectory.sample(0.0).velocity == pytest.approx(np.full(6, 0.1))
    assert trajectory.sample(1.0).velocity == pytest.approx(np.full(6, 0.2))
    assert trajectory.sample(2.0).position == pytest.approx(np.full(6, 0.8))


@pytest.mark.parametrize(("gap", "refused"), [(0.049, False), (0.051, True), (-0.049, False), (-0.051, True)])
def test_the_first_point_may_be_as_far_from_the_arm_as_it_may_lag(gap: float, refused: bool) -> None:
    start = Sample(np.full(6, 0.5), np.zeros(6))
    q = np.outer([0.5, 0.7], np.ones(6))
    q[0, JOINT] += gap
    if not refused:
        assert Trajectory([0.0, 1.0], q, None, start).sample(0.0).position == pytest.approx(start.position)
        return
    with pytest.raises(CommandRefusedError) as error:
        Trajectory([0.0, 1.0], q, None, start)
    assert str(error.value) == (
        "the trajectory starts 0.051 rad away from where joint3 is: "
        "start it at the present position, or give the first point a time after 0"
    )


def test_a_first_point_just_as_far_away_as_it_may_be_is_taken() -> None:
    q = np.array([np.full(6, 0.05), np.zeros(6)])
    assert not Trajectory([0.0, 1.0], q, None, REST).sample(0.0).position.any()


@pytest.mark.parametrize(
    ("times", "start", "message"),
    [
        ([0.0], REST, "the trajectory has no point after time 0"),
        (
            [1.0],
            Sample(np.zeros(5), np.zeros(6)),
            "a trajectory needs a start of 6 finite positions and velocities",
        ),
    ],
)
def test_refusals_say_no_more_and_no_less(times: list[float], start: Sample, message: str) -> None:
    with pytest.raises(CommandRefusedError) as error:
        Trajectory(times, np.zeros((len(times), 6)), None, start)
    assert str(error.value) == message
