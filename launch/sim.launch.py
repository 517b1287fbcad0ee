"""Launch the stack `sim`, as dofbot_ros/stacks.py describes it."""

from dofbot_ros.ros.runtime.launch_description import launch_description
from dofbot_ros.stacks import find
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch dofbot_ros sim.launch.py` runs."""
    return launch_description(find("sim"))
