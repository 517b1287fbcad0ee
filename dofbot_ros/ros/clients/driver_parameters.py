"""Parameters of the node that owns an arm, whatever its name is."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python

from dofbot_ros.errors import DofbotError
from dofbot_ros.ros.clients.arm_sender import ArmSender
from dofbot_ros.ros.runtime.graph import NAMELESS

NAMED_S = 5.0
"""In which a node's name arrives after its endpoints [s]."""


def driver_parameters(arm: ArmSender, *names: str) -> list[Any]:
    """Parameters of the node that publishes joint_states, in the order of `names`.

    Raises:
        DofbotError: it does not answer, or has no such parameter.
    """
    topic = arm.node.resolve_topic_name("joint_states")

    def owners() -> list[Any]:
        return [info for info in arm.node.get_publishers_info_by_topic(topic) if info.node_name != NAMELESS]

    with suppress(DofbotError):
        arm.wait_until(lambda: bool(owners()), NAMED_S, "node of the arm")
    for info in owners():
        service = f"{info.node_namespace.rstrip('/')}/{info.node_name}/get_parameters"
        answer: Any = arm.call(GetParameters, service, GetParameters.Request(names=list(names)))
        values = [parameter_value_to_python(value) for value in answer.values]
        if len(values) != len(names) or None in values:
            raise DofbotError(f"/{info.node_name} has no parameters {', '.join(names)}: is it one of ours?")
        return values
    raise DofbotError("nobody publishes joint_states: is the arm's node running?")
