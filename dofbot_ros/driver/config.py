"""Parameters of the daemon: the one description behind ROS parameters, YAML and `dofbot up` arguments."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from dofbot_ros.arm.robot import Robot
from dofbot_ros.errors import ConfigError
from dofbot_ros.motion.trajectory import MotionLimits

Protocol = Literal["bus", "se"]
OnExit = Literal["hold", "park", "release"]


def _parameter(default: Any, description: str, lowest: float | None = None, highest: float | None = None) -> Any:
    """A field with its description and, for a number, the range that it has to be in."""
    return dataclasses.field(default=default, metadata={"description": description, "range": (lowest, highest)})


@dataclass(frozen=True)
class DriverConfig:
    """What a driver or simulation node can be told; each field's metadata holds its description."""

    port: str = _parameter("/dev/ttyUSB0", "Serial port of the arm, or auto: the one on which an arm answers.")
    baudrate: int = _parameter(115200, "Bits per second on the port.")
    protocol: Protocol = _parameter("bus", "bus: FF FF frames straight to the servos; se: DOFBOT-SE USB board.")
    write_rate_hz: float = _parameter(
        25.0, "Goals a second at most; more, with their short times, make servos shake.", 10.0, 200.0
    )
    dead_band_ticks: int = _parameter(2, "A goal that differs by fewer servo ticks than this is not sent.", 1, 20)
    sync_write: bool = _parameter(False, "One frame for all six goals (bus only); try it on your servos first.")
    control_rate_hz: float = _parameter(50.0, "Control cycles a second: read, decide, write.", 20.0, 200.0)
    state_rate_hz: float = _parameter(50.0, "joint_states messages a second.", 0.1, 200.0)
    command_timeout_s: float = _parameter(0.2, "A streamed command older than this halts the arm.", 0.02, 1.0)
    engage_pause_s: float = _parameter(
        0.5, "A stream that was stopped has to pause for this long before it commands the arm again.", 0.1, 10.0
    )
    operators: str = _parameter(
        "", "Names of nodes that rank as operators, above teleoperation, policies and scripts; separated by spaces."
    )
    max_velocity: float = _parameter(1.6, "Joint velocity limit [rad/s].", 0.01, 3.4)
    max_acceleration: float = _parameter(
        8.0, "Joint acceleration limit [rad/s^2]; also how hard the arm brakes.", 0.5, 60.0
    )
    speed: float = _parameter(
        1.0, "Share of max_velocity and max_acceleration in use; trajectories take as much longer.", 0.05, 1.0
    )
    first_time: bool = _parameter(False, "A fifth of the speed at most: for an arm that nobody has watched yet.")
    waive_check: bool = _parameter(
        False, "A real arm may move at full speed although `dofbot arm check` has not seen it."
    )
    max_jerk: float = _parameter(
        80.0, "Joint jerk limit of moves planned here (home, park, tool goals) [rad/s^3].", 1.0, 10000.0
    )
    soft_start_s: float = _parameter(
        1.5, "The velocity limit grows over this time after torque came on, a stop, or another commander.", 0.0, 60.0
    )
    stale_read_s: float = _parameter(0.2, "A servo that has not answered for this long is a fault.", 0.05, 10.0)
    tracking_error: float = _parameter(
        0.1, "A joint this far from what it was commanded lately does not follow: it is not pushed on [rad].", 0.03, 1.0
    )
    tracking_error_s: float = _parameter(0.15, "A joint that does not follow for this long is a fault.", 0.02, 10.0)
    voltage_fault_s: float = _parameter(
        0.5, "A servo that reports a supply voltage out of its range for this long is a fault.", 0.02, 10.0
    )
    grip_lead: float = _parameter(0.12, "How far the goal may lead fingers that a block has stopped [rad].", 0.01, 0.3)
    goal_trim: float = _parameter(
        0.05, "How far goals may lead joints that gravity holds below them [rad]; 0: not at all.", 0.0, 0.1
    )
    realtime: bool = _parameter(
        True, "Ask the system for real-time priority of the control loop; without it a busy machine makes the arm late."
    )
    reconnect_s: float = _parameter(1.0, "Pause between attempts to open a port that is not there.", 0.1, 60.0)
    on_exit: OnExit = _parameter("hold", "At the end: hold the pose, park and let go, or release the torque at once.")
    calibration_file: str = _parameter("", "Calibration YAML; empty for the vendor's nominal values.")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, (low, high) = getattr(self, field.name), field.metadata["range"]
            if type(value) in (int, float) and low is not None and not low <= value <= high:
                raise ConfigError(f"{field.name} must be {low:g} to {high:g}, got {value}")
        if self.baudrate <= 0:
            raise ConfigError(f"baudrate must be positive, got {self.baudrate}")
        if self.protocol not in ("bus", "se"):
            raise ConfigError(f"protocol {self.protocol!r} is not one of bus, se")
        if self.on_exit not in ("hold", "park", "release"):
            raise ConfigError(f"on_exit {self.on_exit!r} is not one of hold, park, release")

    @property
    def velocity(self) -> float:
        """The joint velocity limit in use [rad/s]."""
        return self.speed * self.max_velocity

    def motion_limits(self, robot: Robot) -> MotionLimits:
        """What a driver with this configuration lets pass on `robot`."""
        return MotionLimits.of(robot, self.velocity, self.speed * self.max_acceleration)


HOME = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""Upright with the gripper open [rad]: out of an overhead camera's view of the table."""
PARK = (0.0, -1.1519, 1.5708, 1.5359, 0.0, 1.5533)
"""Folded, so that the arm hardly sinks when the torque goes: servo degrees 90, 156, 0, 2, 90 [rad]."""
