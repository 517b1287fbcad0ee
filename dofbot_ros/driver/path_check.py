"""Checks a whole trajectory before it starts, beside the control loop: nothing here holds what the loop waits for."""

from __future__ import annotations

import time

from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.trajectory import MotionLimits, Trajectory
from dofbot_ros.safety.workspace import Workspace


def check_trajectory(trajectory: Trajectory, limits: MotionLimits, workspace: Workspace) -> None:
    """Refuse a trajectory that leaves the limits or the workspace anywhere on its way.

    Raises:
        CommandRefusedError: naming joint or body, time, value and limit.
    """
    trajectory.check(limits)
    start = trajectory.sample(0.0).position
    for points in trajectory.check_points():
        offence = workspace.first_violation(points.positions, start)
        if offence is not None:
            raise CommandRefusedError(f"after {points.times[offence[0]]:.2f} s: {offence[1]}")
        time.sleep(0)  # the control loop's turn
