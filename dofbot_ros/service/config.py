"""Parameters of the daemon: the one description behind ROS parameters, YAML and `dofbot up` arguments."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from dofbot_ros.errors import ConfigError

Protocol = Literal["bus", "se"]
OnExit = Literal["hold", "park", "release"]


def _parameter(default: Any, description: str) -> Any:
    return dataclasses.field(default=default, metadata={"description": description})


@dataclass(frozen=True)
class DriverConfig:
    """What a driver or simulation node can be told; each field's metadata holds its description."""

    port: str = _parameter("/dev/ttyUSB0", "Serial port of the arm.")
    baudrate: int = _parameter(115200, "Bits per second on the port.")
    protocol: Protocol = _parameter("bus", "bus: FF FF frames straight to the servos; se: DOFBOT-SE USB board.")
    write_rate_hz: float = _parameter(25.0, "Goals a second at most; more, with their short times, make servos shake.")
    dead_band_ticks: int = _parameter(2, "A goal that differs by fewer servo ticks than this is not sent.")
    sync_write: bool = _parameter(False, "One frame for all six goals (bus only); try it on your servos first.")
    control_rate_hz: float = _parameter(50.0, "Control cycles a second: read, decide, write.")
    state_rate_hz: float = _parameter(50.0, "joint_states messages a second.")
    command_timeout_s: float = _parameter(0.2, "A streamed command older than this halts the arm.")
    max_velocity: float = _parameter(1.6, "Joint velocity limit [rad/s].")
    max_acceleration: float = _parameter(8.0, "Joint acceleration limit [rad/s^2]; also how hard the arm brakes.")
    max_jerk: float = _parameter(80.0, "Joint jerk limit of moves planned here (home, park, tool goals) [rad/s^3].")
    soft_start_s: float = _parameter(1.5, "After torque is switched on the velocity limit grows over this time.")
    stale_read_s: float = _parameter(0.5, "A servo not read for this long is a fault.")
    tracking_error: float = _parameter(0.5, "A joint this far from its command for tracking_error_s is a fault [rad].")
    tracking_error_s: float = _parameter(1.0, "See tracking_error.")
    grip_lead: float = _parameter(0.12, "How far the goal may lead fingers that a block has stopped [rad].")
    reconnect_s: float = _parameter(1.0, "Pause between attempts to open a port that is not there.")
    on_exit: OnExit = _parameter("hold", "At the end: hold the pose, park and let go, or release the torque at once.")
    calibration_file: str = _parameter("", "Calibration YAML; empty for the vendor's nominal values.")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if type(value) in (int, float) and field.name != "soft_start_s" and not value > 0:
                raise ConfigError(f"{field.name} must be positive, got {value}")
        if self.soft_start_s < 0:
            raise ConfigError(f"soft_start_s must not be negative, got {self.soft_start_s}")
        for name, highest in (("control_rate_hz", 200.0), ("max_velocity", 3.4), ("max_acceleration", 60.0)):
            if getattr(self, name) > highest:
                raise ConfigError(f"{name} {getattr(self, name)} is more than these servos can do; at most {highest}")
        if self.protocol not in ("bus", "se"):
            raise ConfigError(f"protocol {self.protocol!r} is not one of bus, se")
        if self.on_exit not in ("hold", "park", "release"):
            raise ConfigError(f"on_exit {self.on_exit!r} is not one of hold, park, release")


HOME = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Upright with the gripper open [rad]: out of an overhead camera's view of the table."""
PARK = (0.0, -1.1519, 1.5708, 1.5359, 0.0, 1.5533)
"""Folded, so that the arm hardly sinks when the torque goes: servo degrees 90, 156, 0, 2, 90 [rad]."""
