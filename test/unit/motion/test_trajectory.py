"""Trajectories: their shape, their bounds, and the points at which they are checked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.trajectory import CHECK_CHUNK, CHECK_STEP, MotionLimits, Sample, Trajectory
from dofbot_ros.motion.trajectory_bounds import MAX_DURATION_S, MAX_POINTS

REST = Sample(np.zeros(6), np.zeros(6))
LIMITS = MotionLimits(np.full(6, -1.5), np.full(6, 1.5), np.full(6, 2.0), np.full(6, 10.0))
knots = arrays(np.float64, (4, 6), elements=st.floats(-1.4, 1.4))


def one_joint(values: list[float]) -> FloatArray:
    q = np.zeros((len(values), 6))
    q[:, 1] = values
    return q


@given(knots)
def test_passes_through_its_knots_and_never_beyond_their_neighbours(q: FloatArray) -> None:
    times = [0.5, 1.0, 1.7, 3.0]
    trajectory = Trajectory(times, q, None, REST)
    np.testing.assert_allclose(trajectory.sample(times).position, q, atol=1e-12)
    all_knots, edges = np.vstack([np.zeros(6), q]), np.array([0.0, *times])
    for k in range(4):
        inner = trajectory.sample(np.linspace(edges[k], edges[k + 1], 30)).position
        assert (inner <= np.maximum(all_knots[k], all_knots[k + 1]) + 1e-9).all()
        assert (inner >= np.minimum(all_knots[k], all_knots[k + 1]) - 1e-9).all()


@given(knots, arrays(np.float64, (4, 6), elements=st.floats(-1, 1)))
def test_velocity_is_the_derivative_of_position(q: FloatArray, v: FloatArray) -> None:
    trajectory = Trajectory([0.5, 1.0, 1.7, 3.0], q, v, REST)
    t = np.linspace(0.01, 2.98, 83)
    t = t[np.abs(t[:, None] - [0.5, 1.0, 1.7]).min(axis=1) > 1e-5]
    h = 1e-6
    numeric = (trajectory.sample(t + h).position - trajectory.sample(t - h).position) / (2 * h)
    np.testing.assert_allclose(trajectory.sample(t).velocity, numeric, atol=1e-5)


@given(knots, arrays(np.float64, (4, 6), elements=st.floats(-3, 3)))
def test_check_agrees_with_dense_sampling(q: FloatArray, v: FloatArray) -> None:
    trajectory = Trajectory([0.5, 1.0, 1.7, 3.0], q, v, REST)
    dense = trajectory.sample(np.linspace(0, 3, 3001))
    worst = max(np.abs(dense.position).max() / 1.5, np.abs(dense.velocity).max() / 2.0)
    acceleration = np.abs(np.diff(dense.velocity, axis=0) / 0.001).max() / 10.0
    try:
        trajectory.check(LIMITS)
    except CommandRefusedError:
        assert max(worst, acceleration) > 0.97
    else:
        assert worst <= 1 + 1e-6
        assert acceleration <= 1.01


def test_limits_are_those_of_the_arm_with_one_velocity_or_one_for_each_joint() -> None:
    limits = MotionLimits.of(DRAWN, 2, [1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(limits.lower, DRAWN.lower)
    np.testing.assert_array_equal(limits.upper, DRAWN.upper)
    assert limits.velocity.tolist() == [2.0] * 6
    assert limits.acceleration.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    for values in (limits.velocity, limits.acceleration):
        assert values.dtype == np.float64
        assert values.flags.writeable
    with pytest.raises(ValueError, match="broadcast"):
        MotionLimits.of(DRAWN, [1.0, 2.0], 8.0)


def test_rests_on_the_last_knot() -> None:
    trajectory = Trajectory([1.0], one_joint([0.4]), None, REST)
    after = trajectory.sample(5.0)
    assert after.position[1] == pytest.approx(0.4)
    assert not after.velocity.any()


def test_begins_with_the_velocity_the_arm_has() -> None:
    start = Sample(np.zeros(6), np.full(6, 0.3))
    assert Trajectory([1.0], one_joint([0.4]), None, start).sample(0.0).velocity == pytest.approx(np.full(6, 0.3))


@pytest.mark.parametrize(
    ("times", "q", "message"),
    [
        ([], np.zeros((0, 6)), "no points"),
        ([1.0, 1.0], np.zeros((2, 6)), "strictly increasing"),
        ([-1.0, 1.0], np.zeros((2, 6)), "strictly increasing"),
        ([1.0], np.zeros((1, 5)), r"shape \(1, 5\); expected \(1, 6\)"),
        ([1.0], np.full((1, 6), np.nan), "not finite"),
        ([np.inf], np.zeros((1, 6)), "strictly increasing"),
        ([0.0], np.zeros((1, 6)), "no point after time 0"),
        ([0.0, 1.0], one_joint([0.5, 0.6]), "0.500 rad away from where joint2 is"),
    ],
)
def test_refuses_what_is_no_trajectory(times: list[float], q: FloatArray, message: str) -> None:
    with pytest.raises(CommandRefusedError, match=message):
        Trajectory(times, q, None, REST)


@pytest.mark.parametrize(
    ("seconds", "target", "message"),
    [
        (5.0, 1.7, r"joint2 would reach 1\.700 rad before 5\.00 s; its limits are -1\.500\.\.1\.500"),
        (0.5, 1.0, r"joint2 would need a velocity of 3\.00 rad/s .* stretch the times by 1\.5"),
        (0.7, 0.9, "joint2 would need an acceleration of 11"),
    ],
)
def test_check_names_joint_value_limit_and_remedy(seconds: float, target: float, message: str) -> None:
    with pytest.raises(CommandRefusedError, match=message):
        Trajectory([seconds], one_joint([target]), None, REST).check(LIMITS)


def test_stretching_by_the_factor_in_the_message_makes_it_pass() -> None:
    with pytest.raises(CommandRefusedError) as refused:
        Trajectory([0.5], one_joint([1.0]), None, REST).check(LIMITS)
    factor = float(str(refused.value).rsplit(" ", 1)[1]) + 0.01
    again = Trajectory([0.5 * factor], one_joint([1.0]), None, REST)
    try:
        again.check(LIMITS)
    except CommandRefusedError as error:
        factor *= float(str(error).rsplit(" ", 1)[1]) + 0.01
        Trajectory([0.5 * factor], one_joint([1.0]), None, REST).check(LIMITS)


@pytest.mark.parametrize(
    ("offset", "refused"), [(5e-6, False), (2e-5, True), (-5e-6, False), (-2e-5, True), (0.1, True)]
)
def test_positions_may_leave_their_limits_by_rounding_only(offset: float, refused: bool) -> None:
    bound = 1.5 if offset > 0 else -1.5
    trajectory = Trajectory([5.0], one_joint([bound + offset]), None, REST)
    if refused:
        with pytest.raises(CommandRefusedError, match="joint2 would reach"):
            trajectory.check(LIMITS)
    else:
        trajectory.check(LIMITS)


def test_an_overshoot_between_knots_is_found_at_its_height() -> None:
    # q = c u (1 - u)^2 with c = v h rises to 4 c / 27 at u = 1 / 3, and comes back.
    start = Sample(np.zeros(6), np.array([0.0, 2.0, 0.0, 0.0, 0.0, 0.0]))
    trajectory = Trajectory([2.0], np.zeros((1, 6)), np.zeros((1, 6)), start)
    height = 4.0 * 2.0 * 2.0 / 27.0
    wide = np.full(6, 100.0)
    trajectory.check(MotionLimits(-wide, np.full(6, height + 1e-6), wide, wide))
    with pytest.raises(CommandRefusedError, match=rf"joint2 would reach {height:.3f} rad before 2\.00 s"):
        trajectory.check(MotionLimits(-wide, np.full(6, height - 2e-5), wide, wide))


@pytest.mark.parametrize("excess", [0.999, 1.001])
def test_velocity_and_acceleration_are_compared_at_their_exact_extremes(excess: float) -> None:
    # From rest to rest over d in T a cubic needs 1.5 d / T and 6 d / T^2.
    trajectory = Trajectory([2.0], one_joint([1.2]), None, REST)
    wide = np.full(6, 100.0)
    for limits, what in (
        (MotionLimits(-wide, wide, np.full(6, 0.9 / excess), wide), "a velocity of 0.90 rad/s"),
        (MotionLimits(-wide, wide, wide, np.full(6, 1.8 / excess)), r"an acceleration of 1\.80 rad/s\^2"),
    ):
        if excess > 1.0:
            with pytest.raises(CommandRefusedError, match=what):
                trajectory.check(limits)
        else:
            trajectory.check(limits)


# -- bounds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "q", "v", "message"),
    [
        ([601.0], np.zeros((1, 6)), None, "the trajectory lasts 601 s; at most 600 s are taken"),
        ([2.0**31], np.zeros((1, 6)), None, "at most 600 s"),
        ([1e306], np.zeros((1, 6)), None, "at most 600 s"),
        ([1.0, 1.00009], np.zeros((2, 6)), None, r"points 0 and 1 are 9\.0e-05 s apart; at least 0\.0001 s are needed"),
        ([0.0, 9e-5, 1.0], np.zeros((3, 6)), None, "points 0 and 1 are"),
        ([5e-324], np.zeros((1, 6)), None, "the first point is at 4.94066e-324 s; give it 0 or at least 0.0001 s"),
        ([1.0], one_joint([10.1]), None, r"positions hold 10\.1 rad in point 0; no joint has more than 10 rad"),
        ([1.0, 2.0], one_joint([0.0, -1e306]), None, r"positions hold -1e\+306 rad in point 1"),
        ([1.0], np.zeros((1, 6)), one_joint([-101.0]), "velocities hold -101 rad/s in point 0; .* than 100 rad/s"),
        ([1.0], np.zeros((1, 6)), one_joint([np.inf]), "velocities hold a number that is not finite"),
        ([1.0], np.zeros((1, 6)), np.zeros((1, 5)), r"velocities have shape \(1, 5\)"),
        ([1.0], [[0.0] * 6, [0.0] * 5], None, "positions are no table of numbers"),
        ([1.0], [["a"] * 6], None, "positions are no table of numbers"),
        ([10**400], np.zeros((1, 6)), None, "times are no table of numbers"),
        (["x"], np.zeros((1, 6)), None, "times are no table of numbers"),
        (1.0, np.zeros((1, 6)), None, "no points"),
    ],
)
def test_what_is_beyond_the_bounds_is_refused_by_name(times: object, q: object, v: object, message: str) -> None:
    with pytest.raises(CommandRefusedError, match=message) as refused:
        Trajectory(times, q, v, REST)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


def test_what_is_on_the_bounds_is_taken() -> None:
    trajectory = Trajectory([1e-4, 2e-4, 600.0], one_joint([0.0, 0.0, -10.0]), one_joint([0.0, 0.0, -100.0]), REST)
    assert trajectory.duration_s == 600.0
    times = np.linspace(0.1, 600.0, MAX_POINTS)
    assert Trajectory(times, np.zeros((MAX_POINTS, 6)), None, REST).duration_s == 600.0


def test_too_many_points_are_refused_before_any_is_looked_at() -> None:
    class Unread(list[float]):
        def __iter__(self) -> object:  # type: ignore[override]
            raise AssertionError("the points were read")

    many = Unread([0.0] * (MAX_POINTS + 1))
    with pytest.raises(CommandRefusedError, match="the trajectory has 2001 points; at most 2000 are taken"):
        Trajectory(many, np.zeros((1, 6)), None, REST)
    with pytest.raises(CommandRefusedError, match="2001 points"):
        Trajectory([1.0], np.zeros((MAX_POINTS + 1, 6)), None, REST)
    with pytest.raises(CommandRefusedError, match="2001 points"):
        Trajectory([1.0], np.zeros((1, 6)), np.zeros((MAX_POINTS + 1, 6)), REST)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_start_that_is_no_state_is_refused(bad: float) -> None:
    for start in (
        Sample(np.full(6, bad), np.zeros(6)),
        Sample(np.zeros(6), np.full(6, bad)),
        Sample(np.zeros(5), REST.velocity),
    ):
        with pytest.raises(CommandRefusedError, match="start of 6 finite"):
            Trajectory([1.0], np.zeros((1, 6)), None, start)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@settings(max_examples=200)
@given(
    arrays(np.float64, st.integers(1, 6), elements=st.floats(allow_nan=True, allow_infinity=True)),
    arrays(np.float64, (4, 6), elements=st.floats(allow_nan=True, allow_infinity=True)),
)
def test_any_numbers_are_a_trajectory_or_refused(times: FloatArray, q: FloatArray) -> None:
    try:
        trajectory = Trajectory(times, q, None, REST)
    except CommandRefusedError:
        return
    assert np.isfinite(trajectory.sample(np.linspace(0.0, trajectory.duration_s, 20)).position).all()


# -- points to check ---------------------------------------------------------------------------------------------------


def _all_points(trajectory: Trajectory) -> tuple[FloatArray, FloatArray]:
    chunks = list(trajectory.check_points())
    assert all(0 < len(chunk.times) <= CHECK_CHUNK for chunk in chunks)
    assert all(len(chunk.times) == CHECK_CHUNK for chunk in chunks[:-1])
    return np.concatenate([c.times for c in chunks]), np.vstack([c.positions for c in chunks])


@pytest.mark.slow
@given(knots, arrays(np.float64, (4, 6), elements=st.floats(-3, 3)), st.booleans())
def test_points_to_check_are_near_each_other_and_hold_every_knot(
    q: FloatArray, v: FloatArray, with_velocities: bool
) -> None:
    knot_times = [0.5, 1.0, 1.7, 3.0]
    trajectory = Trajectory(knot_times, q, v if with_velocities else None, REST)
    times, positions = _all_points(trajectory)
    assert np.abs(np.diff(np.vstack([REST.position, positions]), axis=0)).max() <= CHECK_STEP + 1e-9
    assert (np.diff(np.append(0.0, times)) > 0).all()
    assert times[-1] == pytest.approx(3.0)
    for t, knot in zip(knot_times, q, strict=True):
        k = int(np.abs(times - t).argmin())
        assert times[k] == pytest.approx(t)
        np.testing.assert_allclose(positions[k], knot, atol=1e-9)
    np.testing.assert_allclose(trajectory.sample(times).position, positions, atol=1e-9)


def test_a_slow_trajectory_has_no_more_points_than_a_fast_one() -> None:
    q = one_joint([0.5, -0.3, 0.9])
    fast = _all_points(Trajectory([1.0, 2.0, 3.0], q, None, REST))
    slow = _all_points(Trajectory([200.0, 400.0, 600.0], q, None, REST))
    # From rest to rest a cubic is 1.5 times as fast as on average: over 0.5, 0.8 and 1.2 rad.
    assert len(fast[0]) == len(slow[0]) == 38 + 60 + 90
    np.testing.assert_allclose(fast[1], slow[1], atol=1e-12)


def test_a_trajectory_that_stands_still_is_checked_at_its_knots() -> None:
    times, positions = _all_points(Trajectory([1.0, 600.0], np.zeros((2, 6)), None, REST))
    assert times.tolist() == [1.0, 600.0]
    assert not positions.any()


def test_checking_the_longest_trajectory_at_full_speed_takes_a_bounded_number_of_points() -> None:
    # 2,000 points in 600 s: there and back at 1.05 rad/s on average, 1.58 at most.
    t = np.linspace(0.3, MAX_DURATION_S, MAX_POINTS)
    q = np.zeros((MAX_POINTS, 6))
    q[:, 0] = 0.157 * (-1.0) ** np.arange(MAX_POINTS)
    trajectory = Trajectory(t, q, None, REST)
    trajectory.check(MotionLimits(LIMITS.lower, LIMITS.upper, np.full(6, 1.6), np.full(6, 40.0)))
    times, positions = _all_points(trajectory)
    assert MAX_POINTS < len(times) <= 50_000
    assert np.abs(np.diff(positions[:, 0])).max() <= CHECK_STEP + 1e-9
    assert positions[CHECK_CHUNK - 1 : CHECK_CHUNK + 1] == pytest.approx(
        trajectory.sample(times[CHECK_CHUNK - 1 : CHECK_CHUNK + 1]).position, abs=1e-9
    )
