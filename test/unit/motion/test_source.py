"""What the arm is asked to do at each moment, by each kind of motion."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.core.types import FloatArray
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.source import Follow, GoTo, Stream
from dofbot_ros.motion.trajectory import Sample, Trajectory

PERIOD_S = 0.02
REST = Sample(np.zeros(6), np.zeros(6))


def everywhere(value: float) -> FloatArray:
    return np.full(6, value)


# -- Follow ------------------------------------------------------------------------------------------------------------


def trajectory(seconds: float = 1.0) -> Trajectory:
    return Trajectory([seconds], np.full((1, 6), 0.5), None, REST)


def test_follow_plays_a_period_at_a_time_from_the_first_one_on() -> None:
    played, motion = trajectory(), Follow(trajectory(), PERIOD_S)
    assert (motion.kind, motion.stamp_s, motion.done) == ("trajectory", 0.0, False)
    for k in range(1, 61):
        setpoint = motion.setpoint(100.0 + k, 1.0)
        expected = played.sample(k * PERIOD_S)
        np.testing.assert_allclose(setpoint.position, expected.position, atol=1e-9)
        np.testing.assert_allclose(setpoint.velocity, expected.velocity, atol=1e-9)
        assert motion.stamp_s == 100.0 + k
        assert motion.done is (k >= 50)


def test_follow_goes_slower_in_its_own_time_and_so_does_its_velocity() -> None:
    played, motion = trajectory(), Follow(trajectory(), PERIOD_S)
    for k in range(1, 100):
        setpoint = motion.setpoint(float(k), 0.5)
        expected = played.sample(0.5 * k * PERIOD_S)
        np.testing.assert_allclose(setpoint.position, expected.position, atol=1e-9)
        np.testing.assert_allclose(setpoint.velocity, 0.5 * expected.velocity, atol=1e-9)
    assert not motion.done
    for k in range(100, 103):
        motion.setpoint(float(k), 0.5)
    assert motion.done


# -- GoTo --------------------------------------------------------------------------------------------------------------


def test_go_to_arrives_and_only_then_is_done() -> None:
    motion = OnlineMotion(PERIOD_S, everywhere(1.6), everywhere(8.0), everywhere(80.0))
    target = np.array([0.3, -0.2, 0.1, 0.0, 0.5, 1.0])
    goes = GoTo("home", motion, target)
    assert (goes.kind, goes.stamp_s, goes.done) == ("home", 0.0, False)
    for k in range(200):
        setpoint = goes.setpoint(float(k), 1.0)
        assert goes.stamp_s == float(k)
        near = np.abs(setpoint.position - target).max() < 1e-6
        assert goes.done is bool(near and np.abs(setpoint.velocity).max() < 1e-9)
        if goes.done:
            break
    assert goes.done
    assert k * PERIOD_S > 1.0 / 1.6, "it keeps to its limits"
    goes.setpoint(999.0, 1.0)
    assert goes.done, "and stays"


def test_go_to_does_not_follow_a_target_that_its_caller_changes() -> None:
    motion = OnlineMotion(PERIOD_S, everywhere(1.6), everywhere(8.0), everywhere(80.0))
    target = everywhere(0.2)
    goes = GoTo("park", motion, target)
    target[:] = 9.0
    for k in range(100):
        setpoint = goes.setpoint(float(k), 1.0)
    assert setpoint.position == pytest.approx(everywhere(0.2))


def test_go_to_passes_through_its_target_without_being_done() -> None:
    motion = OnlineMotion(PERIOD_S, everywhere(1.6), everywhere(8.0), everywhere(80.0))
    motion.reset(everywhere(0.0), everywhere(1.5))
    goes = GoTo("home", motion, everywhere(0.0))
    assert goes.setpoint(0.0, 1.0).velocity != pytest.approx(everywhere(0.0))
    assert not goes.done


# -- Stream ------------------------------------------------------------------------------------------------------------


def test_every_point_of_a_stream_is_approached_as_if_it_were_the_last() -> None:
    motion = Stream(everywhere(0.4), 3.0)
    assert (motion.kind, motion.stamp_s, motion.done) == ("stream", 3.0, False)
    for k in range(1, 20):
        motion.renew(everywhere(0.4 + 0.01 * k), 3.0 + 0.02 * k)
        assert motion.stamp_s == 3.0 + 0.02 * k
        for now_s in (motion.stamp_s, motion.stamp_s + 0.01, motion.stamp_s + 4.0):
            setpoint = motion.setpoint(now_s, 1.0)
            assert setpoint.position == pytest.approx(everywhere(0.4 + 0.01 * k))
            assert setpoint.velocity.tolist() == [0.0] * 6


@pytest.mark.parametrize("stamp_s", [1.0, 0.999])
def test_a_point_that_is_not_newer_changes_nothing(stamp_s: float) -> None:
    motion = Stream(everywhere(0.3), 1.0)
    motion.renew(everywhere(9.0), stamp_s)
    assert motion.stamp_s == 1.0
    assert motion.setpoint(1.0, 1.0).position == pytest.approx(everywhere(0.3))


def test_a_stream_keeps_its_own_points() -> None:
    first, second = everywhere(0.0), everywhere(0.01)
    motion = Stream(first, 0.0)
    first[:] = 7.0
    assert motion.setpoint(0.0, 1.0).position == pytest.approx(everywhere(0.0))
    motion.renew(second, 0.02)
    second[:] = 7.0
    assert motion.setpoint(0.02, 1.0).position == pytest.approx(everywhere(0.01))


def test_whole_numbers_are_angles_too() -> None:
    motion = Stream(np.zeros(6, dtype=np.int64), 0.0)
    assert motion.setpoint(0.0, 1.0).position.dtype == np.float64
    motion.renew(np.ones(6, dtype=np.int64), 0.02)
    assert motion.setpoint(0.02, 1.0).position.dtype == np.float64


def test_follow_is_done_with_the_period_in_which_its_time_is_over() -> None:
    motion = Follow(trajectory(), 0.25)
    assert [(motion.setpoint(float(k), 1.0), motion.done)[1] for k in range(5)] == [False, False, False, True, True]
