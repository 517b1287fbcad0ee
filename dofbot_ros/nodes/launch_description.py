"""A stack as an ordinary launch description: declared arguments, conditions, node actions."""

from __future__ import annotations

from collections.abc import Mapping

from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable, Shutdown
from launch.conditions import IfCondition
from launch.launch_description import LaunchDescription
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from dofbot_ros.core.dds import NETWORK_VARIABLE
from dofbot_ros.launching import PACKAGE, NodeSpec, Ref, Stack, enclave
from dofbot_ros.supervisor import INTERRUPT_GRACE_S


def launch_description(stack: Stack) -> LaunchDescription:
    """What `ros2 launch` runs for `stack`."""
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
            *(_node(spec) for spec in stack.nodes),
        ]
    )


def _node(spec: NodeSpec) -> Node:
    parameters = {
        name: ParameterValue(LaunchConfiguration(value.argument), value_type=value.kind)
        if isinstance(value, Ref)
        else value
        for name, value in spec.parameters.items()
    }
    return Node(
        package=PACKAGE,
        executable=spec.executable,
        namespace=LaunchConfiguration("namespace"),
        parameters=[parameters],
        ros_arguments=enclave(spec.executable),
        condition=_condition(spec),
        output="screen",
        on_exit=Shutdown(reason=f"{spec.executable} ended") if spec.required else None,
        sigterm_timeout=str(INTERRUPT_GRACE_S),
    )


def _condition(spec: NodeSpec) -> IfCondition | None:
    tests = [_test(spec.when, "in"), _test(spec.unless, "not in")]
    words = [word for test in tests for word in test]
    return IfCondition(PythonExpression(words[:-1])) if words else None


def _test(values: Mapping[str, tuple[str, ...]], operator: str) -> list[object]:
    words: list[object] = []
    for name, accepted in values.items():
        words += ["'", LaunchConfiguration(name), f"' {operator} {accepted!r}", " and "]
    return words
