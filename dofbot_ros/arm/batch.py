"""Inverse kinematics of many goals at once in numpy: the formulas of planar.py, branch by branch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dofbot_ros.arm.planar import LIMIT_TOLERANCE, NO_AREA, ON_AXIS, STRAIGHT, STRETCH_TOLERANCE, nearest_angle
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
    q5 = _fit(roll, lower[4], upper[4])
    ahead, left = -arm.finger_across * np.sin(q5), arm.finger_across * np.cos(q5)
    rho, azimuth = np.hypot(x, y), np.arctan2(y, x)
    swing = np.zeros_like(rho)
    if arm.finger_across:
        ahead_squared = rho * rho - left * left
        inside = rho < np.abs(left) - ON_AXIS
        rho = np.where(inside, np.nan, np.sqrt(np.where(ahead_squared > NO_AREA, ahead_squared, 0.0)))
        swing = np.arctan2(left, rho)
    on_axis = (rho < ON_AXIS) & (left == 0.0)
    yaw_front = np.where(on_axis, nearest_angle(0.0, lower[0], upper[0]), _fit(azimuth - swing, lower[0], upper[0]))
    yaw_back = np.where(on_axis, np.nan, _fit(azimuth + math.pi + swing, lower[0], upper[0]))
    rho = np.where(on_axis, 0.0, rho)
    height = z - arm.base_height + ahead * np.sin(pitch)
    branches = []
    for yaw, r, bends in ((yaw_front, rho, (1.0, -1.0)), (yaw_back, -rho, (-1.0, 1.0))):
        for bend in bends:
            q = np.stack([yaw, *_planar(arm, r - ahead * np.cos(pitch), height, pitch, bend), q5], axis=-1)
            branches.append(np.where(np.isnan(q).any(axis=-1, keepdims=True), np.nan, q))
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
    s = np.sqrt(np.where(s2 < 0.0, np.nan, s2))
    direction = np.arctan2(w, v)
    q3 = bend * np.arctan2(s, c)
    q2 = direction - bend * np.arctan2(b * s, a * k + b * c)
    straight = (s2 < k * k * STRAIGHT**2) & (c > 0.0)
    if straight.any():
        # One solution, not two: it stands in the place of the forward bend, as in PlanarArm.solve.
        stretched = straight & (s2 >= -4.0 * k * (a + b) * STRETCH_TOLERANCE) & (bend > 0.0)
        straight_q2, straight_q3 = _straight(arm, direction, pitch)
        q2 = np.where(straight, straight_q2, q2)
        q3 = np.where(straight, np.where(stretched, straight_q3, np.nan), q3)
    return (
        _fit(q2, arm.lower[1], arm.upper[1]),
        _clip(q3, arm.lower[2], arm.upper[2]),
        _fit(pitch - q2 - q3, arm.lower[3], arm.upper[3]),
    )


def _straight(arm: Kinematics, direction: FloatArray, pitch: FloatArray) -> tuple[FloatArray, FloatArray]:
    """PlanarArm._straight for arrays (n,): joints 2 and 3; joint 3 is nan where no small bend keeps the limits."""
    lower, upper = arm.lower[1:4], arm.upper[1:4]
    share = arm.forearm / (arm.upper_arm + arm.forearm)
    middle = 0.5 * (lower + upper)
    q2 = middle[0] + _turn(direction - middle[0])
    q4 = middle[2] + _turn(pitch - q2 - middle[2])
    least = np.maximum((q2 - upper[0]) / share, (q4 - upper[2]) / (1.0 - share)).clip(max(lower[1], -STRAIGHT))
    most = np.minimum((q2 - lower[0]) / share, (q4 - lower[2]) / (1.0 - share)).clip(None, min(upper[1], STRAIGHT))
    bend = np.where(least > most + LIMIT_TOLERANCE, np.nan, np.minimum(np.maximum(0.0, least), most))
    return q2 - share * bend, bend


def _turn(angle: FloatArray) -> FloatArray:
    turned: FloatArray = angle - 2.0 * math.pi * np.rint(angle / (2.0 * math.pi))
    return turned


def _fit(angle: FloatArray, lower: float, upper: float) -> FloatArray:
    """fit_angle for arrays; nan where no turn brings the angle into the limits."""
    turns = np.ceil((lower - LIMIT_TOLERANCE - angle) / (2.0 * math.pi))
    inside = (angle >= lower - LIMIT_TOLERANCE) & (angle <= upper + LIMIT_TOLERANCE)
    return _clip(np.where(inside, angle, angle + 2.0 * math.pi * turns), lower, upper)


def _clip(angle: FloatArray, lower: float, upper: float) -> FloatArray:
    inside = (angle >= lower - LIMIT_TOLERANCE) & (angle <= upper + LIMIT_TOLERANCE)
    clipped: FloatArray = np.where(inside, np.clip(angle, lower, upper), np.nan)
    return clipped
