"""The closed loop around a twist, as the driver runs it: solve, generate, govern, once a control period."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.gripper import CLOSED
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP, N_JOINTS, FloatArray
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.trajectory import MotionLimits
from dofbot_ros.motion.twist import solve_twist
from dofbot_ros.safety.governor import Governor
from dofbot_ros.safety.workspace import Workspace

ARM = Kinematics()
WORKSPACE = Workspace(ARM)
PERIOD_S = 0.02
LIMITS = MotionLimits(
    np.append(ARM.lower, 0.0), np.append(ARM.upper, CLOSED), np.full(N_JOINTS, 1.6), np.full(N_JOINTS, 8.0)
)
JERK = np.full(N_JOINTS, 80.0)


@dataclass(frozen=True)
class Run:
    """What the arm did.

    Attributes:
        joints: commanded joint angles (n + 1, 5) [rad], the start first.
        tool: where that puts the tool (n + 1, 3) [m].
        limited: what solve_twist said in each period.
        reasons: what the governor said in each period.
    """

    joints: FloatArray
    tool: FloatArray
    limited: tuple[str, ...]
    reasons: tuple[tuple[str, ...], ...]

    @property
    def first_workspace_stop(self) -> int:
        """The period in which the governor first brakes for the workspace; the last one if it never does."""
        stops = (k for k, why in enumerate(self.reasons) if any(reason.startswith("workspace") for reason in why))
        return next(stops, len(self.reasons))


def drive(start: FloatArray, twist: Callable[[float], tuple[FloatArray, FloatArray]], seconds: float) -> Run:
    """Move from `start` (5,) [rad] with `twist(time)` = linear [m/s], angular [rad/s], for `seconds`."""
    governor = Governor(LIMITS, WORKSPACE, PERIOD_S, soft_start_s=0.0, timeout_s=0.2)
    governor.start(np.append(start, 0.0), 0.0)
    motion = OnlineMotion(PERIOD_S, LIMITS.velocity, LIMITS.acceleration, JERK)
    motion.reset(governor.state.position)
    joints, limited, reasons = [np.array(start, dtype=np.float64)], [], []
    for k in range(round(seconds / PERIOD_S)):
        now_s = k * PERIOD_S
        solution = solve_twist(
            ARM,
            governor.state.position[:GRIP],
            *twist(now_s),
            LIMITS.velocity[:GRIP],
            acceleration=LIMITS.acceleration[:GRIP],
            moving=motion.state.velocity[:GRIP],
        )
        setpoint = motion.update_velocity(np.append(solution.velocity, 0.0))
        governed = governor.step(setpoint, now_s, now_s)
        if np.abs(setpoint.position - governed.position).max() > 1e-3:
            motion.reset(governed.position, governed.velocity)
        joints.append(governed.position[:GRIP])
        limited.append(solution.limited)
        reasons.append(governed.reasons)
    tool = ARM.link_points(np.array(joints))[:, 3]
    return Run(np.array(joints), tool, tuple(limited), tuple(reasons))


def against(tool: FloatArray, direction: FloatArray) -> float:
    """How far the tool (n, 3) ever moves back against `direction` (3,), from the furthest it was [m]."""
    along = tool @ direction
    return float((np.maximum.accumulate(along) - along).max())


def astray(tool: FloatArray, direction: FloatArray) -> float:
    """Length of the way that the tool (n, 3) moves more than 45 degrees off `direction` (3,) [m]."""
    steps = np.diff(tool, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    return float(lengths[steps @ direction < np.cos(0.25 * np.pi) * lengths].sum())
