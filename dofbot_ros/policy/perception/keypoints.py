"""Points of arm and block in a picture: where a calibrated camera sees them, and where on the table a pixel lies."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.transforms import apply, invert
from dofbot_ros.core.types import FloatArray
from dofbot_ros.vision.intrinsics import Intrinsics

ARM_KEYPOINTS = ("base left", "base right", "shoulder", "elbow", "wrist", "tool")
"""Front corners of the base plate, joints 2 to 4, the point between the finger tips."""

KEYPOINTS = (*ARM_KEYPOINTS, "block")
BLOCK = KEYPOINTS.index("block")
"""The block's is its centre."""

PLATE_CORNERS = ((0.06, 0.06, 0.004), (0.06, -0.06, 0.004))
"""Upper front corners of the base plate in base_link [m]."""


FORGET = 0.9
"""Share of what earlier pictures told that a new one leaves: errors of one network in two pictures are alike."""

LATE = 1.5
"""Periods by which a picture may be older than the joint angles."""

SHARP_PX = 2.0
"""Spread of the heat of a keypoint that was found well [px]; what it has beyond that counts as uncertainty."""


def arm_points(q: ArrayLike, kinematics: Kinematics = DRAWN.kinematics) -> FloatArray:
    """ARM_KEYPOINTS in base_link [m], shape (..., 6, 3), of joint angles (..., 5 or 6) [rad]."""
    q = np.asarray(q, dtype=np.float64)[..., :5]
    moving = kinematics.link_points(q)
    fixed = np.broadcast_to(PLATE_CORNERS, (*q.shape[:-1], 2, 3))
    return np.concatenate([fixed, moving], axis=-2)


def project(points: FloatArray, intrinsics: Intrinsics, pose: FloatArray) -> FloatArray:
    """Pixels (n, 2) of points (n, 3) in base_link [m] that a camera at `pose` (4, 4), without distortion, sees."""
    seen = apply(invert(pose), points) @ intrinsics.K.T
    pixels: FloatArray = seen[..., :2] / seen[..., 2:]
    return pixels


def on_plane(pixels: FloatArray, intrinsics: Intrinsics, pose: FloatArray, z: float) -> FloatArray:
    """Points (n, 3) in base_link [m] at height `z` that a camera at `pose` (4, 4) sees at `pixels` (n, 2)."""
    rays = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(intrinsics.K).T @ pose[:3, :3].T
    points: FloatArray = pose[:3, 3] + rays * ((z - pose[2, 3]) / rays[:, 2])[:, None]
    return points


def image_yaw(position: ArrayLike, yaw: float, projected: Callable[[FloatArray], FloatArray]) -> float:
    """Direction in a picture [rad], from its columns to its rows, of a level line at `position` with `yaw` [m, rad];
    `projected` gives the pixels (n, 2) of points (n, 3)."""
    ends = np.asarray(position) + 0.005 * np.array([[0.0, 0.0, 0.0], [math.cos(yaw), math.sin(yaw), 0.0]])
    (u0, v0), (u1, v1) = projected(ends)
    return math.atan2(v1 - v0, u1 - u0)


def yaw_of(pixel: FloatArray, yaw: float, intrinsics: Intrinsics, pose: FloatArray, z: float) -> float:
    """The inverse of image_yaw at `pixel` (2,), for a line at height `z` [m]: its yaw in base_link [rad]."""
    ends = on_plane(pixel + np.array([[0.0, 0.0], [math.cos(yaw), math.sin(yaw)]]), intrinsics, pose, z)
    return math.atan2(ends[1, 1] - ends[0, 1], ends[1, 0] - ends[0, 0])
