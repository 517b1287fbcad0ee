"""Inverse kinematics of many goals at once in numpy: the formulas of planar.py, branch by branch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dofbot_ros.arm.planar import LIMIT_TOLERANCE, ON_AXIS, STRAIGHT, STRETCH_TOLERANCE, nearest_angle
from dofbot_ros.core.types import FloatArray

if TYPE_CHECKING:
    from dofbot_ros.arm.kinematics import Kinematics


def inverse_batch(arm: Kinematics, goals: FloatArray) -> FloatArray:
    """Joint angles (n, 4, 5) [rad] of `goals` (n, 5) x, y, z [m], pitch, roll [rad]; nan where a branch does not exist.

    Branches in the order of Kinematics.inverse; a double solution (elbow straight, tool point on joint1's axis) stands
    in the first of its places only.
    """
    x, y, z, pitch, roll = goals.T
    lower, upper = arm.lower, arm.upper
    rho, azimuth = np.hypot(x, y), np.arctan2(y, x)
    on_axis = rho < ON_AXIS
    yaw_front = np.where(on_axis, nearest_angle(0.0, lower[0], upper[0]), _fit(azimuth, lower[0], upper[0]))
    yaw_back = np.where(on_axis, np.nan, _fit(azimuth + math.pi, lower[0], upper[0]))
    rho = np.where(on_axis, 0.0, rho)
    q5 = _fit(roll, lower[4], upper[4])
    branches = []
    for yaw, r, bends in ((yaw_front, rho, (1.0, -1.0)), (yaw_back, -rho, (-1.0, 1.0))):
        for bend in bends:
            q = np.stack([yaw, *_planar(arm, r, z - arm.base_height, pitch, bend), q5], axis=-1)
            branches.append(np.where(np.isnan(q).any(axis=-1, keepdims=True), np.nan, q))
    # A straight elbow is one solution: it stays with the bend that comes first.
    for first, second in ((0, 1), (2, 3)):
        twice = branches[second][:, 2] == 0.0
        branches[first][twice] = branches[second][twice]
        branches[second][twice] = np.nan
    return np.stack(branches, axis=1)


def _planar(
    arm: Kinematics, r: FloatArray, h: FloatArray, pitch: FloatArray, bend: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """PlanarArm.solve for arrays (n,) and one bend of the elbow (+1 forward, -1 backward)."""
    a, b, t = arm.upper_arm, arm.forearm, arm.tool
    w, v = r - t * np.sin(pitch), h - t * np.cos(pitch)
    k = 2.0 * a * b
    c = w * w + v * v - a * a - b * b
    s2 = k * k - c * c
    straight = s2 < k * k * STRAIGHT**2
    beyond = s2 < -4.0 * k * (a + b) * STRETCH_TOLERANCE
    s = np.sqrt(np.where(straight, 0.0, s2))
    c = np.where(straight, np.copysign(k, c), c)
    q3 = bend * np.arctan2(s, c)
    q2 = np.arctan2(w, v) - bend * np.arctan2(b * s, a * k + b * c)
    q4 = _fit(pitch - q2 - q3, arm.lower[3], arm.upper[3])
    bent = np.where(beyond, np.nan, _clip(q3, arm.lower[2], arm.upper[2]))
    return _fit(q2, arm.lower[1], arm.upper[1]), bent, q4


def _fit(angle: FloatArray, lower: float, upper: float) -> FloatArray:
    """fit_angle for arrays; nan where no turn brings the angle into the limits."""
    turns = np.ceil((lower - LIMIT_TOLERANCE - angle) / (2.0 * math.pi))
    inside = (angle >= lower - LIMIT_TOLERANCE) & (angle <= upper + LIMIT_TOLERANCE)
    return _clip(np.where(inside, angle, angle + 2.0 * math.pi * turns), lower, upper)


def _clip(angle: FloatArray, lower: float, upper: float) -> FloatArray:
    inside = (angle >= lower - LIMIT_TOLERANCE) & (angle <= upper + LIMIT_TOLERANCE)
    clipped: FloatArray = np.where(inside, np.clip(angle, lower, upper), np.nan)
    return clipped
