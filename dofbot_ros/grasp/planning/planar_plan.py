"""Plans a grasp of anything: where the fingers close and along which line; the rest follows from the arm's reach."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from dofbot_ros.arm.gripper import CLOSED
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import N_ARM, FloatArray, ToolPose
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.planning.block_plan import joint_line
from dofbot_ros.grasp.planning.hand_geometry import deepest
from dofbot_ros.grasp.planning.tilt_band import TiltBand
from dofbot_ros.motion.timed_path import TimedPath, retime
from dofbot_ros.motion.trajectory import MotionLimits
from dofbot_ros.safety.workspace import NAMES, Workspace

GRIPS: tuple[float, ...] = tuple(np.linspace(0.0, CLOSED, 4).tolist())
"""Angles of the cranks at which a motion is checked [rad]: half open fingers of a rolled hand may come lowest."""


class OutOfReachError(DofbotError):
    """The arm cannot close its fingers there, or not lift from there."""


@dataclass(frozen=True)
class PlanarGrasp:
    """Where the fingers close.

    Attributes:
        x, y: the middle between them, in base_link [m].
        yaw: of the line along which they close [rad]; counts modulo half a turn.
        height: at which the tool axis passes through x, y [m].
    """

    x: float
    y: float
    yaw: float
    height: float = 0.012


@dataclass(frozen=True)
class PinchConfig:
    """Distances of the planner.

    Attributes:
        clearance: lowest corner of the finger pads above the table, at any gap [m].
        lift: how far the tool rises with what it holds [m].
        above: height of the tool where the descent begins [m].
        band: places in the band of reachable tilts that are tried in turn; 0 is the steepest tool.
        band_margin: kept from the ends of that band [rad].
    """

    clearance: float = 0.0025
    lift: float = 0.062
    above: float = 0.075
    band: tuple[float, ...] = (0.05, 0.3, 0.6)
    band_margin: float = math.radians(1.0)


@dataclass(frozen=True)
class GraspMotion:
    """Motions of the arm between which the gripper acts, in this order.

    Attributes:
        reach: from the start to above the grasp, fingers open.
        descend: down to it; then the fingers close.
        lift: up again.
        pose: of the tool where the fingers close.
    """

    reach: TimedPath
    descend: TimedPath
    lift: TimedPath
    pose: ToolPose


class GraspMotionPlanner:
    """Plans for one arm.

    Args:
        kinematics: its lengths and joint limits.
        limits: of its motion.
        workspace: where it may be.
        config: margins and choices.
    """

    def __init__(
        self, kinematics: Kinematics, limits: MotionLimits, workspace: Workspace, config: PinchConfig | None = None
    ) -> None:
        self.config = config or PinchConfig()
        self.kinematics = kinematics
        self.limits = limits
        self._workspace = workspace
        self._bands = TiltBand(kinematics, self.config.band_margin)

    def raised(self, by: float) -> GraspMotionPlanner:
        """The same for a hand that hangs lower than it is told, by `by` [m]."""
        config = replace(self.config, clearance=self.config.clearance + by)
        return GraspMotionPlanner(self.kinematics, self.limits, self._workspace, config)

    def plan(self, start: FloatArray, pinch: PlanarGrasp) -> GraspMotion:
        """The motion with the steepest tool that keeps all margins.

        Args:
            start: where the arm is, (5,) or (6,) [rad].
            pinch: the grasp.

        Raises:
            OutOfReachError: there is none.
        """
        q0 = np.asarray(start, dtype=np.float64)[:N_ARM]
        reason = "no tilt of the tool reaches it: 0.15 to 0.27 m from joint 1 do"
        for band in self.config.band:
            found = self._columns(pinch, band)
            if found is None:
                continue
            down, up = found
            reach = joint_line(q0, down[0])
            blocked = self._blocked(np.vstack([reach, down, up]))
            if not blocked:
                timed = [retime(path, self.limits) for path in (reach, down, up)]
                return GraspMotion(timed[0], timed[1], timed[2], self.kinematics.forward(down[-1]))
            reason = f"in the way: {blocked}"
        raise OutOfReachError(f"no grasp at x {pinch.x:.3f} y {pinch.y:.3f} m, {reason}")

    def straight(self, start: FloatArray, goal: FloatArray) -> TimedPath:
        """From joint angles to joint angles (5,) [rad] on a straight line between them.

        Raises:
            OutOfReachError: a margin is not kept on the way.
        """
        path = joint_line(start, goal)
        if blocked := self._blocked(path):
            raise OutOfReachError(f"in the way: {blocked}")
        return retime(path, self.limits)

    def _columns(self, pinch: PlanarGrasp, band: float) -> tuple[FloatArray, FloatArray] | None:
        radius, azimuth = math.hypot(pinch.x, pinch.y), math.atan2(pinch.y, pinch.x)
        # The closing line's turn from square to the arm's plane, which is where it lies without roll.
        side = math.remainder(pinch.yaw - azimuth - 0.5 * math.pi, math.pi)
        x, y, z, roll = pinch.x, pinch.y, pinch.height, 0.0
        for _ in range(2):
            tilt = self._bands.tilt(x, y, z, band, roll)
            if tilt is None:
                return None
            # Rolled so that the closing line, seen from above, has the wanted yaw.
            roll = -math.atan2(math.sin(side), math.cos(side) * math.cos(tilt))
            z = self.config.clearance + deepest(tilt, roll)
            r = radius + (pinch.height - z) * math.tan(tilt)
            x, y = r * math.cos(azimuth), r * math.sin(azimuth)
        down = self._bands.column(x, y, (self.config.above, z), band, roll)
        up = self._bands.column(x, y, (z, z + self.config.lift), band, roll)
        return None if down is None or up is None else (down, up)

    def _blocked(self, path: FloatArray) -> str:
        """What is in the way on a path (n, 5), however far the fingers are open; "" where nothing is."""
        for grip in GRIPS:
            q = np.column_stack([path, np.full(len(path), grip)])
            room = self._workspace.clearances(q)
            if room.min() < 0.0:
                return NAMES[int(np.unravel_index(room.argmin(), room.shape)[-1])]
        return ""
