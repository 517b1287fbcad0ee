"""The part of a tool pose that a five-joint arm can choose."""

from __future__ import annotations

import math

from dofbot_ros.core.transforms import rot_y, rot_z
from dofbot_ros.core.types import FloatArray, ToolPose


def tool_goal(pose_base_tool: FloatArray) -> ToolPose:
    """Position, pitch and roll nearest to a full pose of `tool_link` in `base_link`.

    The tool can only lean within the vertical plane through joint 1 and the goal: pitch is that of the tool axis (z)
    projected onto this plane, roll the rotation about the tool axis that then comes nearest. What the pose asks for
    beyond that is free.

    Args:
        pose_base_tool: shape (4, 4) [m].
    """
    rotation, (x, y, z) = pose_base_tool[:3, :3], pose_base_tool[:3, 3]
    # Joint 1 turns by 90 degrees to either side: what lies behind it is reached by leaning back.
    azimuth = math.atan2(y, x) if x >= 0.0 else math.atan2(-y, -x)
    in_plane = rot_z(-azimuth) @ rotation
    pitch = math.atan2(in_plane[0, 2], in_plane[2, 2])
    rest = rot_y(-pitch) @ in_plane
    roll = math.atan2(rest[1, 0] - rest[0, 1], rest[0, 0] + rest[1, 1])
    return ToolPose(float(x), float(y), float(z), pitch, roll)
