"""Mode `arm`: the angles of the person's arm become joints 1 to 4, the opening of the hand is the gripper."""

from __future__ import annotations

import math

import numpy as np

from dofbot_ros.core.types import GRIP, N_JOINTS, FloatArray
from dofbot_ros.teleop.config import Sign, TeleopConfig
from dofbot_ros.teleop.input.landmarks import Observation
from dofbot_ros.teleop.retargeting.body import SIDES, ArmAngles, arm_angles, hand_raised, seen_side
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.retargeting.filters import SteadyFilter
from dofbot_ros.teleop.retargeting.hand import hand_opening
from dofbot_ros.teleop.retargeting.retarget import GapPickup, Reading, gap_of
from dofbot_ros.teleop.retargeting.target_limiter import Target, TargetLimiter

OPENING = 4


class BodyMode:
    """Retarget for one arm of a person.

    Args:
        config: of teleoperation.
        reach: what the arm can and may do.
    """

    engage_sign: Sign = "raised hand"
    release_sign: Sign = "raised hand"

    def __init__(self, config: TeleopConfig, reach: TargetLimiter) -> None:
        self._config, self._reach = config, reach
        f = config.filter
        self._angles = SteadyFilter(f.joint, f.rest, f.joint_zone_rad)
        self._opening = SteadyFilter(f.opening, f.rest, f.opening_zone)
        self._filters = (self._angles, self._opening)
        self._pickup = GapPickup()
        self._anchor_s = 0.0
        self._offset = np.zeros(4)
        self._joints = np.zeros(N_JOINTS)
        self._yaw = 0.0
        self._hand_opening = 1.0

    def read(self, source: Observation) -> Reading:
        """Signal (5,): the person's angles for joints 1 to 4 [rad], hand opening 0..1."""
        body, config = source.body, self._config
        if body is None:
            return Reading(Reason.BODY_LOST)
        if not (np.isfinite(body.image).all() and np.isfinite(body.world).all()):
            return Reading(Reason.NOT_FINITE)
        points = SIDES[seen_side(config.arm.side, config.camera.mirrored)]
        visible = 1.0 if body.visibility is None else float(body.visibility[list(points.needed)].min())
        if not visible >= config.arm.min_visibility:
            return Reading(Reason.LOW_SCORE)
        angles = arm_angles(body, config.arm.side, config.camera.mirrored)
        # An arm that hangs down has no direction to turn to: the last one stands.
        self._yaw = self._yaw if angles.yaw is None else angles.yaw
        hand = source.hand
        if hand is not None and np.isfinite(hand.world).all():
            self._hand_opening = hand_opening(hand)
        values = np.array([*_joint_angles(angles, self._yaw, config.arm.facing == "mirror"), self._hand_opening])
        if not np.isfinite(values).all():
            return Reading(Reason.NOT_FINITE)
        sign: Sign = "raised hand" if hand_raised(body, config.arm.side, config.camera.mirrored) else "none"
        return Reading(None, values, angles.wrist, sign)

    def smooth(self, reading: Reading, stamp_s: float) -> FloatArray:
        """The filtered signal, shape (5,)."""
        raw = reading.values
        return np.concatenate([self._angles(raw[:OPENING], stamp_s), self._opening(raw[OPENING:], stamp_s)])

    def anchor(self, joints: FloatArray, stamp_s: float) -> None:
        """Begin at `joints` [rad] (6,); within `align_s` the arm is led over to the person's pose."""
        self._anchor_s = stamp_s
        self._joints = joints.copy()
        self._offset = joints[:4] - self._mapped(np.concatenate([part.hold() for part in self._filters]))
        self._pickup.anchor(float(joints[GRIP]))

    def target(self, values: FloatArray, stamp_s: float) -> Target:
        """The person's angles as joints, beside what is left of the difference at the anchor."""
        left = max(0.0, 1.0 - (stamp_s - self._anchor_s) / self._config.arm.align_s)
        requested = self._joints.copy()
        requested[:4] = self._mapped(values) + left * self._offset
        arm = self._config.arm
        requested[GRIP] = self._pickup(gap_of(values[OPENING], arm.opening_closed, arm.opening_open))
        target = self._reach.joints(requested, self._joints)
        self._joints = target.joints
        return target

    def reset(self) -> None:
        """Forget the filtered past."""
        for part in self._filters:
            part.reset()

    def _mapped(self, values: FloatArray) -> FloatArray:
        arm = self._config.arm
        mapped: FloatArray = np.array(arm.gain) * values[:OPENING] + np.array(arm.offset_rad)
        return np.clip(mapped, -math.pi / 2, math.pi / 2)


def _joint_angles(angles: ArmAngles, yaw: float, mirror: bool) -> tuple[float, float, float, float]:
    return (-yaw if mirror else yaw, angles.raised, angles.elbow, angles.wrist_bend)
