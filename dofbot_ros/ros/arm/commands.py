"""Command messages -> calls of the daemon; whatever does not fit is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped
from std_msgs.msg import Float64, Header
from trajectory_msgs.msg import JointTrajectory

from dofbot_ros.core.types import FloatArray
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.tool_goal import tool_goal
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.ros.conversions.messages import finite, pose_matrix
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.safety.authority import Commander

WALL_S = 1e6
"""A stamp that is this far off the simulated time is one of the wall clock [s]."""
FUTURE_S = 0.1
"""Stamps ahead of us by more than this are another machine's clock, or a start time, which is not supported [s]."""


class Commands:
    """One method for each command topic.

    Raises (all methods):
        DofbotError: the command is refused; nothing has moved.
    """

    def __init__(self, daemon: ArmDaemon, stamps: Stamps, in_base: Callable[[str], FloatArray]) -> None:
        """`in_base` gives the pose (4, 4) [m] of a frame in base_link, or refuses."""
        self._daemon, self._stamps, self._in_base = daemon, stamps, in_base

    def joint_trajectory(self, message: JointTrajectory, by: Commander) -> int:
        """Check a whole trajectory and start it. Returns the number of the motion."""
        self._recent(message.header)
        joints, positions = _points(message)
        times = [p.time_from_start.sec + 1e-9 * p.time_from_start.nanosec for p in message.points]
        velocities = _rates(message, "velocities")
        accelerations = None if velocities is None else _rates(message, "accelerations")
        return self._daemon.follow(times, positions, velocities, joints, by, accelerations=accelerations)

    def joint_stream(self, message: JointTrajectory, by: Commander) -> None:
        """Follow a single point until the next one."""
        if len(message.points) != 1:
            raise CommandRefusedError(f"command/joint_stream takes one point a message, got {len(message.points)}")
        joints, positions = _points(message)
        self._daemon.stream(positions[0], self._recent(message.header), joints, by)

    def pose(self, message: PoseStamped, by: Commander) -> None:
        """Move the tool to a pose in any frame that is known."""
        self._recent(message.header)
        pose = self._in_base(message.header.frame_id) @ pose_matrix(message.pose)
        self._daemon.move_tool(tool_goal(pose, self._daemon.kinematics.finger_across), by)

    def twist(self, message: TwistStamped, by: Commander) -> None:
        """Move the tool with a velocity along the axes of any frame that is known, as they are now."""
        stamp_s = self._recent(message.header)
        linear, angular = message.twist.linear, message.twist.angular
        numbers = finite("twist", [linear.x, linear.y, linear.z, angular.x, angular.y, angular.z])
        axes = self._in_base(message.header.frame_id)[:3, :3]
        self._daemon.twist(axes @ numbers[:3], axes @ numbers[3:], stamp_s, by)

    def gripper(self, message: Float64, by: Commander) -> None:
        """Open or close the gripper to a gap."""
        self._daemon.gripper(message.data, by)

    def _recent(self, header: Header) -> float:
        """The stamp on the arm's clock [s]."""
        stamp_s = self._stamps.to_arm(header.stamp)
        age = self._stamps.to_arm(Header().stamp) - stamp_s
        limit = self._daemon.config.command_timeout_s
        if not -FUTURE_S <= age <= limit:
            hint = "a zero stamp means now; do both machines' clocks agree?"
            if self._stamps.simulated and abs(age) > WALL_S:
                hint = "this arm lives in simulated time: set use_sim_time, or send a zero stamp"
            word, allowed = ("old", limit) if age > 0 else ("ahead", FUTURE_S)
            raise CommandRefusedError(f"the stamp is {abs(age):.2f} s {word}, allowed are {allowed:g} s ({hint})")
        return stamp_s


def _points(message: JointTrajectory) -> tuple[list[str], FloatArray]:
    """Joint names, and positions (n, joints)."""
    joints = list(message.joint_names)
    if not message.points:
        raise CommandRefusedError("a trajectory without points")
    for index, point in enumerate(message.points):
        if len(point.positions) != len(joints):
            raise CommandRefusedError(
                f"point {index} has {len(point.positions)} positions for {len(joints)} joint_names"
            )
    return joints, np.array([list(p.positions) for p in message.points], dtype=np.float64)


def _rates(message: JointTrajectory, what: str) -> FloatArray | None:
    """Velocities or accelerations (n, joints); None where no point has any."""
    rows = [list(getattr(point, what)) for point in message.points]
    if not any(rows):
        return None
    if not all(len(row) == len(message.joint_names) for row in rows):
        raise CommandRefusedError(f"give {what} for every joint of every point, or for none")
    rates = np.array(rows, dtype=np.float64)
    if not np.isfinite(rates).all():
        raise CommandRefusedError(f"the trajectory's {what} hold a number that is not finite")
    return rates
