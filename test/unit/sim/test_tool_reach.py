"""A simulated arm whose fingers are not where they are drawn: once calibrated, the tool reaches its goals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.model import forward_chain, load_model
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import GRIP, FloatArray
from dofbot_ros.desks.installation import install
from dofbot_ros.policy.interface.action_mapper import ActionMapper
from dofbot_ros.policy.interface.state import SceneState
from dofbot_ros.safety.states import ArmState
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.sim.rendering.flaws import ArmFlaws
from dofbot_ros.trials.direct import DirectArm

pytest.importorskip("pybullet")

FLAWS = ArmFlaws(finger_across_m=0.002, finger_along_m=-0.0015)
GOALS = [(0.18, 0.05, 0.05, 0.0), (0.22, -0.06, 0.06, 1.4), (0.24, 0.0, 0.08, -1.2)]
GAP = gap_to_joint(0.030)


def fingers(pose: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
    """The middle between the finger tips (3,) [m] of poses (4, 4) of the tool and of both fingers."""
    drawn = [
        forward_chain(load_model(), np.array([0, 0, 0, 0, 0, GAP]), f"{side}_finger") for side in ("left", "right")
    ]
    tool = forward_chain(load_model(), np.zeros(6), "tool_link")
    beyond = tool[2, 3] - np.mean([T[2, 3] for T in drawn])
    return 0.5 * (left[:3, 3] + right[:3, 3]) + beyond * pose[:3, 2]


def rest_at_goals(known: bool) -> FloatArray:
    """How far the true fingers rest from each goal, and from where the arm says that its tool is [mm], shape (n, 2)."""
    desk = install("own", 0, WorldConfig(marked=(), arm=FLAWS))
    if known:
        belief = desk.belief
        told = replace(belief.calibration, finger_across_m=FLAWS.finger_across_m, finger_along_m=FLAWS.finger_along_m)
        desk = replace(desk, belief=replace(belief, calibration=told))
    arm = DirectArm(desk)
    try:
        arm.prepare()
        arm.gripper(0.030)
        off = []
        for goal in GOALS:
            arm.daemon.move_tool(arm.daemon.kinematics.steepest(*goal))
            arm.rest(0.1)
            while arm.daemon.snapshot().state is ArmState.ACTIVE:
                arm.rest(0.05)
            arm.rest(0.3)
            link = arm.world.arm.link_pose
            at = fingers(link("link5"), link("left_finger"), link("right_finger"))
            told = arm.daemon.kinematics.tool_transform(arm.joints()[0][:GRIP])[:3, 3]
            off.append([float(np.linalg.norm(at - goal[:3])), float(np.linalg.norm(at - told))])
        return 1e3 * np.array(off)
    finally:
        arm.close()


def test_the_true_fingers_come_to_where_the_tool_is_told_to_go() -> None:
    unknown, known = rest_at_goals(False), rest_at_goals(True)
    np.testing.assert_allclose(unknown[:, 1], 2.5, atol=0.2)
    assert known[:, 1].max() < 0.2
    assert (known[:, 0] < unknown[:, 0]).all()


def test_a_policy_is_shown_and_moves_the_true_fingers() -> None:
    robot = Robot.calibrated(
        replace(
            install("own", 0).belief.calibration,
            finger_across_m=FLAWS.finger_across_m,
            finger_along_m=FLAWS.finger_along_m,
        )
    )
    mapper = ActionMapper(robot)
    arm = mapper.map.solve(0.20, 0.08)
    assert arm is not None
    mapper.start([0.2, *arm, 0.6, 0.4])
    state = SceneState()
    mapper.measure(state, list(mapper.command))
    np.testing.assert_allclose(state.tool, robot.kinematics.tool_transform(mapper.command[:GRIP])[:3, 3], atol=1e-9)
    # Turning the roll leaves the fingers where they are, though it turns them about the tool's axis.
    before, goal = np.array(state.tool), mapper.goal_of_tool([0.0, 0.0, 0.0, 1.0, 0.0], mapper.command[GRIP])
    np.testing.assert_allclose(mapper.map.tool(goal), before, atol=2e-5)
