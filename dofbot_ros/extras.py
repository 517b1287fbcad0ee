"""Optional packages: which extra brings a module, and what to say of one that is not installed."""

from __future__ import annotations

from dofbot_ros.errors import DependencyError

MODULES = {
    **dict.fromkeys(("rclpy", "std_msgs", "sensor_msgs"), "ros"),
    **dict.fromkeys(("pybullet", "matplotlib", "scipy", "jinja2", "psutil"), "sim"),
    **dict.fromkeys(("mediapipe", "mcap", "mcap_ros2", "av"), "teleop"),
    "aiohttp": "console",
    **dict.fromkeys(
        ("torch", "onnx", "onnxruntime", "safetensors", "gymnasium", "stable_baselines3", "sb3_contrib", "tensorboard"),
        "learn",
    ),
    "pyarrow": "lerobot",
    "mujoco": "hopper",
    **dict.fromkeys(("captum", "torchinfo", "sklearn", "PIL"), "lab"),
    **dict.fromkeys(("pinocchio", "panda_gym"), "test"),
}
"""Module of an optional package -> the extra of this package that brings it."""


def missing_package(error: ModuleNotFoundError, what: str) -> DependencyError | None:
    """What to say of a module that is not there; None where it is none of an optional package's.

    Args:
        error: of the import.
        what: the job that needs it, for the message.
    """
    module = str(error.name).partition(".")[0]
    return DependencyError(module, MODULES[module], what) if module in MODULES else None
