"""A trajectory is refused for the first place on its way that is not allowed, and told when that would be."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dofbot_ros.arm.robot import load_robot
from dofbot_ros.core.types import FloatArray
from dofbot_ros.driver.path_check import check_trajectory
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.trajectory import MotionLimits, Sample, Trajectory
from dofbot_ros.safety.workspace import Workspace

ROBOT = load_robot()
LIMITS = MotionLimits(ROBOT.lower, ROBOT.upper, np.full(6, 1.6), np.full(6, 8.0))
WORKSPACE = Workspace(ROBOT.kinematics)
TABLE = np.array([0.0, 1.5, 0.9, 0.0, 0.0, 0.0])
"""The gripper would be below the table [rad]."""


def trajectory(*points: FloatArray, seconds: float = 3.0, start: FloatArray | None = None) -> Trajectory:
    times = seconds * np.arange(1, len(points) + 1)
    return Trajectory(times, np.array(points), None, Sample(np.zeros(6) if start is None else start, np.zeros(6)))


def refusal(checked: Trajectory) -> str:
    with pytest.raises(CommandRefusedError) as refused:
        check_trajectory(checked, LIMITS, WORKSPACE)
    return str(refused.value)


def test_an_allowed_way_passes() -> None:
    check_trajectory(trajectory(np.full(6, 0.3), np.zeros(6)), LIMITS, WORKSPACE)


def test_the_first_forbidden_place_is_told_with_its_time() -> None:
    checked = trajectory(TABLE)
    said = re.fullmatch(r"after (\d\.\d\d) s: gripper too near the table: by \d+\.\d mm", refusal(checked))
    assert said is not None
    at_s = float(said[1])
    assert WORKSPACE.violation(checked.sample(at_s + 0.05).position) != ""
    assert WORKSPACE.violation(checked.sample(at_s - 0.1).position) == ""


def test_a_forbidden_place_is_found_on_the_way_to_an_allowed_one() -> None:
    assert "too near the table" in refusal(trajectory(TABLE, np.zeros(6)))


def test_a_joint_limit_is_refused_before_the_workspace_is_looked_at() -> None:
    beyond = TABLE + np.array([2.0, 0, 0, 0, 0, 0])
    assert "joint1" in refusal(trajectory(beyond, seconds=6.0))


def test_an_arm_that_stands_in_a_forbidden_place_may_leave_it() -> None:
    below = np.array([0.0, np.radians(85), np.radians(60), 0.0, 0.0, 0.0])
    assert WORKSPACE.violation(below) != ""
    check_trajectory(trajectory(np.zeros(6), start=below), LIMITS, WORKSPACE)
    assert "table" in refusal(trajectory(below + np.array([0, 0, 0.3, 0, 0, 0]), start=below))
