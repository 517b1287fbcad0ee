"""/tf and /tf_static from joint positions, where tf2_msgs is installed; robot_state_publisher does the same in C++."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from std_msgs.msg import Header

from dofbot_ros.arm.model import ArmModel, Joint, child_poses
from dofbot_ros.config.ranges import parameter
from dofbot_ros.core.types import FloatArray
from dofbot_ros.ros.conversions.messages import transform_message
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.ros.runtime.qos import LATCHED, STREAM


@dataclass(frozen=True)
class FrameParameters:
    """How frames are called, as robot_state_publisher's parameter has it."""

    frame_prefix: str = parameter(
        "", "In front of every frame's name, for instance left/: two arms on one /tf need two."
    )


@dataclass(frozen=True)
class TfParameters:
    """Who publishes the arm's frames."""

    publish_tf: bool = parameter(True, "Publish /tf and /tf_static; false where a robot_state_publisher does.")


def frame_publisher(node: Node, model: ArmModel) -> Callable[[Time, FloatArray], None]:
    """A function that publishes the moving frames of joint positions [rad] (6,); nothing where tf2_msgs is missing.

    It follows the parameters of FrameParameters and TfParameters, which it declares.
    """
    prefix = declare(node, FrameParameters).frame_prefix
    wanted = declare(node, TfParameters).publish_tf
    try:
        from tf2_msgs.msg import TFMessage
    except ImportError:
        wanted = False
    if not wanted:
        return lambda _stamp, _position: None
    static = node.create_publisher(TFMessage, "/tf_static", LATCHED)
    static.publish(TFMessage(transforms=[_fixed(joint, prefix) for joint in model.joints if joint.kind == "fixed"]))
    moving = node.create_publisher(TFMessage, "/tf", STREAM)
    return lambda stamp, position: moving.publish(TFMessage(transforms=moving_frames(model, stamp, position, prefix)))


def publish_static(node: Node, parent: str, child: str, matrix: FloatArray) -> None:
    """Publish the pose of `child` in `parent` (4, 4) [m] on /tf_static; nothing where tf2_msgs is missing."""
    try:
        from tf2_msgs.msg import TFMessage
    except ImportError:
        return
    fixed = TransformStamped(
        header=Header(stamp=node.get_clock().now().to_msg(), frame_id=parent),
        child_frame_id=child,
        transform=transform_message(matrix),
    )
    node.create_publisher(TFMessage, "/tf_static", LATCHED).publish(TFMessage(transforms=[fixed]))


def moving_frames(model: ArmModel, stamp: Time, position: FloatArray, prefix: str = "") -> list[TransformStamped]:
    """Child frame of every moving joint in its parent's, at joint positions [rad] (6,); mimic joints follow."""
    moving = ((joint, pose) for joint, pose in child_poses(model, position) if joint.kind != "fixed")
    return [_frame(joint, pose, stamp, prefix) for joint, pose in moving]


def _fixed(joint: Joint, prefix: str) -> TransformStamped:
    return _frame(joint, joint.origin, Time(), prefix)


def _frame(joint: Joint, matrix: FloatArray, stamp: Time, prefix: str) -> TransformStamped:
    header = Header(stamp=stamp, frame_id=prefix + joint.parent)
    return TransformStamped(header=header, child_frame_id=prefix + joint.child, transform=transform_message(matrix))
