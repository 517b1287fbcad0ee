"""The arm as its driver describes it on robot_description."""

from __future__ import annotations

from rclpy.node import Node
from std_msgs.msg import String

from dofbot_ros.arm.model import ArmModel, parse_model
from dofbot_ros.arm.robot import Robot
from dofbot_ros.errors import DofbotError
from dofbot_ros.ros.runtime.qos import LATCHED


class RobotListener:
    """Hears robot_description.

    Args:
        node: the node that owns the subscription.

    Attributes:
        robot: the arm of the last description that could be read; None before the first. The same object for as long
            as the description stays the same.
        model: the same arm as a URDF; None before the first.
        trouble: why the last description cannot be read, "" where it can.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.robot: Robot | None = None
        self.model: ArmModel | None = None
        self.trouble = ""
        node.create_subscription(String, "robot_description", self.on_description, LATCHED)

    def on_description(self, message: String) -> None:
        """Take in a description; one that cannot be read is logged, and changes nothing but `trouble`."""
        if self.model is not None and not self.trouble and message.data == self.model.urdf:
            return
        try:
            model = parse_model(message.data, "robot_description")
            robot = Robot.described(model)
        except DofbotError as error:
            self.trouble = f"robot_description: {str(error).removeprefix('robot_description: ')}"
            self._node.get_logger().error(self.trouble)
        else:
            self.model, self.robot, self.trouble = model, robot, ""
