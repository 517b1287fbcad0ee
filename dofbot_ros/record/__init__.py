"""Episodes: record what the arm saw, was told and did; read it back, replay it, export it. Knows no ROS."""

from importlib.util import find_spec

from dofbot_ros.errors import DependencyError


def require_mcap() -> None:
    """Raises DependencyError where the MCAP libraries are not installed."""
    for module, package in (("mcap", "mcap"), ("mcap_ros2", "mcap-ros2-support")):
        if find_spec(module) is None:
            raise DependencyError(package, "teleop", "an episode")
