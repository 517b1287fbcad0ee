"""Control stack for the Yahboom DofBot: driver, simulation, vision, teleoperation and grasp trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dofbot_ros.arm.robot import Robot
    from dofbot_ros.ros.clients.arm_client import ArmClient
    from dofbot_ros.ros.clients.connect import connect

__version__ = "0.1.0"
__all__ = ["ArmClient", "Robot", "__version__", "connect"]

_PUBLIC = {
    "ArmClient": "dofbot_ros.ros.clients.arm_client",
    "Robot": "dofbot_ros.arm.robot",
    "connect": "dofbot_ros.ros.clients.connect",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first used: most programs need no ROS."""
    from importlib import import_module

    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
