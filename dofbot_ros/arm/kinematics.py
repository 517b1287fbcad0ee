"""Closed-form kinematics of the five-joint arm: pose, Jacobian, and every set of joint angles that reaches a goal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.batch import inverse_batch
from dofbot_ros.arm.model import ArmModel
from dofbot_ros.arm.planar import (
    ON_AXIS,
    SAME_DISTANCE,
    Interval,
    PlanarArm,
    distance_ahead,
    fit_angle,
    nearest_angle,
    turn,
    within_a_turn,
)
from dofbot_ros.core.transforms import rot_y, rot_z, transform
from dofbot_ros.core.types import N_ARM, FloatArray, ToolPose
from dofbot_ros.errors import InputError, UnreachableError

GRIP_JOINT_HEIGHT = 0.029275
"""Of the cranks' joints on link5, as drawn [m]."""

Joints = tuple[float, float, float, float, float]


class Kinematics:
    """The arm as one yaw joint, three parallel pitch joints and one roll joint, and fingers beside its axis or on it.

    A goal is five numbers (x, y, z, pitch, roll) for five joints, so it has finitely many solutions: two yaws (facing
    the goal, or turned away and leaning back) times two elbows. Angles of a goal count modulo a whole turn.

    Args:
        base_height: base_link to joint 2 [m]; from the calibration.
        upper_arm: joint 2 to joint 3 [m].
        forearm: joint 3 to joint 4 [m].
        tool: joint 4 to tool_link, along the tool [m]; what the fingers are off along it is part of this length.
        fingers: how far the fingers are off their drawn place, across (y of link5) and along the tool [m]. tool_link is
            the middle between them: everything that reaches with the tool reaches with the true fingers.
        lower: joint limits [rad], shape (5,).
        upper: joint limits [rad], shape (5,).

    The defaults are the vendor's drawing, as in urdf/dofbot.urdf.
    """

    def __init__(
        self,
        *,
        base_height: float = 0.1075,
        upper_arm: float = 0.08285,
        forearm: float = 0.08285,
        tool: float = 0.183,
        fingers: tuple[float, float] = (0.0, 0.0),
        lower: Sequence[float] = (-math.pi / 2,) * N_ARM,
        upper: Sequence[float] = (*(math.pi / 2,) * (N_ARM - 1), math.pi),
    ) -> None:
        if min(upper_arm, forearm, tool) <= 0.0:
            raise InputError(f"link lengths must be positive, got {upper_arm}, {forearm}, {tool} m")
        if any(not -math.pi <= lo < hi <= math.pi for lo, hi in zip(lower, upper, strict=True)):
            raise InputError(f"joint limits must rise within -pi..pi rad, got {list(lower)} to {list(upper)}")
        self.base_height, self.upper_arm, self.forearm, self.tool = base_height, upper_arm, forearm, tool
        self.finger_across, self.finger_along = fingers
        self.lower = np.array(lower, dtype=np.float64)
        self.upper = np.array(upper, dtype=np.float64)
        low, high = self.lower.tolist(), self.upper.tolist()
        self._yaw, self._roll = (low[0], high[0]), (low[4], high[4])
        self._planar = PlanarArm(upper_arm, forearm, tool, (low[1], low[2], low[3]), (high[1], high[2], high[3]))

    @classmethod
    def from_model(cls, model: ArmModel, base_height: float | None = None) -> Kinematics:
        """The arm of a URDF, with its base height replaced by a calibrated one [m].

        Raises:
            InputError: the chain to tool_link is not yaw, pitch, pitch, pitch, roll, or has turns or lateral offsets
                (but for tool_link along y of link5, where the fingers are beside the axis).
        """
        chain = model.chain("tool_link")
        if chain[:1] and chain[0].child == "base_link" and np.array_equal(chain[0].origin, np.eye(4)):
            chain = chain[1:]  # the massless root of robot_description
        joints = chain[:N_ARM]
        axes = [joint.axis.tolist() for joint in joints]
        across = [float(joint.origin[1, 3]) if i >= N_ARM else 0.0 for i, joint in enumerate(chain)]
        straight = all(
            np.allclose(joint.origin, transform(translation=(0, y, joint.origin[2, 3])))
            for joint, y in zip(chain, across, strict=True)
        )
        if axes != [[0, 0, 1], *[[0, 1, 0]] * 3, [0, 0, 1]] or not straight:
            raise InputError("the closed form needs axes z y y y z, one straight above the other, up to tool_link")
        heights = [float(joint.origin[2, 3]) for joint in chain]
        fingers = [joint.origin for joint in model.joints if joint.name in ("grip_joint", "left_crank_joint")]
        along = float(np.mean([T[2, 3] for T in fingers])) - GRIP_JOINT_HEIGHT if fingers else 0.0
        return cls(
            fingers=(sum(across), along),
            base_height=sum(heights[:2]) if base_height is None else base_height,
            upper_arm=heights[2],
            forearm=heights[3],
            tool=sum(heights[4:]),
            lower=[joint.lower for joint in joints],
            upper=[joint.upper for joint in joints],
        )

    def forward(self, q: ArrayLike) -> ToolPose:
        """Tool pose of the joint angles `q` [rad], shape (5,); pitch is not wrapped."""
        q1, q2, q3, q4, q5 = np.asarray(q, dtype=np.float64).tolist()
        return self._pose((q1, q2, q3, q4, q5))

    def _pose(self, q: Joints) -> ToolPose:
        pitch, (r, h) = q[1] + q[2] + q[3], self._planar.point((q[1], q[2], q[3]))
        ahead, left = self._beside(q[4])
        r, h, c, s = r + ahead * math.cos(pitch), h - ahead * math.sin(pitch), math.cos(q[0]), math.sin(q[0])
        return ToolPose(r * c - left * s, r * s + left * c, self.base_height + h, pitch, q[4])

    def _beside(self, roll: float) -> tuple[float, float]:
        """How far the tool is beside its axis: forward in the arm's plane, seen upright, and to the left of it [m]."""
        return -self.finger_across * math.sin(roll), self.finger_across * math.cos(roll)

    def forward_batch(self, q: ArrayLike) -> FloatArray:
        """Tool poses (..., 5) as x, y, z [m], pitch, roll [rad] of joint angles (..., 5) [rad]."""
        q = np.asarray(q, dtype=np.float64)
        pitch = q[..., 1:4].sum(axis=-1)
        return np.concatenate([self.link_points(q)[..., 3, :], pitch[..., None], q[..., 4:5]], axis=-1)

    def link_points(self, q: ArrayLike) -> FloatArray:
        """Joint 2, joint 3, joint 4 and the tool point in base_link [m], shape (..., 4, 3), of `q` (..., 5) [rad]."""
        q = np.asarray(q, dtype=np.float64)
        angle = np.cumsum(q[..., 1:4], axis=-1)
        lengths = np.array([self.upper_arm, self.forearm, self.tool])
        zero = np.zeros((*q.shape[:-1], 1))
        r = np.concatenate([zero, np.cumsum(lengths * np.sin(angle), axis=-1)], axis=-1)
        h = np.concatenate([zero, np.cumsum(lengths * np.cos(angle), axis=-1)], axis=-1)
        yaw, left = q[..., 0:1], np.zeros_like(r)
        if self.finger_across:
            ahead, left[..., 3] = -self.finger_across * np.sin(q[..., 4]), self.finger_across * np.cos(q[..., 4])
            r[..., 3] += ahead * np.cos(angle[..., 2])
            h[..., 3] -= ahead * np.sin(angle[..., 2])
        x, y = r * np.cos(yaw) - left * np.sin(yaw), r * np.sin(yaw) + left * np.cos(yaw)
        return np.stack([x, y, self.base_height + h], axis=-1)

    def tool_transform(self, q: ArrayLike) -> FloatArray:
        """Pose of tool_link in base_link (4, 4) of `q` (5,) [rad]: z is the approach axis, y the closing line."""
        q = np.asarray(q, dtype=np.float64)
        pose = self.forward(q)
        return transform(rot_z(q[0]) @ rot_y(pose.pitch) @ rot_z(q[4]), (pose.x, pose.y, pose.z))

    def jacobian(self, q: ArrayLike) -> FloatArray:
        """Geometric Jacobian in base_link at tool_link, shape (6, 5), of `q` (5,) [rad].

        Rows: linear velocity [m/rad], then angular velocity; columns: joints (Siciliano et al., Robotics, 3.1).
        """
        q1, q2, q3, q4, q5 = np.asarray(q, dtype=np.float64).tolist()
        c, s, pitch = math.cos(q1), math.sin(q1), q2 + q3 + q4
        ahead, left = self._beside(q5)
        r, h = self._planar.point((q2, q3, q4))
        r, h = r + ahead * math.cos(pitch), h - ahead * math.sin(pitch)
        jacobian = np.zeros((6, N_ARM))
        jacobian[:, 0] = (-(r * s + left * c), r * c - left * s, 0.0, 0.0, 0.0, 1.0)
        # Joints 2 to 4 turn about the same axis, across the arm: only how far ahead and above them the tool is differs.
        angle, ahead, above = 0.0, r, h
        for joint, bend, length in ((1, q2, self.upper_arm), (2, q3, self.forearm), (3, q4, self.tool)):
            jacobian[:, joint] = (c * above, s * above, -ahead, -s, c, 0.0)
            angle += bend
            ahead, above = ahead - length * math.sin(angle), above - length * math.cos(angle)
        jacobian[3:, 4] = (math.sin(pitch) * c, math.sin(pitch) * s, math.cos(pitch))
        if self.finger_across:
            jacobian[:3, 4] = -self.finger_across * self.tool_transform(q)[:3, 0]
        return jacobian

    def inverse(self, goal: ToolPose) -> FloatArray:
        """All joint angles within the limits that reach `goal`, shape (k, 5) [rad], 1 <= k <= 4.

        Order: facing the goal before turned away; the elbow that points up and outward before the other one.
        On joint1's axis every yaw will do, and the one nearest to 0 is given.

        Raises:
            UnreachableError: there are none; carries the nearest reachable pose (see `nearest`).
            InputError: the goal is not finite.
        """
        return np.array(self._branches(goal, 0.0))

    def solve(self, goal: ToolPose, near: ArrayLike | None = None) -> FloatArray:
        """The joint angles (5,) [rad] that reach `goal`; of several, those nearest to `near` (5,).

        Near means that the joint that turns most turns least. Without `near` it is the first of `inverse`; on joint1's
        axis the yaw of `near` is kept.

        Raises:
            UnreachableError: there are none; carries the nearest reachable pose (see `nearest`).
            InputError: the goal is not finite.
        """
        if near is None:
            return np.array(self._branches(goal, 0.0)[0])
        start: list[float] = np.asarray(near, dtype=np.float64)[:N_ARM].tolist()
        branches = self._branches(goal, start[0])
        return np.array(min(branches, key=lambda q: max(abs(a - b) for a, b in zip(q, start, strict=True))))

    def _branches(self, goal: ToolPose, free_yaw: float) -> list[Joints]:
        if not math.isfinite(goal.x + goal.y + goal.z + goal.pitch + goal.roll):
            raise InputError(f"a tool goal needs five finite numbers, got {goal}")
        roll = fit_angle(goal.roll, *self._roll)
        branches: list[Joints] = []
        if roll is not None:
            ahead, left = self._beside(roll)
            out, h = ahead * math.cos(goal.pitch), goal.z - self.base_height + ahead * math.sin(goal.pitch)
            for yaw, r in self._yaws(goal.x, goal.y, free_yaw, left):
                forward, backward = self._planar.solve(r - out, h, goal.pitch)
                # Facing the goal, the elbow that bends forward is the high one; turned away it is the other one.
                for bend in (forward, backward) if r >= 0.0 else (backward, forward):
                    if bend is not None:
                        branches.append((yaw, *bend, roll))
        if not branches:
            raise UnreachableError(goal, self.nearest(goal))
        return branches

    def _yaws(self, x: float, y: float, free_yaw: float, left: float) -> list[tuple[float, float]]:
        """Yaws within the limits that put (x, y) `left` [m] of the arm's plane, each with its distance r in it."""
        rho = math.hypot(x, y)
        if rho < ON_AXIS and not left:
            return [(nearest_angle(free_yaw, *self._yaw), 0.0)]
        if rho < abs(left) - ON_AXIS:
            return []
        yaws = []
        azimuth, r = math.atan2(y, x), distance_ahead(rho, left)
        swing = math.atan2(left, r)
        facing = fit_angle(azimuth - swing, *self._yaw)
        if facing is not None:
            yaws.append((facing, r))
        away = fit_angle(azimuth + math.pi + swing, *self._yaw)
        if away is not None:
            yaws.append((away, -r))
        return yaws

    def pitch_range(self, x: float, y: float, z: float, roll: float = 0.0) -> list[Interval]:
        """All tool pitches at which the point (x, y, z) [m] is reached: intervals (lo, hi) [rad], rising, lo >= -pi.

        Exact (see PlanarArm.pitch_ranges); empty where the point is out of reach. Where both yaws reach the point (on
        the y axis) the intervals of both are given and may overlap. `roll` [rad] matters where the fingers are beside
        the tool's axis.
        """
        ahead, left = self._beside(roll)
        chain, lean = self._planar.to_point_beside(ahead)
        ranges = [chain.pitch_ranges(r, z - self.base_height) for _, r in self._yaws(x, y, 0.0, left)]
        return sorted(within_a_turn(lo - lean, hi - lean) for part in ranges for lo, hi in part)

    def nearest(self, goal: ToolPose) -> ToolPose:
        """The reachable pose nearest to `goal`: first in position, then in pitch, then in roll.

        So a point that can be reached at some pitch is kept, at the pitch of its range that turns least from the
        goal's; a point out of reach is replaced by the nearest point of the workspace, at the pitch that is nearest of
        those that reach it. Roll is chosen before both: it is kept, or put on the nearer limit.
        """
        roll = nearest_angle(goal.roll, *self._roll)
        near = self._approaches(goal, roll)
        rated = [(distance, abs(turn(goal.pitch, q[1] + q[2] + q[3])), q) for distance, q in near]
        shortest = min(rated)[0]
        q = min((pitch_off, q) for distance, pitch_off, q in rated if distance <= shortest + SAME_DISTANCE)[1]
        pose = self._pose(q)
        return replace(pose, pitch=goal.pitch + turn(goal.pitch, pose.pitch))

    def steepest(self, x: float, y: float, z: float, roll: float = 0.0) -> ToolPose:
        """The pose with the tool as straight down as the point (x, y, z) [m] allows; see nearest() where none does."""
        return self.nearest(ToolPose(x, y, z, math.pi, roll))

    def _approaches(self, goal: ToolPose, roll: float) -> Iterator[tuple[float, Joints]]:
        """Candidates for the nearest pose with their distance [m]: with the yaw facing the goal, and turned away."""
        rho, h = math.hypot(goal.x, goal.y), goal.z - self.base_height
        azimuth = math.atan2(goal.y, goal.x) if rho > ON_AXIS else 0.0
        ahead, left = self._beside(roll)
        chain, lean = self._planar.to_point_beside(ahead)
        swing = math.atan2(left, distance_ahead(rho, left))
        for towards in (azimuth - swing, azimuth + math.pi + swing):
            yaw = nearest_angle(towards, *self._yaw)
            r, across = rho * math.cos(azimuth - yaw), rho * math.sin(azimuth - yaw) - left
            for q2, q3, q4 in chain.nearest(r, h, goal.pitch + lean):
                along, up = chain.point((q2, q3, q4))
                yield math.hypot(along - r, up - h, across), (yaw, q2, q3, q4 - lean, roll)

    def inverse_batch(self, goals: ArrayLike) -> FloatArray:
        """Solutions of many goals (n, 5) x, y, z [m], pitch, roll [rad]: joint angles (n, 4, 5) [rad].

        Branches in the order of `inverse`, each in its own place; nan where a branch does not exist. Raises nothing.
        """
        return inverse_batch(self, np.asarray(goals, dtype=np.float64))
