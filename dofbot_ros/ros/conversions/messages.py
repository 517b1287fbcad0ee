"""Between numpy and ROS messages: nothing here decides anything."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Pose, Transform
from sensor_msgs.msg import JointState
from std_msgs.msg import Header

from dofbot_ros.core.transforms import matrix_from_quat, quat_from_matrix, transform
from dofbot_ros.core.types import JOINT_NAMES, FloatArray
from dofbot_ros.errors import InputError

_NO_DETECTION = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError, RecursionError)
"""What taking any text for a detection raises."""


def to_time(seconds: float) -> Time:
    """A stamp from seconds [s]."""
    nanoseconds = round(seconds * 1e9)
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def to_duration(seconds: float) -> Duration:
    """A duration from seconds [s]."""
    nanoseconds = round(seconds * 1e9)
    return Duration(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def from_time(stamp: Time) -> float:
    """Seconds [s] of a stamp."""
    return float(stamp.sec) + 1e-9 * float(stamp.nanosec)


def joint_state(stamp: Time, position: FloatArray, velocity: FloatArray) -> JointState:
    """Positions [rad] (6,) and velocities [rad/s] (6,) of all joints at `stamp`."""
    return JointState(
        header=Header(stamp=stamp), name=list(JOINT_NAMES), position=position.tolist(), velocity=velocity.tolist()
    )


def joint_positions(message: JointState) -> list[tuple[int, float]]:
    """Index in JOINT_NAMES and position [rad] of each joint that a message tells; none that is not finite."""
    pairs = zip(message.name, message.position, strict=False)
    return [(JOINT_NAMES.index(name), q) for name, q in pairs if name in JOINT_NAMES and math.isfinite(q)]


def detections(text: str) -> dict[str, Any]:
    """What a message on blocks/detections says: `stamp_s` [s], `blocks`, each with name, position and quaternion, and
    `refused`, each with what and reason.

    Raises:
        InputError: it is no detection, or holds a number that is not finite.
    """
    try:
        found: dict[str, Any] = json.loads(text)
        found["stamp_s"] = float(found["stamp_s"])
        to_time(found["stamp_s"])
        for block in found["blocks"]:
            matrix = transform(matrix_from_quat(block["quaternion"]), block["position"])
            if not isinstance(block["name"], str) or not np.isfinite(matrix).all():
                raise ValueError("a block without a name or a finite pose")
        found["refused"] = [{key: str(one[key]) for key in ("what", "reason")} for one in found.get("refused", [])]
    except _NO_DETECTION as error:
        raise InputError(f"blocks/detections is no detection: {' '.join(str(error).split())[:200]}") from error
    return found


def pose_message(matrix: FloatArray) -> Pose:
    """A rigid transform (4, 4) [m] as a pose."""
    pose = Pose()
    pose.position.x, pose.position.y, pose.position.z = (float(v) for v in matrix[:3, 3])
    q = pose.orientation
    q.x, q.y, q.z, q.w = (float(v) for v in quat_from_matrix(matrix[:3, :3]))
    return pose


def transform_message(matrix: FloatArray) -> Transform:
    """A rigid transform (4, 4) [m] as a transform."""
    pose, result = pose_message(matrix), Transform()
    result.translation.x, result.translation.y, result.translation.z = pose.position.x, pose.position.y, pose.position.z
    result.rotation = pose.orientation
    return result


def pose_matrix(pose: Pose) -> FloatArray:
    """A pose as a rigid transform (4, 4) [m].

    Raises:
        InputError: a number that is not finite, or a quaternion without length.
    """
    p, q = pose.position, pose.orientation
    numbers = finite("pose", [p.x, p.y, p.z, q.x, q.y, q.z, q.w])
    try:
        return transform(matrix_from_quat(numbers[3:]), numbers[:3])
    except ValueError as error:
        raise InputError(str(error)) from error


def finite(what: str, numbers: Sequence[float]) -> FloatArray:
    """The numbers as an array.

    Raises:
        InputError: one of them is not finite.
    """
    if not all(math.isfinite(n) for n in numbers):
        raise InputError(f"{what} holds a number that is not finite: {list(numbers)}")
    return np.asarray(numbers, dtype=np.float64)
