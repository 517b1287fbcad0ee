"""The hand among blocks: the arm's outer parts as balls, blocks as boxes, and the distance between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.gripper import CRANK, MAX_GAP, OPEN_TIP_DISTANCE, gap_to_joint, joint_to_gap, tip_distance
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP, FloatArray

TOOL_DISTANCE = 0.183
"""Joint 4 to tool_link along the tool [m]."""
PAD_THICKNESS = 0.006
PAD_WIDTH = 0.012
FINGER_RADIUS = 0.008
LINK_RADIUS = 0.026
"""Of the balls around upper arm and forearm with their servos [m]."""
WRIST_RADIUS = 0.032
WRIST_LENGTH = 0.095
"""Of the balls around the gripper's body, and how far they go from joint 4 along the tool [m]."""
_FINGER_BALLS = np.array([0.006, 0.016, 0.026, 0.038, 0.050])
"""Distances of the balls of a finger from its tip, along the tool [m]."""


@dataclass(frozen=True)
class StandingBlock:
    """A cube that lies flat on the table.

    Attributes:
        x, y: of its centre in base_link [m].
        yaw: of one of its sides [rad]; counts modulo a quarter turn.
        size: edge [m].
    """

    x: float
    y: float
    yaw: float
    size: float = 0.030


def pad_depth(tilt: float, roll: float, grip: float) -> float:
    """How far the lowest corner of the finger pads is below tool_link [m].

    A tilted hand holds the outer edge of its pads lowest, and a rolled one holds one finger lower than the other, the
    more so the wider they are apart; the tips travel along the tool as they close.

    Args:
        tilt: of the tool from straight down, leaning outward [rad], 0 to pi/2.
        roll: of the hand, joint 5 [rad].
        grip: angle of the cranks [rad].
    """
    beyond = tip_distance(grip) - TOOL_DISTANCE
    aside = (0.5 * joint_to_gap(grip) + PAD_THICKNESS) * abs(math.sin(roll)) + 0.5 * PAD_WIDTH * abs(math.cos(roll))
    return beyond * math.cos(tilt) + aside * math.sin(tilt)


def deepest(tilt: float, roll: float, narrowest_gap: float = 0.0) -> float:
    """The greatest pad_depth [m] while the fingers close from all the way open to a gap of `narrowest_gap` [m]."""
    gaps = np.linspace(narrowest_gap, MAX_GAP, 13).tolist()
    return max(pad_depth(tilt, roll, gap_to_joint(gap)) for gap in gaps)


def hand_frames(kinematics: Kinematics, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Joint 4 (n, 3) [m] and the axes of tool_link as columns (n, 3, 3), in base_link, of `q` (n, 5) [rad]."""
    pitch = q[:, 1:4].sum(axis=-1)
    c1, s1, cp, sp, cr, sr = (
        np.cos(q[:, 0]), np.sin(q[:, 0]), np.cos(pitch), np.sin(pitch), np.cos(q[:, 4]), np.sin(q[:, 4]),
    )  # fmt: skip
    x = np.stack([c1 * cp, s1 * cp, -sp], axis=-1)
    y = np.stack([-s1, c1, np.zeros_like(c1)], axis=-1)
    z = np.stack([c1 * sp, s1 * sp, cp], axis=-1)
    turned_x, turned_y = cr[:, None] * x + sr[:, None] * y, cr[:, None] * y - sr[:, None] * x
    return kinematics.link_points(q)[:, 2], np.stack([turned_x, turned_y, z], axis=-1)


def hand_balls(kinematics: Kinematics, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Balls that cover forearm, wrist and both fingers: centres (n, m, 3) [m], radii (m,) [m], of `q` (n, 6) [rad]."""
    j4, axes = hand_frames(kinematics, q[:, :GRIP])
    j3 = kinematics.link_points(q[:, :GRIP])[:, 1]
    along = np.linspace(0.0, 1.0, 5)[None, :, None]
    forearm = j3[:, None] + along * (j4 - j3)[:, None]
    wrist = j4[:, None] + along * WRIST_LENGTH * axes[:, None, :, 2]
    tip = OPEN_TIP_DISTANCE + kinematics.finger_along + CRANK * np.sin(q[:, GRIP])
    aside = 0.5 * MAX_GAP * np.cos(q[:, GRIP]) + 0.5 * PAD_THICKNESS
    middle = j4[:, None] + (tip[:, None] - _FINGER_BALLS)[..., None] * axes[:, None, :, 2]
    middle = middle + kinematics.finger_across * axes[:, None, :, 1]
    offset = (aside[:, None] * axes[:, :, 1])[:, None]
    centres = np.concatenate([forearm, wrist, middle + offset, middle - offset], axis=1)
    fingers = 2 * len(_FINGER_BALLS)
    radii = np.repeat([LINK_RADIUS, WRIST_RADIUS, FINGER_RADIUS], [5, 5, fingers])
    return centres, radii


def held_balls(centres: FloatArray, axes: FloatArray, size: float) -> tuple[FloatArray, FloatArray]:
    """Eight balls for a cube in the hand, at `centres` (n, 3) [m] with `axes` (n, 3, 3): as hand_balls gives them."""
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T
    radius = 0.27 * size
    offsets = np.einsum("nij,kj->nki", axes, (0.5 * size - radius) * signs)
    return centres[:, None] + offsets, np.full(8, radius)


def distance_to_blocks(centres: FloatArray, radii: FloatArray, blocks: tuple[StandingBlock, ...]) -> FloatArray:
    """Smallest distance of any ball to each block [m], shape (len(blocks),)."""
    distances = []
    for block in blocks:
        c, s, half = np.cos(block.yaw), np.sin(block.yaw), 0.5 * block.size
        rel = centres - np.array([block.x, block.y, half])
        local = np.stack([c * rel[..., 0] + s * rel[..., 1], c * rel[..., 1] - s * rel[..., 0], rel[..., 2]], axis=-1)
        outside = np.linalg.norm(np.maximum(np.abs(local) - half, 0.0), axis=-1)
        distances.append(float((outside - radii).min()))
    return np.array(distances)
