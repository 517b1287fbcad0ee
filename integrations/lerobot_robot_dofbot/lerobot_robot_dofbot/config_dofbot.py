"""What `--robot.type=dofbot` can be told."""

from __future__ import annotations

from dataclasses import dataclass, field

from lerobot.cameras.configs import CameraConfig
from lerobot.robots.config import RobotConfig


@RobotConfig.register_subclass("dofbot")
@dataclass(kw_only=True)
class DofbotConfig(RobotConfig):
    """An arm, and cameras of LeRobot's.

    Attributes:
        backend: serial, sim, emulator, or running: an arm whose stack runs already.
        port: of the servo bus, for serial.
        max_velocity: of the joints [rad/s], for an arm that is started; the driver's own when None.
        namespace: of an arm that runs already.
        cameras: by name.
    """

    backend: str = "serial"
    port: str = "/dev/ttyUSB0"
    max_velocity: float | None = None
    namespace: str = ""
    cameras: dict[str, CameraConfig] = field(default_factory=dict)
