"""Motion that is generated a period at a time: limits, straight changes of velocity, and numbers of all sizes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.core.types import FloatArray
from dofbot_ros.motion.online import MAX_POSITION, OnlineMotion

DT = 0.02
SPEED, ACCELERATION, JERK = 1.5, 6.0, 80.0


def motion(n: int = 3, synchronize: bool = True) -> OnlineMotion:
    return OnlineMotion(DT, [SPEED] * n, [ACCELERATION] * n, [JERK] * n, synchronize)


def run_until_rest(step: Callable[[], object], online: OnlineMotion, limit: int = 500) -> int:
    for k in range(limit):
        step()
        if online.at_rest and k > 2:
            return k
    raise AssertionError("never came to rest")


@given(arrays(np.float64, 3, elements=st.floats(-2, 2)))
def test_arrives_and_rests(target: FloatArray) -> None:
    online = motion()
    run_until_rest(lambda: online.update(target), online)
    np.testing.assert_allclose(online.state.position, target, atol=1e-6)


@settings(max_examples=50)
@given(st.lists(arrays(np.float64, 3, elements=st.floats(-3, 3)), min_size=2, max_size=60), st.booleans())
def test_stays_within_velocity_and_acceleration_whatever_the_targets(targets: list[FloatArray], mixed: bool) -> None:
    online = motion()
    before = online.state
    for k, target in enumerate(targets):
        after = online.update_velocity(target) if mixed and k % 3 == 0 else online.update(target)
        assert online.failure == ""
        assert np.abs(after.velocity).max() <= SPEED + 1e-6
        assert np.abs(after.velocity - before.velocity).max() <= ACCELERATION * DT + 1e-6
        # The position is where the mean of both velocities leads, but for the curve within a period.
        mean = 0.5 * DT * (after.velocity + before.velocity)
        assert np.abs(after.position - before.position - mean).max() <= JERK * DT**3 / 6.0
        before = after


def test_joints_arrive_together_unless_they_need_not() -> None:
    def arrivals(synchronize: bool) -> list[int]:
        online = motion(2, synchronize)
        path = np.array([online.update([1.0, 0.1]).position for _ in range(100)])
        return [int(np.argmax(np.abs(path[:, j] - goal) < 1e-3)) for j, goal in ((0, 1.0), (1, 0.1))]

    together, alone = arrivals(True), arrivals(False)
    assert abs(together[0] - together[1]) <= 4
    assert alone[1] < alone[0] - 15


def test_halt_is_short_and_smooth() -> None:
    online = motion()
    for _ in range(60):
        online.update([9.0, 9.0, 9.0])
    assert run_until_rest(online.halt, online) * DT < 0.4


def test_a_velocity_is_reached_within_the_jerk_limit_and_in_the_shortest_time_it_allows() -> None:
    online = motion(1)
    speeds = np.array([0.0] + [float(online.update_velocity([SPEED]).velocity[0]) for _ in range(30)])
    accelerations = np.diff(speeds) / DT
    assert accelerations.max() == pytest.approx(ACCELERATION)
    assert np.abs(np.diff(np.concatenate([[0.0], accelerations]))).max() <= JERK * DT + 1e-9
    # Building up and ending the acceleration takes a / j, all of it v / a on top.
    needed_s = SPEED / ACCELERATION + ACCELERATION / JERK
    assert int(np.argmax(speeds >= SPEED - 1e-9)) * DT == pytest.approx(needed_s, abs=2 * DT)
    assert speeds[-1] == SPEED


@pytest.mark.slow
@given(arrays(np.float64, 4, elements=st.floats(-1.4, 1.4)), arrays(np.float64, 4, elements=st.floats(-1.4, 1.4)))
def test_velocity_changes_along_a_straight_line(first: FloatArray, second: FloatArray) -> None:
    online = motion(4)
    online.reset(np.zeros(4), first)
    first = online.state.velocity
    change, length = second - first, float(np.linalg.norm(second - first))
    parts = []
    for _ in range(60):
        moved = online.update_velocity(second).velocity - first
        if length > 1e-6:
            part = float(moved @ change) / length**2
            np.testing.assert_allclose(moved, part * change, atol=1e-9)
            parts.append(part)
    np.testing.assert_allclose(online.state.velocity, second, atol=1e-9)
    assert (np.diff(parts) >= -1e-9).all()
    assert all(0.0 <= part <= 1.0 + 1e-9 for part in parts)


def test_joints_that_halt_stop_in_proportion() -> None:
    online = motion()
    online.reset(np.zeros(3), [1.2, -0.6, 0.3])
    while not online.at_rest:
        velocity = online.halt().velocity
        np.testing.assert_allclose(velocity, velocity[0] * np.array([1.0, -0.5, 0.25]), atol=1e-9)


def test_the_joint_with_the_lowest_limits_sets_the_pace_of_a_change() -> None:
    online = OnlineMotion(DT, [2.0, 2.0], [8.0, 2.0], [80.0, 10.0])
    before = np.zeros(2)
    largest = np.zeros(2)
    previous = np.zeros(2)
    for _ in range(80):
        velocity = online.update_velocity([1.0, 1.0]).velocity
        acceleration = (velocity - before) / DT
        largest = np.maximum(largest, np.abs(acceleration))
        assert np.abs(acceleration - previous).max() <= 10.0 * DT + 1e-9
        before, previous = velocity, acceleration
    np.testing.assert_allclose(largest, [2.0, 2.0], rtol=0.05)


def test_reset_cuts_a_velocity_to_its_limit_and_is_at_rest_without_one() -> None:
    online = motion()
    online.reset([0.1, 0.2, 0.3], [9.0, -9.0, 0.5])
    assert online.state.velocity.tolist() == [SPEED, -SPEED, 0.5]
    assert not online.at_rest
    online.reset([0.1, 0.2, 0.3])
    assert online.at_rest
    assert online.state.position.tolist() == [0.1, 0.2, 0.3]


def test_the_state_is_a_copy() -> None:
    online = motion()
    online.state.position[:] = 7.0
    online.state.velocity[:] = 7.0
    assert not online.state.position.any()
    assert not online.state.velocity.any()


# -- numbers of all sizes ----------------------------------------------------------------------------------------------

_SPECIAL = np.array(
    [0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-300, 1e-16, 1e-12, 1e-9, 1.6, -1.6, np.nextafter(1.6, 2.0), 8.0, 80.0]
    + [MAX_POSITION, -MAX_POSITION, np.nextafter(MAX_POSITION, 0.0), 101.0, 1e5, 1e306, -1e306, 1.79e308, 0.5 * np.pi]
)


def _numbers(rng: np.random.Generator, *shape: int) -> FloatArray:
    """Vectors of six."""
    values = rng.choice(_SPECIAL, (*shape, 6))
    ordinary = rng.random(values.shape) < 0.4
    size = 10.0 ** rng.integers(-6, 4, (*shape, 1))
    return np.where(ordinary, rng.normal(size=values.shape) * size, values)


@pytest.mark.slow
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_no_finite_number_makes_it_raise_or_leave_its_limits() -> None:
    rng = np.random.default_rng(3)
    online = OnlineMotion(DT, [1.6] * 6, [8.0] * 6, [80.0] * 6)
    for position, velocity, *goals in _numbers(rng, 33_000, 5):
        online.reset(position, velocity)
        for goal in goals:
            before = online.state
            ask = online.update if rng.random() < 0.6 else online.update_velocity
            after = ask(goal)
            assert np.abs(after.position).max() <= MAX_POSITION
            assert np.abs(after.velocity).max() <= 1.6 + 1e-6
            assert np.abs(after.velocity - before.velocity).max() <= 8.0 * DT + 1e-6
            assert np.abs(after.position - before.position).max() <= (1.6 + 1e-6) * DT


def _where_ruckig_fails() -> OnlineMotion:
    """Ruckig finds no common time for these six joints and raises "error in step 2"."""
    online = OnlineMotion(DT, [1.6] * 6, [8.0] * 6, [80.0] * 6)
    online.reset(
        [-5.305141853034439e-05, 99.99, 1.6, -6.705580515748975e-05, -5e-324, -0.00013109047143713496],
        [-1.6, -0.0020212135570332923, 101.0, 0.00015563428387776288, 0.0009431263515326719, 1e306],
    )
    online.update([1.5707963267948966, 1e-16, 1.79e308, 711.71097415867, 76.77707123836171, 101.0])
    return online


def test_where_ruckig_fails_it_brakes_and_says_so_in_one_line() -> None:
    online = _where_ruckig_fails()
    before = online.state
    after = online.update([-5e-324, 1e-12, 100.0, 1e306, 1e-9, 1.6])
    assert online.failure.startswith("no motion to [")
    assert "[ruckig] error in step 2" in online.failure
    assert "\n" not in online.failure
    assert "input" not in online.failure
    np.testing.assert_allclose(after.velocity, before.velocity * (1.0 - 8.0 * DT / np.abs(before.velocity).max()))
    np.testing.assert_allclose(after.position - before.position, 0.5 * DT * (before.velocity + after.velocity))
    online.update(np.zeros(6))
    assert online.failure == ""


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("call", "what"), [("update", "target"), ("update_velocity", "velocity")])
def test_a_target_that_is_no_number_brakes_to_rest_and_is_named(call: str, what: str, bad: float) -> None:
    online = motion()
    online.reset([0.0, 0.0, 0.0], [1.2, -0.6, 0.0])
    speeds = []
    for _ in range(12):
        getattr(online, call)([0.0, bad, 0.0])
        assert online.failure.startswith(f"the {what} [")
        assert "not finite" in online.failure
        speeds.append(online.state.velocity.copy())
    np.testing.assert_allclose(speeds[0], np.array([1.2, -0.6, 0.0]) * (1.0 - ACCELERATION * DT / 1.2))
    assert online.at_rest
    assert int(np.argmax([not v.any() for v in speeds])) == round(1.2 / ACCELERATION / DT) - 1
    # All of it: v^2 / 2 a.
    np.testing.assert_allclose(online.state.position, [1.2**2 / 12.0, -0.5 * 1.2**2 / 12.0, 0.0], atol=1e-9)
    online.halt()
    assert online.failure == ""


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_it_does_not_start_from_what_is_no_number(bad: float) -> None:
    online = motion()
    online.reset([0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="a motion starts from finite numbers"):
        online.reset([0.0, bad, 0.0])
    with pytest.raises(ValueError, match="a motion starts from finite numbers"):
        online.reset([0.0, 0.0, 0.0], [0.0, bad, 0.0])
    assert online.state.position.tolist() == [0.1, 0.2, 0.3]


def test_a_vector_of_another_length_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match=r"the target has shape \(2,\); expected \(3,\)"):
        motion().update([0.0, 0.0])
    with pytest.raises(ValueError, match=r"the velocity has shape \(4,\); expected \(3,\)"):
        motion().update_velocity(np.zeros(4))
    with pytest.raises(ValueError, match=r"the position has shape \(1,\)"):
        motion().reset([0.0])


def test_positions_beyond_reach_are_cut_to_it() -> None:
    online = motion()
    online.reset([1e306, -1e306, 0.0])
    assert online.state.position.tolist() == [MAX_POSITION, -MAX_POSITION, 0.0]
    for _ in range(20):
        online.update_velocity([1.0, 0.0, 0.0])
    assert online.state.position[0] == MAX_POSITION
    online.reset([99.0, -99.0, 0.0])
    for _ in range(100):
        online.update([1e306, -1e306, 0.0])
        assert online.failure == ""
    assert online.state.position.tolist() == [MAX_POSITION, -MAX_POSITION, 0.0]


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("periods", range(1, 18))
def test_a_motion_that_accelerates_may_be_given_a_target_at_once(periods: int, sign: float) -> None:
    online = motion(1)
    for _ in range(periods):
        online.update_velocity([sign * SPEED])
    fastest = 0.0
    for _ in range(40):
        before = online.state.velocity
        after = online.update([5.0 * sign]).velocity
        assert online.failure == ""
        assert np.abs(after - before).max() <= ACCELERATION * DT + 1e-9
        fastest = max(fastest, sign * float(after[0]))
    assert fastest == pytest.approx(SPEED, abs=1e-6)


def test_another_velocity_limit_holds_from_the_next_period_on() -> None:
    online = motion(2)
    online.reset([0.0, 0.0], [SPEED, 0.2])
    online.limit_velocity([0.5, 0.5])
    assert online.state.velocity.tolist() == [SPEED, 0.2]
    for _ in range(40):
        before = online.state.velocity
        after = online.update([9.0, 9.0]).velocity
        assert np.abs(after - before).max() <= ACCELERATION * DT + 1e-9
    assert after == pytest.approx([0.5, 0.5], abs=0.01)
    for _ in range(40):
        online.update_velocity([SPEED, -SPEED])
    assert online.state.velocity == pytest.approx([0.5, -0.5])
    online.limit_velocity([2.0, 2.0])
    for _ in range(80):
        online.update([90.0, 90.0])
    assert online.state.velocity == pytest.approx([2.0, 2.0], abs=0.05)
    with pytest.raises(ValueError, match=r"the velocity limit has shape \(3,\); expected \(2,\)"):
        online.limit_velocity([1.0, 1.0, 1.0])
