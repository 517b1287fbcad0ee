"""Episodes made of real ROS messages, without ROS running."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="the messages of the episodes are ROS messages")

from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, JointState
from std_msgs.msg import Float64, String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.core.types import ARM_JOINTS, JOINT_NAMES
from dofbot_ros.record.episode import EpisodeWriter
from dofbot_ros.record.metadata import EpisodeInfo, Outcome
from dofbot_ros.ros.conversions.messages import to_duration, to_time

T0 = 1_700_000_000.0
"""When the episodes of the tests begin, Unix time [s]."""
NEVER_S = 3600.0
"""A flush period that no test sees the end of: what is on the disk is what flush() put there."""


@dataclass
class At:
    """A message and when it arrives, in seconds after T0."""

    time_s: float
    topic: str
    message: Any


def type_name(message: Any) -> str:
    package, kind, _ = type(message).__module__.split(".", 2)
    return f"{package}/{kind}/{type(message).__name__}"


def put(writer: EpisodeWriter, moment: At) -> None:
    ns = round((T0 + moment.time_s) * 1e9)
    writer.write(moment.topic, type_name(moment.message), serialize_message(moment.message), ns, ns)


def episode(folder: Path, moments: Iterable[At], info: EpisodeInfo | None = None) -> Path:
    """A finished episode."""
    writer = EpisodeWriter(folder, info or EpisodeInfo(T0), NEVER_S)
    last = 0.0
    for moment in sorted(moments, key=lambda m: m.time_s):
        put(writer, moment)
        last = moment.time_s
    writer.finish(Outcome(None, last))
    return writer.path


def text(time_s: float, words: str, topic: str = "/state") -> At:
    return At(time_s, topic, String(data=words))


def state(time_s: float, position: Sequence[float], names: Sequence[str] = JOINT_NAMES, clock_s: float = T0) -> At:
    message = JointState(name=list(names), position=[float(p) for p in position])
    message.header.stamp = to_time(clock_s + time_s)
    return At(time_s, "/joint_states", message)


def stream(time_s: float, position: Sequence[float], names: Sequence[str] = ARM_JOINTS, clock_s: float = T0) -> At:
    message = JointTrajectory(joint_names=list(names))
    message.header.stamp = to_time(clock_s + time_s)
    message.points = [JointTrajectoryPoint(positions=[float(p) for p in position])]
    return At(time_s, "/command/joint_stream", message)


def trajectory(
    time_s: float, times: Sequence[float], positions: Sequence[Sequence[float]], names: Sequence[str] = ARM_JOINTS
) -> At:
    """As most clients send it: with a zero stamp, which means now."""
    points = [
        JointTrajectoryPoint(positions=[float(p) for p in q], time_from_start=to_duration(t))
        for t, q in zip(times, positions, strict=True)
    ]
    return At(time_s, "/command/joint_trajectory", JointTrajectory(joint_names=list(names), points=points))


def gripper(time_s: float, gap: float) -> At:
    return At(time_s, "/command/gripper", Float64(data=gap))


def image(time_s: float, jpeg: bytes) -> At:
    message = CompressedImage(format="rgb8; jpeg compressed bgr8", data=jpeg)
    message.header.stamp = to_time(T0 + time_s)
    return At(time_s, "/camera/image_raw/compressed", message)
