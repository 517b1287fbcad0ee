"""A stack as an ordinary launch description: declared arguments, and the nodes that they ask for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.launch_context import LaunchContext
from launch.launch_description import LaunchDescription
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from dofbot_ros.core.dds import NETWORK_VARIABLE
from dofbot_ros.errors import DofbotError
from dofbot_ros.launching import PACKAGE, Process, Stack, check_words, enclave, processes
from dofbot_ros.supervisor import INTERRUPT_GRACE_S


def launch_description(stack: Stack) -> LaunchDescription:
    """What `ros2 launch` runs for `stack`.

    Raises:
        InputError: an argument on the command line that the stack has not.
    """
    check_words(stack, sys.argv)
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(
                    a.name, default_value=a.default, description=a.description, choices=list(a.choices) or None
                )
                for a in stack.arguments
            ),
            SetEnvironmentVariable(
                NETWORK_VARIABLE,
                LaunchConfiguration("network"),
                condition=IfCondition(PythonExpression(["'", LaunchConfiguration("network"), "' != ''"])),
            ),
            OpaqueFunction(function=lambda context: _nodes(stack, context)),
        ]
    )


def _nodes(stack: Stack, context: LaunchContext) -> list[Node]:
    """The nodes, once the arguments have their values."""
    values = context.launch_configurations
    given = {a.name: values[a.name] for a in stack.arguments if values.get(a.name, a.default) != a.default}
    return [_node(process) for process in processes(stack, given)]


def _node(process: Process) -> Node:
    return Node(
        package=PACKAGE,
        executable=process.executable,
        namespace=process.namespace,
        # Text is marked as such: launch would read "0" as a number.
        parameters=[
            {
                name: ParameterValue(value, value_type=str) if isinstance(value, str) else value
                for name, value in process.parameters.items()
            }
        ],
        ros_arguments=enclave(process.executable),
        output="screen",
        on_exit=_fail(process.executable) if process.required else None,
        sigterm_timeout=str(INTERRUPT_GRACE_S),
    )


def _fail(executable: str) -> Callable[[Any, LaunchContext], None]:
    """End the launch with an exit code other than 0: that of the action Shutdown would be 0."""

    def on_exit(_: Any, context: LaunchContext) -> None:
        if not context.is_shutdown:
            raise DofbotError(f"{executable} ended: the launch ends with it")

    return on_exit
