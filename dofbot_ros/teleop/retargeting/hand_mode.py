"""Mode `hand`: the tool moves as the hand moves, the pinch is the gripper."""

from __future__ import annotations

import math

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.transforms import wrap_angle
from dofbot_ros.core.types import GRIP, N_ARM, N_JOINTS, FloatArray, ToolPose
from dofbot_ros.teleop.config import MOTIONS, Sign, TeleopConfig
from dofbot_ros.teleop.input.landmarks import Observation
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.retargeting.filters import SteadyFilter
from dofbot_ros.teleop.retargeting.hand import hand_pose, hand_sign
from dofbot_ros.teleop.retargeting.retarget import GapPickup, Reading, gap_of
from dofbot_ros.teleop.retargeting.target_limiter import PITCH_END, Target, TargetLimiter, ToolTarget

DISTANCE, LEFT, UP, PITCH, ROLL, PINCH = range(6)
"""Places in the signal: distance from the camera [m], bearing to the left and up, pitch, roll [rad], pinch 0..1."""

PITCH_LED_M = 0.05
"""Travel of the tool over which an extreme pitch is led into the inner part of its range [m]."""


class HandMode:
    """Retarget for one hand.

    Args:
        config: of teleoperation.
        kinematics: of the arm.
        reach: what the arm can and may do.
    """

    engage_sign: Sign = "open palm"
    release_sign: Sign = "fist"

    def __init__(self, config: TeleopConfig, kinematics: Kinematics, reach: TargetLimiter) -> None:
        self._config, self._kinematics, self._reach = config, kinematics, reach
        f = config.filter
        self._depth = SteadyFilter(f.depth, f.rest, f.depth_zone, f.lead_s, judge=f.depth_rest)
        self._across = SteadyFilter(f.position, f.rest, f.position_zone_m, f.lead_s)
        self._angles = SteadyFilter(f.angle, f.rest, f.angle_zone_rad)
        self._pinch = SteadyFilter(f.opening, f.rest, f.opening_zone)
        self._filters = (self._depth, self._across, self._angles, self._pinch)
        self._pickup = GapPickup()
        hand = config.hand
        self._axes = np.zeros((3, 3))
        for row, (motion, scale) in enumerate(zip(hand.axes, hand.scale, strict=True)):
            axis, sign = MOTIONS[motion]
            self._axes[row, axis] = sign * scale
        self._hand0 = np.zeros(6)
        self._tool0 = ToolPose(0.0, 0.0, 0.0, 0.0)
        self._share0 = 0.5
        self._joints = np.zeros(N_JOINTS)
        self._angles_read = np.zeros(2)

    def read(self, source: Observation) -> Reading:
        """Signal (6,): distance, bearing left, bearing up, pitch, roll, pinch."""
        hand, config = source.hand, self._config
        if hand is None:
            return Reading(Reason.HAND_LOST)
        if not (np.isfinite(hand.image).all() and np.isfinite(hand.world).all() and math.isfinite(hand.score)):
            return Reading(Reason.NOT_FINITE)
        if hand.score < config.clutch.min_score:
            return Reading(Reason.LOW_SCORE)
        if source.others:
            return Reading(Reason.TWO_HANDS)
        if config.hand.hand not in ("any", hand.side):
            return Reading(Reason.WRONG_HAND)
        pose = hand_pose(hand, source.width, source.height, config.camera, config.hand.palm_m)
        values = np.array([pose.distance, *pose.bearing, pose.pitch, pose.roll, pose.pinch])
        if not np.isfinite(values).all():
            return Reading(Reason.NOT_FINITE)
        return Reading(None, values, pose.position, hand_sign(hand))

    def smooth(self, reading: Reading, stamp_s: float) -> FloatArray:
        """Position in the operator's frame [m], pitch, roll [rad], share of the open pinch: shape (6,).

        The distance that scales the bearing is the calm one: the noise of the other would shake the hand sideways.
        """
        raw = reading.values
        # The same angle in the turn that is nearest to the last one: a filter knows no wrap-around.
        self._angles_read += [wrap_angle(a - b) for a, b in zip(raw[[PITCH, ROLL]], self._angles_read, strict=True)]
        distance = np.exp(self._depth(np.log(raw[[DISTANCE]]), stamp_s))
        across = self._across(raw[[LEFT, UP]] * np.exp(self._depth.calm), stamp_s)
        angles = self._angles(self._angles_read, stamp_s)
        hand = self._config.hand
        pinch = self._pinch((raw[[PINCH]] - hand.pinch_closed) / (hand.pinch_open - hand.pinch_closed), stamp_s)
        return np.concatenate([-distance, across, angles, pinch])

    def anchor(self, joints: FloatArray, stamp_s: float) -> None:
        """From now on the present hand means the arm at `joints` [rad] (6,), and rests until it moves noticeably."""
        del stamp_s
        distance, *others = (part.hold() for part in self._filters)
        self._hand0 = np.concatenate([-np.exp(distance), *others])
        self._joints = joints.copy()
        self._tool0 = self._kinematics.forward(joints[:N_ARM])
        self._share0 = self._reach.pitch_share(self._tool0)
        self._pickup.anchor(float(joints[GRIP]))

    def target(self, values: FloatArray, stamp_s: float) -> Target:
        """The anchored pose, moved by what the hand has moved since."""
        del stamp_s
        hand = self._config.hand
        moved = values - self._hand0
        x, y, z = self._axes @ moved[:3]
        tool = self._tool0
        # A tool that was engaged at the end of its pitch range is led away from there as the hand moves.
        inner = float(np.clip(self._share0, PITCH_END, 1.0 - PITCH_END))
        led = min(1.0, float(np.linalg.norm((x, y, z))) / PITCH_LED_M)
        requested = ToolTarget(
            point=(tool.x + x, tool.y + y, tool.z + z),
            share=self._share0 + led * (inner - self._share0),
            turn=hand.pitch_scale * moved[PITCH],
            roll=tool.roll + hand.roll_scale * moved[ROLL],
            grip=self._pickup(gap_of(values[PINCH], 0.0, 1.0)),
        )
        target = self._reach.tool(requested, self._joints)
        self._joints = target.joints
        return target

    def reset(self) -> None:
        """Forget the filtered past."""
        for part in self._filters:
            part.reset()
        self._angles_read = np.zeros(2)
