"""What an arm can do: its description, and the parameters of its driver."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from std_msgs.msg import String

from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.policy.interface.compatibility import DRIVER_PARAMETERS, RobotCapabilities
from dofbot_ros.ros.clients.robot_listener import RobotListener


class CapabilitiesListener(RobotListener):
    """A RobotListener that also asks the node that publishes joint_states for its parameters.

    Args:
        node: the node that owns the subscription and the clients.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._driver: dict[str, float] | None = None
        self._asked: Any = None

    @property
    def complete(self) -> bool:
        """Whether the arm has told all there is to know, if only that its description cannot be read."""
        return bool(self.trouble) or (self.model is not None and self._driver is not None)

    def capabilities(self) -> RobotCapabilities:
        """What the arm can do.

        Raises:
            CommandRefusedError: it has not told yet, or its description cannot be read.
        """
        if self.trouble:
            raise CommandRefusedError(self.trouble)
        if self.model is None or self._driver is None:
            raise CommandRefusedError("the arm has not told its limits yet: is its driver running?")
        return RobotCapabilities(self.model, self._driver)

    def on_description(self, message: String) -> None:
        """Another description comes with other parameters: max_velocity may be set while the driver runs."""
        before = self.model
        super().on_description(message)
        if self.model is not before:
            self._driver = self._asked = None

    def ask(self) -> None:
        """Ask for the driver's parameters, until there is an answer; returns at once."""
        if self._driver is not None or (self._asked is not None and not self._asked.done()):
            return
        for info in self._node.get_publishers_info_by_topic("joint_states"):
            name = f"{info.node_namespace.rstrip('/')}/{info.node_name}/get_parameters"
            client: Any = self._node.create_client(GetParameters, name)
            if not client.service_is_ready():
                self._node.destroy_client(client)
                continue
            self._asked = client.call_async(GetParameters.Request(names=list(DRIVER_PARAMETERS)))
            self._asked.add_done_callback(self._on_parameters)
            return

    def _on_parameters(self, future: Any) -> None:
        if future is not self._asked or (answer := future.result()) is None:
            return
        known = {}
        for name, value in zip(DRIVER_PARAMETERS, answer.values, strict=True):
            if value.type == ParameterType.PARAMETER_DOUBLE:
                known[name] = value.double_value
            elif value.type == ParameterType.PARAMETER_INTEGER:
                known[name] = float(value.integer_value)
        self._driver = known
