"""Leads the arm to where the sliders and jog buttons want it: a straight way through joint space at a limited speed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import N_ARM, FloatArray, ToolPose
from dofbot_ros.errors import UnreachableError

AHEAD_S = 0.2
"""A jog button leads the target this far ahead: the arm rests by itself so long after the last word of the page [s]."""
ARM_M = 0.25
"""A tool that jogs at v [m/s] is v / ARM_M [rad/s] for the joints, about: the reach of a bent arm [m]."""
TOOL_AXES = ("x", "y", "z", "pitch", "roll")
"""Fields of a ToolPose that can be jogged."""


class Follower:
    """Points for a joint stream, one each period, from where the arm is to a target that may change at any time.

    Args:
        robot: the arm that follows.

    Attributes:
        target: joint angles that are led to [rad] (5,); None while nothing is.
    """

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._lower, self._upper = robot.lower[:N_ARM], robot.upper[:N_ARM]
        self._point: FloatArray | None = None
        self.target: FloatArray | None = None

    @property
    def active(self) -> bool:
        """Whether there is a target that has not been reached."""
        return self.target is not None

    def to_joints(self, goal: ArrayLike, measured: FloatArray) -> None:
        """Lead to joint angles [rad] (5,), brought within the limits; `measured` (5,) is where the arm is."""
        self._begin(measured)
        self.target = np.clip(np.asarray(goal, dtype=np.float64), self._lower, self._upper)

    def to_tool(self, goal: ToolPose, measured: FloatArray) -> None:
        """Lead to a pose of the tool in base_link, or where no joint angles bring it there to the nearest one."""
        near = self._point if self._point is not None else measured
        kinematics = self._robot.kinematics
        self.to_joints(kinematics.solve(kinematics.nearest(goal), near), measured)

    def jog_joint(self, index: int, direction: int, speed: float, measured: FloatArray) -> None:
        """Turn joint `index` on, towards `direction` (-1, +1), at `speed` [rad/s] for AHEAD_S."""
        self._begin(measured)
        assert self._point is not None
        goal = self._point.copy()
        goal[index] += direction * speed * AHEAD_S
        self.to_joints(goal, measured)

    def jog_tool(self, axis: str, direction: int, speed: float, measured: FloatArray) -> None:
        """Move the tool on along an axis of base_link, or turn it, as jog_joint().

        Raises:
            UnreachableError: it cannot go on in this direction.
        """
        self._begin(measured)
        assert self._point is not None
        pose = self._robot.kinematics.forward(self._point)
        step = direction * speed * AHEAD_S * (ARM_M if axis in ("x", "y", "z") else 1.0)
        goal = self._robot.kinematics.solve(replace(pose, **{axis: getattr(pose, axis) + step}), self._point)
        if np.abs(goal - self._point).max() > 10.0 * speed * AHEAD_S:
            raise UnreachableError(pose, pose)  # the other elbow, or over the shoulder: no way for a jog
        self.to_joints(goal, measured)

    def halt(self) -> None:
        """Come to rest where the arm was led to last."""
        if self.target is not None and self._point is not None:
            self.target = self._point.copy()

    def cancel(self) -> None:
        """Lead nowhere any more, from this moment on."""
        self.target = self._point = None

    def step(self, period_s: float, speed: float) -> FloatArray | None:
        """The point of this period [rad] (5,), all joints in step, the farthest at `speed` [rad/s]; None at the end."""
        if self.target is None or self._point is None:
            return None
        way = self.target - self._point
        farthest = float(np.abs(way).max())
        most = speed * period_s
        self._point = self._point + way * min(1.0, most / max(farthest, 1e-12))
        point = self._point
        if farthest <= most:
            self.cancel()
        return point

    def _begin(self, measured: FloatArray) -> None:
        if self._point is None:
            self._point = np.clip(np.asarray(measured, dtype=np.float64)[:N_ARM], self._lower, self._upper)


def seconds_of(way: FloatArray, speed: float) -> float:
    """How long a motion soft at both ends takes whose fastest joint peaks at `speed` [rad/s].

    A quintic from rest to rest peaks at 15/8 of its mean speed (Craig, Introduction to Robotics, 7.3).
    """
    return max(0.5, 15.0 / 8.0 * float(np.abs(way).max(initial=0.0)) / max(speed, math.ulp(1.0)))
