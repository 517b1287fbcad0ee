"""The part of a tool pose that a five-joint arm can choose."""

from __future__ import annotations

import math

from dofbot_ros.core.transforms import rot_y, rot_z
from dofbot_ros.core.types import FloatArray, ToolPose

ROUNDS = 4
"""Of finding the yaw for fingers beside the tool's axis: each leaves a fiftieth of what the one before left."""


def tool_goal(pose_base_tool: FloatArray, finger_across: float = 0.0) -> ToolPose:
    """Position, pitch and roll nearest to a full pose of `tool_link` in `base_link`.

    The tool can only lean within the vertical plane through joint 1 and the goal: pitch is that of the tool axis (z)
    projected onto this plane, roll the rotation about the tool axis that then comes nearest. What the pose asks for
    beyond that is free.

    Args:
        pose_base_tool: shape (4, 4) [m].
        finger_across: how far the tool is beside its axis, see Kinematics [m].
    """
    rotation, (x, y, z) = pose_base_tool[:3, :3], pose_base_tool[:3, 3]
    # Joint 1 turns by 90 degrees to either side: what lies behind it is reached by leaning back.
    azimuth, facing = (math.atan2(y, x), 1.0) if x >= 0.0 else (math.atan2(-y, -x), -1.0)
    pitch, roll = _lean(rot_z(-azimuth) @ rotation)
    for _ in range(ROUNDS if finger_across else 0):
        aside = finger_across * math.cos(roll) / max(math.hypot(x, y), abs(finger_across))
        pitch, roll = _lean(rot_z(facing * math.asin(aside) - azimuth) @ rotation)
    return ToolPose(float(x), float(y), float(z), pitch, roll)


def _lean(rotation: FloatArray) -> tuple[float, float]:
    """Pitch and roll [rad] nearest to a rotation (3, 3) of the tool, seen from the arm's plane."""
    pitch = math.atan2(rotation[0, 2], rotation[2, 2])
    rest = rot_y(-pitch) @ rotation
    return pitch, math.atan2(rest[1, 0] - rest[0, 1], rest[0, 0] + rest[1, 1])
