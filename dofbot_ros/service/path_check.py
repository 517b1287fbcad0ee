"""Checks a whole trajectory before it starts, beside the control loop: nothing here holds what the loop waits for."""

from __future__ import annotations

import time

import numpy as np

from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.trajectory import MotionLimits, Trajectory
from dofbot_ros.safety.workspace import Workspace

CHUNK = 256
"""Joint vectors checked at a time, so that other threads get their turn between."""
STEP_S = 0.02
MAX_SAMPLES = 30_000


def check_trajectory(trajectory: Trajectory, limits: MotionLimits, workspace: Workspace) -> None:
    """Refuse a trajectory that leaves the limits or the workspace anywhere on its way.

    Raises:
        CommandRefusedError: naming joint or body, time, value and limit.
    """
    trajectory.check(limits)
    start = trajectory.sample(0.0).position
    count = int(np.ceil(trajectory.duration_s / STEP_S))
    for first in range(1, count + 1, CHUNK):
        times = np.arange(first, min(first + CHUNK, count + 1)) * STEP_S
        offence = workspace.first_violation(trajectory.sample(times).position, start)
        if offence is not None:
            raise CommandRefusedError(f"after {times[offence[0]]:.2f} s: {offence[1]}")
        time.sleep(0)
