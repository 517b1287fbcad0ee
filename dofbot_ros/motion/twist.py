"""From a velocity of the tool to joint velocities, well-behaved near singular poses."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError

DAMPING = 1e-4
"""Largest damping, the square of a lever of 10 mm; it bounds joint velocities where the arm cannot move as asked."""
NEAR_SINGULAR = 0.008
"""Smallest singular value below which damping begins [m]; over the table it is about 0.018 at any working pose."""
LEVER = 0.1
"""Weighs a radian of tool rotation as this many metres of tool motion."""


def joint_velocity(
    kinematics: Kinematics, q: FloatArray, linear: ArrayLike, angular: ArrayLike, limit: FloatArray
) -> FloatArray:
    """Joint velocities (5,) [rad/s] that move the tool as asked, as nearly as five joints can.

    Damped least squares with a damping that grows towards singular poses (Nakamura and Hanafusa, J. Dyn. Sys. 108,
    1986), scaled down as a whole where a joint would exceed `limit`, so that the direction is kept.

    Args:
        kinematics: of the arm.
        q: joint angles, shape (5,) [rad].
        linear: wanted velocity of tool_link in base_link, shape (3,) [m/s].
        angular: wanted angular velocity in base_link, shape (3,) [rad/s]; its part about the horizontal axis across
            the arm is followed as pitch, its part along the tool as roll.
        limit: of each joint, shape (5,) [rad/s].

    Raises:
        CommandRefusedError: a component is not finite.
    """
    v, w = np.asarray(linear, dtype=np.float64), np.asarray(angular, dtype=np.float64)
    if not (np.isfinite(v).all() and np.isfinite(w).all()):
        raise CommandRefusedError("the twist holds a number that is not finite")
    across = np.array([-np.sin(q[0]), np.cos(q[0]), 0.0])
    along = kinematics.tool_transform(q)[:3, 2]
    task = np.vstack([kinematics.jacobian(q)[:3], [0, LEVER, LEVER, LEVER, 0], [0, 0, 0, 0, LEVER]])
    asked = np.concatenate([v, [LEVER * (across @ w), LEVER * (along @ w)]])
    smallest = np.linalg.svd(task, compute_uv=False)[-1]
    damping = DAMPING * max(0.0, 1.0 - (smallest / NEAR_SINGULAR) ** 2)
    solution = task.T @ np.linalg.solve(task @ task.T + damping * np.eye(5), asked)
    excess = float(np.abs(solution / limit).max())
    velocity: FloatArray = solution / max(1.0, excess)
    return velocity
