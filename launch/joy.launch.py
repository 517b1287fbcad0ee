"""Steer a running arm by joy and teleop_twist_joy: `ros2 launch dofbot_ros joy.launch.py [namespace:=left]`."""

from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from dofbot_ros.core.resources import share_file
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Their two nodes, whose velocities go to the arm as command/twist."""
    shared = {"namespace": LaunchConfiguration("namespace"), "output": "screen"}
    settings = [str(share_file("config", "joy_twist.yaml"))]
    return LaunchDescription(
        [
            DeclareLaunchArgument("namespace", default_value="", description="of the arm to steer"),
            Node(package="joy", executable="joy_node", name="joy_node", parameters=settings, **shared),
            Node(
                package="teleop_twist_joy",
                executable="teleop_node",
                name="teleop_twist_joy_node",
                parameters=settings,
                remappings=[("cmd_vel", "command/twist")],
                **shared,
            ),
        ]
    )
