"""Parameters of the daemon: the one description behind ROS parameters, YAML and `dofbot up` arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from dofbot_ros.arm.robot import Robot
from dofbot_ros.config.ranges import POSITIVE, Checked, Range, parameter
from dofbot_ros.motion.trajectory import MotionLimits

Protocol = Literal["bus", "se"]
OnExit = Literal["hold", "park", "release"]

SPEED_IN_USE = "speed_in_use"
"""Parameter of a driver: the share of its velocity and acceleration limits that the arm really has."""


@dataclass(frozen=True)
class DriverConfig(Checked):
    """What a driver or simulation node can be told; each field's metadata holds its description, its type the range."""

    port: str = parameter("/dev/ttyUSB0", "Serial port of the arm, or auto: the one on which an arm answers.")
    baudrate: Annotated[int, POSITIVE] = parameter(115200, "Bits per second on the port.")
    protocol: Protocol = parameter("bus", "bus: FF FF frames straight to the servos; se: DOFBOT-SE USB board.")
    write_rate_hz: Annotated[float, Range(10.0, 200.0)] = parameter(
        25.0, "Goals a second at most; more, with their short times, make servos shake."
    )
    dead_band_ticks: Annotated[int, Range(1, 20)] = parameter(
        2, "A goal that differs by fewer servo ticks than this is not sent."
    )
    sync_write: bool = parameter(False, "One frame for all six goals (bus only); try it on your servos first.")
    control_rate_hz: Annotated[float, Range(20.0, 200.0)] = parameter(
        50.0, "Control cycles a second: read, decide, write."
    )
    state_rate_hz: Annotated[float, Range(0.1, 200.0)] = parameter(50.0, "joint_states messages a second.")
    command_timeout_s: Annotated[float, Range(0.02, 1.0)] = parameter(
        0.2, "A streamed command older than this halts the arm."
    )
    engage_pause_s: Annotated[float, Range(0.1, 10.0)] = parameter(
        0.5, "A stream that was stopped has to pause for this long before it commands the arm again."
    )
    operators: str = parameter(
        "", "Names of nodes that rank as operators, above teleoperation, policies and scripts; separated by spaces."
    )
    max_velocity: Annotated[float, Range(0.01, 3.4)] = parameter(
        1.6, "Joint velocity limit [rad/s]; may be set while the node runs.", live=True
    )
    max_acceleration: Annotated[float, Range(0.5, 60.0)] = parameter(
        8.0, "Joint acceleration limit [rad/s^2]; also how hard the arm brakes."
    )
    speed: Annotated[float, Range(0.05, 1.0)] = parameter(
        1.0, "Share of max_velocity and max_acceleration in use; trajectories take as much longer."
    )
    first_time: bool = parameter(False, "A fifth of the speed at most: for an arm that nobody has watched yet.")
    waive_check: bool = parameter(
        False, "A real arm may move at full speed although `dofbot arm check` has not seen it."
    )
    max_jerk: Annotated[float, Range(1.0, 10000.0)] = parameter(
        80.0, "Joint jerk limit of moves planned here (home, park, tool goals) [rad/s^3]."
    )
    soft_start_s: Annotated[float, Range(0.0, 60.0)] = parameter(
        1.5, "The velocity limit grows over this time after torque came on, a stop, or another commander."
    )
    stale_read_s: Annotated[float, Range(0.05, 10.0)] = parameter(
        0.2, "A servo that has not answered for this long is a fault."
    )
    tracking_error: Annotated[float, Range(0.03, 1.0)] = parameter(
        0.1, "A joint this far from what it was commanded lately does not follow: it is not pushed on [rad]."
    )
    tracking_error_s: Annotated[float, Range(0.02, 10.0)] = parameter(
        0.15, "A joint that does not follow for this long is a fault."
    )
    voltage_fault_s: Annotated[float, Range(0.02, 10.0)] = parameter(
        0.5, "A servo that reports a supply voltage out of its range for this long is a fault."
    )
    grip_lead: Annotated[float, Range(0.01, 0.3)] = parameter(
        0.12, "How far the goal may lead fingers that a block has stopped [rad]."
    )
    goal_trim: Annotated[float, Range(0.0, 0.1)] = parameter(
        0.05, "How far goals may lead joints that gravity or play holds off them [rad]; 0: not at all."
    )
    realtime: bool = parameter(
        True, "Ask the system for real-time priority of the control loop; without it a busy machine makes the arm late."
    )
    reconnect_s: Annotated[float, Range(0.1, 60.0)] = parameter(
        1.0, "Pause between attempts to open a port that is not there."
    )
    on_exit: OnExit = parameter("hold", "At the end: hold the pose, park and let go, or release the torque at once.")
    calibration_file: str = parameter("", "Calibration YAML; empty for the vendor's nominal values.")

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
