"""What the arm is asked to do at each moment, by each kind of motion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.core.types import FloatArray
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.source import Follow, GoTo, Stream
from dofbot_ros.motion.trajectory import Sample, Trajectory

PERIOD_S = 0.02
REST = Sample(np.zeros(6), np.zeros(6))
BRAKES = np.full(6, 8.0)


def everywhere(value: float) -> FloatArray:
    return np.full(6, value)


# -- Follow ------------------------------------------------------------------------------------------------------------


def trajectory(seconds: float = 1.0) -> Trajectory:
    return Trajectory([seconds], np.full((1, 6), 0.5), None, REST)


def test_follow_plays_a_period_at_a_time_from_the_first_one_on() -> None:
    played, motion = trajectory(), Follow(trajectory(), PERIOD_S)
    assert (motion.kind, motion.last_point, motion.stamp_s, motion.done) == ("trajectory", None, 0.0, False)
    for k in range(1, 61):
        wish = motion.wish(100.0 + k, 1.0)
        expected = played.sample(k * PERIOD_S)
        np.testing.assert_allclose(wish.position, expected.position, atol=1e-9)
        np.testing.assert_allclose(wish.velocity, expected.velocity, atol=1e-9)
        assert motion.stamp_s == 100.0 + k
        assert motion.done is (k >= 50)


def test_follow_goes_slower_in_its_own_time_and_so_does_its_velocity() -> None:
    played, motion = trajectory(), Follow(trajectory(), PERIOD_S)
    for k in range(1, 100):
        wish = motion.wish(float(k), 0.5)
        expected = played.sample(0.5 * k * PERIOD_S)
        np.testing.assert_allclose(wish.position, expected.position, atol=1e-9)
        np.testing.assert_allclose(wish.velocity, 0.5 * expected.velocity, atol=1e-9)
    assert not motion.done
    for k in range(100, 103):
        motion.wish(float(k), 0.5)
    assert motion.done


# -- GoTo --------------------------------------------------------------------------------------------------------------


def test_go_to_arrives_and_only_then_is_done() -> None:
    motion = OnlineMotion(PERIOD_S, everywhere(1.6), everywhere(8.0), everywhere(80.0))
    target = np.array([0.3, -0.2, 0.1, 0.0, 0.5, 1.0])
    goes = GoTo("home", motion, target)
    assert (goes.kind, goes.last_point, goes.stamp_s, goes.done) == ("home", None, 0.0, False)
    for k in range(200):
        wish = goes.wish(float(k), 1.0)
        assert goes.stamp_s == float(k)
        near = np.abs(wish.position - target).max() < 1e-6
        assert goes.done is bool(near and np.abs(wish.velocity).max() < 1e-9)
        if goes.done:
            break
    assert goes.done
    assert k * PERIOD_S > 1.0 / 1.6, "it keeps to its limits"
    goes.wish(999.0, 1.0)
    assert goes.done, "and stays"


def test_go_to_does_not_follow_a_target_that_its_caller_changes() -> None:
    motion = OnlineMotion(PERIOD_S, everywhere(1.6), everywhere(8.0), everywhere(80.0))
    target = everywhere(0.2)
    goes = GoTo("park", motion, target)
    target[:] = 9.0
    for k in range(100):
        wish = goes.wish(float(k), 1.0)
    assert wish.position == pytest.approx(everywhere(0.2))


def test_go_to_passes_through_its_target_without_being_done() -> None:
    motion = OnlineMotion(PERIOD_S, everywhere(1.6), everywhere(8.0), everywhere(80.0))
    motion.reset(everywhere(0.0), everywhere(1.5))
    goes = GoTo("home", motion, everywhere(0.0))
    assert goes.wish(0.0, 1.0).velocity != pytest.approx(everywhere(0.0))
    assert not goes.done


# -- Stream ------------------------------------------------------------------------------------------------------------


def stream(first: float = 0.0, stamp_s: float = 0.0) -> Stream:
    return Stream(everywhere(first), stamp_s, PERIOD_S, BRAKES)


def test_a_stream_of_one_point_stays_there_at_rest() -> None:
    motion = stream(0.4, 3.0)
    assert (motion.kind, motion.stamp_s, motion.done) == ("stream", 3.0, False)
    assert motion.last_point == pytest.approx(everywhere(0.4))
    for now_s in (3.0, 3.01, 3.05, 4.0):
        wish = motion.wish(now_s, 1.0)
        assert wish.position == pytest.approx(everywhere(0.4))
        assert wish.velocity == pytest.approx(everywhere(0.0))


def test_a_steady_stream_is_followed_late_by_its_interval_less_a_period_and_short_by_the_braking_distance() -> None:
    interval_s, speed = 0.04, 0.5
    motion = stream()
    for k in range(1, 40):
        motion.renew(everywhere(speed * k * interval_s), k * interval_s)
    now_s = 39 * interval_s
    for ahead_s in (0.0, 0.01, 0.02, 0.03):
        wish = motion.wish(now_s + ahead_s, 1.0)
        played_s = now_s + ahead_s - (interval_s - PERIOD_S)
        trail = 0.5 * speed**2 / 8.0
        assert wish.position == pytest.approx(everywhere(speed * min(played_s, now_s) - trail), abs=1e-9)
        assert wish.velocity == pytest.approx(everywhere(speed), abs=1e-6)


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_the_trail_is_on_the_near_side_whichever_way_it_goes(direction: float) -> None:
    motion = stream()
    for k in range(1, 30):
        motion.renew(everywhere(direction * 0.01 * k), 0.02 * k)
    assert (direction * motion.wish(0.58, 1.0).position < 0.01 * 29).all()
    assert direction * motion.wish(0.58, 1.0).velocity == pytest.approx(everywhere(0.5), rel=1e-3)


def test_a_stream_that_falls_silent_ends_at_its_last_point_after_an_interval_and_a_period() -> None:
    motion = stream()
    for k in range(1, 10):
        motion.renew(everywhere(0.02 * k), 0.04 * k)
    last_s = 0.36
    still = motion.wish(last_s + 0.04 + PERIOD_S - 1e-6, 1.0)
    assert np.abs(still.velocity).max() > 0.1
    after = motion.wish(last_s + 0.04 + PERIOD_S + 1e-6, 1.0)
    assert after.position == pytest.approx(everywhere(0.18))
    assert after.velocity == pytest.approx(everywhere(0.0))


def test_half_of_the_velocity_before_is_kept() -> None:
    motion = stream()
    motion.renew(everywhere(0.02), 0.02)
    assert motion.wish(0.02, 1.0).velocity == pytest.approx(everywhere(0.5))
    motion.renew(everywhere(0.04), 0.04)
    assert motion.wish(0.04, 1.0).velocity == pytest.approx(everywhere(0.75))
    motion.renew(everywhere(0.04), 0.06)
    assert motion.wish(0.06, 1.0).velocity == pytest.approx(everywhere(0.375))


def test_the_longest_interval_is_forgotten_slowly() -> None:
    motion = stream()
    motion.renew(everywhere(0.08), 0.08)
    stamp_s = 0.08
    for _ in range(10):
        stamp_s += 0.02
        motion.renew(everywhere(0.08), stamp_s)
    longest_s = 0.08 * Stream.FORGET**10
    motion.renew(everywhere(0.5), stamp_s + 0.02)
    silent_s = stamp_s + 0.02 + longest_s * Stream.FORGET + PERIOD_S
    assert np.abs(motion.wish(silent_s - 1e-6, 1.0).velocity).max() > 0.0
    assert np.abs(motion.wish(silent_s + 1e-6, 1.0).velocity).max() == 0.0


@pytest.mark.parametrize(("interval_s", "moves"), [(Stream.PAUSE_S - 1e-9, True), (Stream.PAUSE_S + 1e-9, False)])
def test_points_far_apart_have_no_velocity(interval_s: float, moves: bool) -> None:
    motion = stream(0.0, 5.0)
    motion.renew(everywhere(0.1), 5.0 + interval_s)
    wish = motion.wish(5.0 + interval_s, 1.0)
    assert bool(np.abs(wish.velocity).max() > 0) is moves
    assert motion.last_point == pytest.approx(everywhere(0.1))
    if not moves:
        assert wish.position == pytest.approx(everywhere(0.1))
        motion.renew(everywhere(0.2), 5.0 + interval_s + 0.02)
        between = motion.wish(5.0 + interval_s + 0.01, 1.0).position
        assert (between >= 0.1 - 0.5 * 5.0**2 / 8.0).all(), "points before the pause are not gone back to"


@pytest.mark.parametrize("stamp_s", [1.0, 0.999])
def test_a_point_that_is_not_newer_changes_nothing(stamp_s: float) -> None:
    motion = stream(0.3, 1.0)
    motion.renew(everywhere(9.0), stamp_s)
    assert (motion.stamp_s, motion.last_point.tolist()) == (1.0, [0.3] * 6)
    assert motion.wish(1.0, 1.0).position == pytest.approx(everywhere(0.3))


def test_a_stream_keeps_its_own_points() -> None:
    first, second = everywhere(0.0), everywhere(0.01)
    motion = Stream(first, 0.0, PERIOD_S, BRAKES)
    first[:] = 7.0
    assert motion.last_point == pytest.approx(everywhere(0.0))
    motion.renew(second, 0.02)
    second[:] = 7.0
    assert motion.last_point == pytest.approx(everywhere(0.01))
    assert (motion.wish(0.1, 1.0).position < 0.02).all()


@given(
    st.lists(st.tuples(st.floats(-0.03, 0.03), st.floats(0.005, 0.09)), min_size=1, max_size=40),
    st.floats(0.0, 0.2),
)
def test_no_wish_lies_outside_the_points_that_were_sent_but_for_the_trail(
    steps: list[tuple[float, float]], silence_s: float
) -> None:
    motion, points, stamp_s = stream(), [0.0], 0.0
    for step, interval_s in steps:
        stamp_s += interval_s
        points.append(points[-1] + step)
        motion.renew(everywhere(points[-1]), stamp_s)
    wish = motion.wish(stamp_s + silence_s, 1.0)
    trail = 0.5 * wish.velocity**2 / 8.0
    assert (wish.position <= max(points) + trail + 1e-12).all()
    assert (wish.position >= min(points) - trail - 1e-12).all()
