"""What the driver tells of its arm: the robot it describes, and what its parameters allow."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from std_msgs.msg import String

from dofbot_ros.arm.model import ArmModel, parse_model
from dofbot_ros.arm.robot import Robot
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.nodes.qos import LATCHED
from dofbot_ros.policy.fit import DRIVER_PARAMETERS, ArmAbilities


class RobotListener:
    """Hears robot_description, and asks the node that publishes joint_states for its parameters.

    Args:
        node: the node that owns the subscription and the clients.

    Attributes:
        robot: the arm of the last description that could be read; None before the first.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.robot: Robot | None = None
        self._model: ArmModel | None = None
        self._trouble = ""
        self._driver: dict[str, float] | None = None
        self._asked: Any = None
        node.create_subscription(String, "robot_description", self._on_description, LATCHED)

    @property
    def complete(self) -> bool:
        """Whether the arm has told all there is to know."""
        return (self._model is not None or bool(self._trouble)) and self._driver is not None

    def abilities(self) -> ArmAbilities:
        """What the arm can do.

        Raises:
            CommandRefusedError: it has not told yet, or its description cannot be read.
        """
        if self._trouble:
            raise CommandRefusedError(self._trouble)
        if self._model is None or self._driver is None:
            raise CommandRefusedError("the arm has not told its limits yet: is its driver running?")
        return ArmAbilities(self._model, self._driver)

    def ask(self) -> None:
        """Ask for the driver's parameters, until there is an answer; returns at once."""
        if self._driver is not None or (self._asked is not None and not self._asked.done()):
            return
        for info in self._node.get_publishers_info_by_topic(self._node.resolve_topic_name("joint_states")):
            name = f"{info.node_namespace.rstrip('/')}/{info.node_name}/get_parameters"
            client: Any = self._node.create_client(GetParameters, name)
            if not client.service_is_ready():
                self._node.destroy_client(client)
                continue
            self._asked = client.call_async(GetParameters.Request(names=list(DRIVER_PARAMETERS)))
            self._asked.add_done_callback(self._on_parameters)
            return

    def _on_description(self, message: String) -> None:
        try:
            self._model = parse_model(message.data, "robot_description")
            self.robot, self._trouble = Robot.described(self._model), ""
        except DofbotError as error:
            self._trouble = f"robot_description: {str(error).removeprefix('robot_description: ')}"
            self._node.get_logger().error(self._trouble)

    def _on_parameters(self, future: Any) -> None:
        answer = future.result()
        if answer is None:
            return
        known = {}
        for name, value in zip(DRIVER_PARAMETERS, answer.values, strict=True):
            if value.type == ParameterType.PARAMETER_DOUBLE:
                known[name] = value.double_value
            elif value.type == ParameterType.PARAMETER_INTEGER:
                known[name] = float(value.integer_value)
        self._driver = known
