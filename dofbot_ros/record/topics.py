"""What an episode holds unless told otherwise: the arm's interface, its camera, and what the operator did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Delivery = Literal["stream", "latched", "image", "offered"]
"""How a topic is subscribed to: every message, the last one too, the newest will do, or as its publishers offer it."""

JOINT_STATES = "joint_states"
JOINT_STREAM = "command/joint_stream"
JOINT_TRAJECTORY = "command/joint_trajectory"
GRIPPER = "command/gripper"
DETECTIONS = "blocks/detections"
IMAGES = "camera/image_raw/compressed"


@dataclass(frozen=True)
class Topic:
    """One topic to record.

    Attributes:
        name: relative to the arm's namespace.
        type_name: as in "sensor_msgs/msg/JointState"; "" to ask its publishers.
        delivery: how to subscribe.
        max_hz: messages beyond this rate are left out [1/s]; 0 keeps all.
    """

    name: str
    type_name: str = ""
    delivery: Delivery = "offered"
    max_hz: float = 0.0


def default_topics(image_hz: float) -> list[Topic]:
    """The arm, its commands, its camera at `image_hz` [1/s], and teleoperation; what nobody publishes costs nothing."""
    return [
        Topic(JOINT_STATES, "sensor_msgs/msg/JointState", "stream"),
        Topic("state", "std_msgs/msg/String", "latched"),
        Topic("robot_description", "std_msgs/msg/String", "latched"),
        Topic("diagnostics", "diagnostic_msgs/msg/DiagnosticArray", "stream"),
        Topic(JOINT_STREAM, "trajectory_msgs/msg/JointTrajectory", "stream"),
        Topic(JOINT_TRAJECTORY, "trajectory_msgs/msg/JointTrajectory", "stream"),
        Topic(GRIPPER, "std_msgs/msg/Float64", "stream"),
        Topic("command/pose", "geometry_msgs/msg/PoseStamped", "stream"),
        Topic("command/twist", "geometry_msgs/msg/TwistStamped", "stream"),
        Topic("teleop/landmarks", "std_msgs/msg/String", "stream"),
        Topic("teleop/engaged", "std_msgs/msg/Bool", "stream"),
        Topic("blocks/poses", "geometry_msgs/msg/PoseArray", "stream"),
        Topic(DETECTIONS, "std_msgs/msg/String", "stream"),
        Topic(IMAGES, "sensor_msgs/msg/CompressedImage", "image", image_hz),
        Topic("camera/camera_info", "sensor_msgs/msg/CameraInfo", "stream", 1.0),
    ]


def chosen_topics(names: list[str], image_hz: float) -> list[Topic]:
    """The topics called `names`, relative to the namespace or absolute; the default ones when none is named."""
    known = {topic.name: topic for topic in default_topics(image_hz)}
    return [known.get(name, Topic(name)) for name in dict.fromkeys(names)] or list(known.values())
