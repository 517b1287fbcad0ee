"""Balls and boxes against the kinematics and against distances known by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dofbot_ros.arm.gripper import gap_to_joint, tip_distance
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import ToolPose
from dofbot_ros.grasp.planning.hand_geometry import (
    StandingBlock,
    deepest,
    distance_to_blocks,
    hand_balls,
    hand_frames,
    held_balls,
    pad_depth,
)
from dofbot_ros.safety.workspace import Workspace

ARM = Kinematics()


def test_frames_are_those_of_the_kinematics() -> None:
    q = np.random.default_rng(3).uniform(ARM.lower, ARM.upper, (50, 5))
    j4, axes = hand_frames(ARM, q)
    for i, joints in enumerate(q):
        tool = ARM.tool_transform(joints)
        np.testing.assert_allclose(axes[i], tool[:3, :3], atol=1e-12)
        np.testing.assert_allclose(j4[i] + ARM.tool * axes[i, :, 2], tool[:3, 3], atol=1e-12)


@pytest.mark.parametrize("grip", [0.0, 0.7, math.pi / 2])
def test_balls_reach_to_the_finger_tips_and_as_wide_as_the_fingers(grip: float) -> None:
    upright = np.array([[0.0, 0.0, 0.0, 0.0, 0.0, grip]])
    centres, radii = hand_balls(ARM, upright)
    tip = ARM.link_points(upright[:, :5])[0, 2, 2] + tip_distance(grip)
    assert (centres[0, :, 2] + radii).max() == pytest.approx(tip, abs=0.003)
    fingers = centres[0, 10:]
    assert np.abs(fingers[:, 1]).max() == pytest.approx(0.03 * math.cos(grip) + 0.003)


def test_balls_of_a_held_block_fill_it() -> None:
    centres, radii = held_balls(np.zeros((1, 3)), np.eye(3)[None], 0.030)
    np.testing.assert_allclose((np.abs(centres[0]) + radii[:, None]).max(axis=0), 0.015, atol=1e-12)


@pytest.mark.parametrize(
    ("centre", "distance"),
    [
        ((0.20, 0.0, 0.060), 0.020),
        ((0.25, 0.0, 0.015), 0.025),
        ((0.25, 0.05, 0.030), math.hypot(0.035, 0.035) - 0.010),
        ((0.20, 0.0, 0.015), -0.010),
    ],
)
def test_distance_of_a_ball_to_a_block(centre: tuple[float, float, float], distance: float) -> None:
    block = StandingBlock(0.20, 0.0, math.pi)
    found = distance_to_blocks(np.array([[centre]]), np.array([0.010]), (block,))
    assert found[0] == pytest.approx(distance, abs=1e-12)


def test_a_turned_block_is_further_out_at_its_corner() -> None:
    straight, turned = StandingBlock(0.2, 0.0, 0.0), StandingBlock(0.2, 0.0, math.pi / 4)
    ball = np.array([[[0.25, 0.0, 0.015]]])
    near, far = distance_to_blocks(ball, np.array([0.0]), (turned, straight))
    assert near == pytest.approx(0.05 - 0.015 * math.sqrt(2))
    assert far == pytest.approx(0.035)


@pytest.mark.parametrize("grip", np.linspace(0.0, math.pi / 2, 5).tolist())
@pytest.mark.parametrize("roll", [-1.2, 0.0, 0.4, math.pi / 2, 2.8])
def test_the_depth_of_the_pads_is_that_of_the_workspaces_fingers(grip: float, roll: float) -> None:
    workspace = Workspace(ARM)
    for radius, z in ((0.15, 0.04), (0.20, 0.06), (0.26, 0.08)):
        low, high = ARM.pitch_range(radius, 0.0, z)[-1]
        pitch = min(max(low + 0.1, math.pi / 2), high)
        q = np.append(ARM.solve(ToolPose(radius, 0.0, z, pitch, roll)), grip)
        lowest = workspace.clearances(q)[5:7].min() + workspace.config.tip_margin
        assert z - pad_depth(math.pi - pitch, roll, grip) == pytest.approx(lowest, abs=1e-6)


def test_the_deepest_the_pads_come_while_closing_covers_every_gap() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        tilt, roll, least = rng.uniform(0.0, 1.0), rng.uniform(-1.5, 3.1), rng.uniform(0.0, 0.03)
        grips = [gap_to_joint(gap) for gap in rng.uniform(least, 0.06, 40)]
        assert max(pad_depth(tilt, roll, grip) for grip in grips) <= deepest(tilt, roll, least) + 2e-4
