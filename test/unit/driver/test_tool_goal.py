"""What five joints keep of a pose of the tool: the position, and what lies in their plane."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.transforms import rot_x, rot_y, rot_z
from dofbot_ros.core.types import FloatArray
from dofbot_ros.driver.tool_goal import tool_goal

angles = st.floats(-1.5, 1.5)


def pose(position: tuple[float, float, float], rotation: FloatArray) -> FloatArray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, position
    return matrix


@given(st.tuples(angles, angles, angles, angles, angles))
def test_a_pose_that_the_arm_can_take_is_kept_whole(q: tuple[float, ...]) -> None:
    arm = Kinematics()
    there = arm.tool_transform(np.array(q))
    goal = tool_goal(there)
    assert (goal.x, goal.y, goal.z) == pytest.approx(tuple(there[:3, 3]))
    assume(np.hypot(there[0, 3], there[1, 3]) > 0.02)
    azimuth = math.atan2(goal.y, goal.x) if goal.x >= 0 else math.atan2(-goal.y, -goal.x)
    again = rot_z(azimuth) @ rot_y(goal.pitch) @ rot_z(goal.roll)
    np.testing.assert_allclose(again[:, 2], there[:3, 2], atol=1e-6)
    np.testing.assert_allclose(again, there[:3, :3], atol=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "azimuth"),
    [(0.2, 0.0, 0.0), (0.0, 0.2, math.pi / 2), (0.0, -0.2, -math.pi / 2), (-0.1, 0.0, 0.0), (-0.1, 0.1, -math.pi / 4)],
)
@pytest.mark.parametrize("pitch", [2.5, 3.0, -2.5])
@pytest.mark.parametrize("roll", [0.0, 0.7, -1.2])
def test_pitch_and_roll_are_measured_in_the_plane_of_joint_1(
    x: float, y: float, azimuth: float, pitch: float, roll: float
) -> None:
    goal = tool_goal(pose((x, y, 0.1), rot_z(azimuth) @ rot_y(pitch) @ rot_z(roll)))
    assert (goal.x, goal.y, goal.z) == (x, y, 0.1)
    assert goal.pitch == pytest.approx(pitch)
    assert goal.roll == pytest.approx(roll)


def test_what_leans_out_of_the_plane_is_projected_onto_it() -> None:
    leaning = rot_z(0.0) @ rot_x(0.3) @ rot_y(math.pi)
    goal = tool_goal(pose((0.2, 0.0, 0.1), leaning))
    assert abs(goal.pitch) == pytest.approx(math.pi)


def test_the_result_is_plain_numbers() -> None:
    goal = tool_goal(pose((0.2, 0.0, 0.1), rot_y(3.0)))
    assert all(type(value) is float for value in (goal.x, goal.y, goal.z, goal.pitch, goal.roll))
