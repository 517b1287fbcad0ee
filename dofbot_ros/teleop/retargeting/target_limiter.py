"""What the arm can and may do: any request is brought into it, so that following never demands the impossible."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP, N_ARM, FloatArray, ToolPose
from dofbot_ros.errors import UnreachableError
from dofbot_ros.safety.bodies import BODIES
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.teleop.config import ReachConfig

PITCH_END = 0.15
"""Share of the pitch range that is kept free at either end."""

LIFTS_M = (0.004, 0.008, 0.013, 0.020)
"""By how much a point is raised, one after the other, where the way to it is blocked though its pose is clear [m]."""

LIFT_ROOM_M = 0.0005
"""Added to what a pose is too low by, because the tool tilts otherwise higher up [m]."""


@dataclass(frozen=True, eq=False)
class Target:
    """What the arm shall do.

    Attributes:
        joints: [rad], shape (6,).
        tool: tool pose of these joints.
        clamped: whether the operator asked for more than the arm can or may do.
    """

    joints: FloatArray
    tool: ToolPose
    clamped: bool


@dataclass(frozen=True)
class ToolTarget:
    """What the operator asks of the tool.

    Attributes:
        point: of the tool in base_link [m].
        share: where the pitch lies in what the point allows, 0 to 1.
        turn: pitch beyond that [rad].
        roll: [rad].
        grip: gripper angle [rad].
    """

    point: tuple[float, float, float]
    share: float
    turn: float
    roll: float
    grip: float


class TargetLimiter:
    """Brings any request into what the arm can and may do, so that following never demands the impossible.

    Args:
        kinematics: of the arm.
        workspace: what the governor will judge by.
        config: bounds on the tool.
    """

    def __init__(self, kinematics: Kinematics, workspace: Workspace, config: ReachConfig) -> None:
        self._kinematics, self._workspace, self._config = kinematics, workspace, config

    def pitch_share(self, pose: ToolPose) -> float:
        """Where the pitch of a reached pose lies in what its point allows, 0 at the low end, 1 at the high end."""
        low, high = self._span((pose.x, pose.y, pose.z), pose.pitch, pose.roll) or (pose.pitch, pose.pitch)
        return float(np.clip((pose.pitch - low) / (high - low), 0.0, 1.0)) if high > low else 0.5

    def tool(self, requested: ToolTarget, present: FloatArray) -> Target:
        """Joints for a requested tool pose.

        The point comes first: it is kept inside the bounds, and a point out of reach is replaced by the nearest one in
        reach. What pitch this arm can have then is a range of some 15 degrees that shifts with the point; the requested
        pitch lies in it at the same share as on engaging, so the tool tilts by itself as it must and the elbow stays
        away from its straight and its folded end, where it would have to be infinitely fast.

        Args:
            requested: what the operator asks for.
            present: the present target [rad], shape (6,).
        """
        config, now = self._config, self._kinematics.forward(present[:N_ARM])
        asked, here = np.array(requested.point), np.array([now.x, now.y, now.z])
        low, high = np.transpose([config.x, config.y, config.z])
        # An arm that stands outside the bounds is not pulled inside: it may only not go farther out.
        x, y, z = np.clip(asked, np.minimum(low, here), np.maximum(high, here)).tolist()
        tried: list[Target] = []
        # Along the table the fingers tilt, and the corners of their pads would touch: higher up the way is often clear.
        lift = 0.0
        for step in (*LIFTS_M, 0.0):
            joints = np.append(self._solve(self._goal((x, y, z + lift), requested, present), present), requested.grip)
            target, whole = self._towards(joints, present)
            tried.append(target)
            if whole:
                break
            lift += self._too_low(joints) or step
        else:
            target = tried[0]
        tool = target.tool
        moved = float(np.abs(asked - (tool.x, tool.y, tool.z)).max()) > 1e-4 or abs(tool.roll - requested.roll) > 1e-3
        return replace(target, clamped=target.clamped or moved)

    def _too_low(self, joints: FloatArray) -> float:
        """What to raise a pose (6,) [rad] by so that it keeps its clearance from the table [m]; 0 where it does."""
        room = float(self._workspace.clearances(joints)[: len(BODIES)].min()) - self._config.clearance_m
        return LIFT_ROOM_M - room if room < 0.0 else 0.0

    def _goal(self, point: tuple[float, float, float], requested: ToolTarget, present: FloatArray) -> ToolPose:
        """The reachable pose that is meant: the point or the one nearest to it, with the pitch that it allows."""
        kin = self._kinematics
        x, y, z = point
        pitch, roll = kin.forward(present[:N_ARM]).pitch, float(np.clip(requested.roll, kin.lower[4], kin.upper[4]))
        span = self._span(point, pitch, roll)
        if span is None:
            nearest = kin.nearest(ToolPose(x, y, z, pitch, roll))
            x, y, z, pitch = nearest.x, nearest.y, nearest.z, nearest.pitch
            span = self._span((x, y, z), pitch, roll) or (pitch, pitch)
        low, width = span[0], span[1] - span[0]
        lowest, highest = min(requested.share, PITCH_END), max(requested.share, 1.0 - PITCH_END)
        asked = low + requested.share * width + requested.turn
        pitch = float(np.clip(asked, low + lowest * width, low + highest * width))
        return ToolPose(x, y, z, pitch, roll)

    def joints(self, requested: FloatArray, present: FloatArray) -> Target:
        """The requested joints (6,) [rad] within the limits, or as far on the way from `present` (6,) as is clear.

        The fingers go first: closing them lengthens the tool.
        """
        return self._towards(requested, present)[0]

    def _towards(self, requested: FloatArray, present: FloatArray) -> tuple[Target, bool]:
        """The target on the way to `requested`, and whether it is the whole way."""
        kin = self._kinematics
        fingers = present.copy()
        fingers[GRIP] = requested[GRIP]
        start = self._clear_way(present, fingers)
        end = start.copy()
        end[:N_ARM] = np.clip(requested[:N_ARM], kin.lower, kin.upper)
        reached = self._clear_way(start, end)
        whole = bool(np.array_equal(reached, end))
        clamped = bool(np.abs(reached - requested).max() > 1e-6)
        return Target(reached, kin.forward(reached[:N_ARM]), clamped), whole

    def _span(self, point: tuple[float, float, float], near: float, roll: float) -> tuple[float, float] | None:
        """The range of pitches allowed and reached at a point [m] and roll that lies nearest to the pitch `near`."""
        low, high = (math.radians(a) for a in self._config.pitch_deg)
        spans = [(max(a, low), min(b, high)) for a, b in self._kinematics.pitch_range(*point, roll)]
        spans = [span for span in spans if span[0] < span[1]]
        return min(spans, key=lambda s: max(s[0] - near, near - s[1], 0.0)) if spans else None

    def _solve(self, pose: ToolPose, present: FloatArray) -> FloatArray:
        try:
            return self._kinematics.solve(pose, near=present[:N_ARM])
        except UnreachableError as error:
            return self._kinematics.solve(error.nearest, near=present[:N_ARM])

    def _clear_way(self, start: FloatArray, end: FloatArray) -> FloatArray:
        """The last clear one of nine points from `start` to `end` (6,); where `start` is not, nothing may get worse."""
        if np.array_equal(start, end):
            return end
        points = start + np.linspace(0.0, 1.0, 9)[:, None] * (end - start)
        clearance = self._workspace.clearances(points) - self._config.clearance_m
        clear = ((clearance >= 0.0) | (clearance >= clearance[0] - 1e-9)).all(axis=1)
        last: FloatArray = end if clear.all() else points[int(np.argmin(clear)) - 1]
        return last
