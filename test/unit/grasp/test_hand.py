"""Balls and boxes against the kinematics and against distances known by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dofbot_ros.arm.gripper import tip_distance
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.grasp.hand import StandingBlock, distance_to_blocks, hand_balls, hand_frames, held_balls

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
