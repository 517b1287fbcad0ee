"""The follower leads straight, within limits and speed, and comes to its target."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.arm.robot import Robot
from dofbot_ros.console.follower import AHEAD_S, TOOL_AXES, Follower, seconds_of
from dofbot_ros.core.types import ToolPose
from dofbot_ros.errors import UnreachableError

ROBOT = Robot.drawn()
PERIOD_S = 0.02
angles = st.tuples(*(st.floats(-2.0, 2.0) for _ in range(5)))
speeds = st.floats(0.05, 1.0)


def led(follower: Follower, speed: float) -> list[np.ndarray]:
    """All points to the end."""
    points = []
    while (point := follower.step(PERIOD_S, speed)) is not None:
        points.append(point)
    return points


@given(start=angles, goal=angles, speed=speeds)
def test_points_keep_the_speed_and_the_limits_and_end_at_the_target(start, goal, speed) -> None:
    follower = Follower(ROBOT)
    follower.to_joints(goal, np.array(start))
    target = np.array(follower.target)
    points = led(follower, speed)
    begin = np.clip(start, ROBOT.lower[:5], ROBOT.upper[:5])
    steps = np.abs(np.diff(np.vstack([begin, *points]), axis=0)).max(axis=1)
    assert (steps <= speed * PERIOD_S * (1 + 1e-9)).all()
    assert (np.vstack(points) >= ROBOT.lower[:5] - 1e-12).all()
    assert (np.vstack(points) <= ROBOT.upper[:5] + 1e-12).all()
    assert points[-1] == pytest.approx(target)
    assert not follower.active


@given(x=st.floats(-0.5, 0.5), y=st.floats(-0.5, 0.5), z=st.floats(-0.1, 0.6), pitch=st.floats(0.0, math.pi))
def test_every_tool_slider_leads_somewhere(x, y, z, pitch) -> None:
    follower = Follower(ROBOT)
    goal = ToolPose(x, y, z, pitch)
    follower.to_tool(goal, np.array([0.0, 0.5, 0.5, 0.5, 0.0]))
    nearest = ROBOT.kinematics.nearest(goal)
    reached = ROBOT.kinematics.forward(follower.target)
    assert (reached.x, reached.y, reached.z) == pytest.approx((nearest.x, nearest.y, nearest.z), abs=1e-6)


@given(index=st.integers(0, 4), direction=st.sampled_from([-1, 1]), speed=speeds)
def test_a_jog_goes_no_further_than_its_time_ahead(index, direction, speed) -> None:
    follower = Follower(ROBOT)
    start = np.array([0.0, 0.3, 0.4, 0.5, 0.2])
    follower.jog_joint(index, direction, speed, start)
    way = np.zeros(5)
    way[index] = direction * speed * AHEAD_S
    assert led(follower, speed)[-1] == pytest.approx(start + way)


@pytest.mark.parametrize("axis", TOOL_AXES)
@pytest.mark.parametrize("direction", [-1, 1])
def test_a_tool_jogs_along_its_axis(axis, direction) -> None:
    follower = Follower(ROBOT)
    start = np.array([0.3, -0.1, 1.2, 1.2, 0.2])
    before = ROBOT.kinematics.forward(start)
    follower.jog_tool(axis, direction, 0.4, start)
    after = ROBOT.kinematics.forward(led(follower, 0.4)[-1])
    for other in TOOL_AXES:
        way = getattr(after, other) - getattr(before, other)
        assert math.copysign(1, way) == direction if other == axis else abs(way) < 1e-6


def test_a_tool_that_cannot_go_on_says_so() -> None:
    follower = Follower(ROBOT)
    with pytest.raises(UnreachableError):
        follower.jog_tool("z", 1, 0.4, np.zeros(5))
    assert not follower.active


def test_what_is_cancelled_leads_nowhere() -> None:
    follower = Follower(ROBOT)
    follower.to_joints([0.5] * 5, np.zeros(5))
    assert follower.step(PERIOD_S, 0.4) is not None
    follower.cancel()
    assert follower.step(PERIOD_S, 0.4) is None


@given(way=angles, speed=speeds)
def test_a_soft_motion_peaks_at_its_speed(way, speed) -> None:
    seconds = seconds_of(np.array(way), speed)
    assert 15 / 8 * np.abs(way).max() / seconds <= speed * (1 + 1e-9)
