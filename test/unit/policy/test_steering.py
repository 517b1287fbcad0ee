"""Goals of tool actions near the table: raised rather than left for the governor to brake."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP
from dofbot_ros.policy.steering import FLOOR, Steering
from dofbot_ros.policy.tasks import ready_pose
from dofbot_ros.safety.bodies import BODIES
from dofbot_ros.safety.workspace import Workspace

WORKSPACE = Workspace(Kinematics())
FINGERS = slice(BODIES.index("right finger"), len(BODIES))


@pytest.mark.parametrize("seed", range(20))
def test_goals_that_push_into_the_table_stop_above_it(seed: int) -> None:
    """Whatever the hand's roll and the fingers' gap, also while both change: but for what the joints' own speed carries
    them on by when an action turns round, which is left to the governor."""
    rng = np.random.default_rng(seed)
    steering = Steering()
    steering.start(ready_pose(rng, steering.map))
    lowest = []
    for _ in range(120):
        sideways, turn, close = rng.uniform(-0.3, 0.3, 2), rng.uniform(-1.0, 1.0), rng.uniform(-1.0, 1.0)
        goal = steering.goal_of_tool([*sideways, -0.4, turn, close], steering.command[GRIP])
        lowest.append(float(WORKSPACE.clearances(np.array(goal))[FINGERS].min()))
        steering.step(goal)
    assert np.mean(np.array(lowest) < 0.0) < 0.05
    assert min(lowest) > -0.0015


@pytest.mark.parametrize("roll", [0.0, 0.6, -1.2])
def test_closing_on_the_table_lifts_the_tool_by_what_the_tips_gain(roll: float) -> None:
    steering = Steering()
    arm = steering.map.solve(0.20, 0.05)
    assert arm is not None
    steering.start([0.0, *arm, roll, 0.0])
    lowest = []
    for period in range(120):
        goal = steering.goal_of_tool([0.0, 0.0, -0.3, 0.0, float(period > 60)], steering.command[GRIP])
        steering.step(goal)
        lowest.append(float(WORKSPACE.clearances(np.array(steering.command))[FINGERS].min()))
    assert steering.command[GRIP] > 1.5
    assert min(lowest) > -2e-4
    assert lowest[-1] < FLOOR


def test_away_from_the_table_goals_are_what_the_action_says() -> None:
    steering = Steering()
    steering.start(ready_pose(np.random.default_rng(1), steering.map))
    before = steering.map.point((steering.command[1], steering.command[2], steering.command[3]))
    goal = steering.goal_of_tool([0.0, 0.0, -0.5, 0.2, 0.0], steering.command[GRIP])
    after = steering.map.point((goal[1], goal[2], goal[3]))
    assert after[1] == pytest.approx(before[1] - 0.004, abs=1e-6)
