"""Show a running arm in RViz: `ros2 launch dofbot_ros display.launch.py [namespace:=left]`."""

from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from dofbot_ros.core.resources import share_file
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """RViz alone: arm, blocks and pictures come from the stack that runs."""
    return LaunchDescription(
        [
            DeclareLaunchArgument("namespace", default_value="", description="of the arm to look at"),
            Node(
                package="rviz2",
                executable="rviz2",
                namespace=LaunchConfiguration("namespace"),
                arguments=["-d", str(share_file("config", "view", "dofbot.rviz"))],
                output="screen",
            ),
        ]
    )
