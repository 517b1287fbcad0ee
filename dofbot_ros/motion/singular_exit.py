"""How a stretched or folded arm leaves that pose: no joint velocity moves its tool inward, but a joint angle does."""

from __future__ import annotations

import math

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.errors import UnreachableError

STEP_M = 1e-3
"""How far the tool is looked ahead: as far as it may stray from its direction meanwhile [m]."""
MAX_TURN = 0.5
"""A joint that would have to turn further for that belongs to another posture of the arm [rad]."""


def singular_exit(kinematics: Kinematics, q: FloatArray, velocity: FloatArray) -> FloatArray | None:
    """Joint velocities (5,) [rad/s] towards the pose a small step ahead, from a singular pose or one near it.

    Args:
        kinematics: of the arm.
        q: joint angles (5,) [rad].
        velocity: of the tool: linear in base_link [m/s], pitch and roll [rad/s], shape (5,).

    Returns:
        None where the step ahead is out of reach, or does not lead away from the singular pose.
    """
    seconds = STEP_M / max(float(np.linalg.norm(velocity[:3])), STEP_M * float(np.abs(velocity[3:]).max()) / MAX_TURN)
    pose = kinematics.forward(q)
    ahead = np.array([pose.x, pose.y, pose.z, pose.pitch, pose.roll]) + seconds * velocity
    try:
        goal = kinematics.solve(ToolPose(*ahead.tolist()), near=q)
    except UnreachableError:
        return None
    turn = goal - q
    if np.abs(turn).max() > MAX_TURN or _manipulability(kinematics, goal) <= _manipulability(kinematics, q):
        return None
    velocities: FloatArray = turn / seconds
    return velocities


def _manipulability(kinematics: Kinematics, q: FloatArray) -> float:
    """Volume of the tool velocities of unit joint velocities: zero at a singular pose (Yoshikawa, IJRR 4(2), 1985).

    Of this arm: the distance of the tool from the axis of joint 1, which turns it across the plane of the arm, times
    the area that upper arm and forearm span in that plane. Joints 4 and 5 turn the tool, and change no volume.
    """
    pose = kinematics.forward(q)
    return math.hypot(pose.x, pose.y) * kinematics.upper_arm * kinematics.forearm * abs(math.sin(q[2]))
