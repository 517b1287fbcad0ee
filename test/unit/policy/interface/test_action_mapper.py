"""Goals of tool actions near the table: raised rather than left for the governor to brake."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import GRIP
from dofbot_ros.policy.env.tasks import ready_pose
from dofbot_ros.policy.interface.action_mapper import FLOOR, ActionMapper
from dofbot_ros.safety.bodies import BODIES
from dofbot_ros.safety.workspace import Workspace

WORKSPACE = Workspace(Kinematics())
FINGERS = slice(BODIES.index("right finger"), len(BODIES))


@pytest.mark.parametrize("seed", range(20))
def test_goals_that_push_into_the_table_stop_above_it(seed: int) -> None:
    """Whatever the hand's roll and the fingers' gap, also while both change: but for what the joints' own speed carries
    them on by when an action turns round, which is left to the governor."""
    rng = np.random.default_rng(seed)
    mapper = ActionMapper()
    mapper.start(ready_pose(rng, mapper.map))
    lowest = []
    for _ in range(120):
        sideways, turn, close = rng.uniform(-0.3, 0.3, 2), rng.uniform(-1.0, 1.0), rng.uniform(-1.0, 1.0)
        goal = mapper.goal_of_tool([*sideways, -0.4, turn, close], mapper.command[GRIP])
        lowest.append(float(WORKSPACE.clearances(np.array(goal))[FINGERS].min()))
        mapper.step(goal)
    assert np.mean(np.array(lowest) < 0.0) < 0.05
    assert min(lowest) > -0.0015


@pytest.mark.parametrize("roll", [0.0, 0.6, -1.2])
def test_closing_on_the_table_lifts_the_tool_by_what_the_tips_gain(roll: float) -> None:
    mapper = ActionMapper()
    arm = mapper.map.solve(0.20, 0.05)
    assert arm is not None
    mapper.start([0.0, *arm, roll, 0.0])
    lowest = []
    for period in range(120):
        goal = mapper.goal_of_tool([0.0, 0.0, -0.3, 0.0, float(period > 60)], mapper.command[GRIP])
        mapper.step(goal)
        lowest.append(float(WORKSPACE.clearances(np.array(mapper.command))[FINGERS].min()))
    assert mapper.command[GRIP] > 1.5
    assert min(lowest) > -2e-4
    assert lowest[-1] < FLOOR


def test_away_from_the_table_goals_are_what_the_action_says() -> None:
    mapper = ActionMapper()
    mapper.start(ready_pose(np.random.default_rng(1), mapper.map))
    before = mapper.map.point((mapper.command[1], mapper.command[2], mapper.command[3]))
    goal = mapper.goal_of_tool([0.0, 0.0, -0.5, 0.2, 0.0], mapper.command[GRIP])
    after = mapper.map.point((goal[1], goal[2], goal[3]))
    assert after[1] == pytest.approx(before[1] - 0.004, abs=1e-6)


@pytest.mark.parametrize("control", ["tool", "joints"])
def test_commands_stay_within_the_limits_of_the_arm_that_is_steered(control: str) -> None:
    servos = {
        name: replace(getattr(DEFAULT_CALIBRATION, name), min_ticks=940, max_ticks=3060)
        for name in ("joint1", "joint2", "joint3", "joint4")
    }
    robot = Robot.calibrated(replace(DEFAULT_CALIBRATION, base_height_m=0.110, **servos))
    mapper, rng = ActionMapper(robot), np.random.default_rng(4)
    mapper.start(ready_pose(rng, mapper.map))
    commands = []
    for period in range(600):
        if period % 60 == 0:
            action = rng.choice([-1.0, 1.0], 6)
        goal_of = mapper.goal_of_tool if control == "tool" else mapper.goal_of_joints
        commands.append(list(mapper.step(goal_of(action, mapper.command[GRIP]))))
    assert (np.array(commands) >= robot.lower - 1e-9).all()
    assert (np.array(commands) <= robot.upper + 1e-9).all()
    if control == "joints":
        assert np.array(commands)[:, :4].max() > robot.upper[1] - 1e-6


def test_the_map_of_an_arm_measures_with_its_own_base_height() -> None:
    raised = Robot.calibrated(replace(DEFAULT_CALIBRATION, base_height_m=0.110))
    mapper = ActionMapper(raised)
    joints = mapper.map.solve(0.20, 0.05)
    assert joints is not None
    assert raised.kinematics.forward([0.0, *joints, 0.0]).z == pytest.approx(0.05, abs=1e-9)
