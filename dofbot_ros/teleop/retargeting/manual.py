"""Steering by rates: what keyboard and gamepad have in common, as a mode like the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from dofbot_ros.arm.gripper import MAX_GAP, gap_to_joint, joint_to_gap
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP, N_ARM, N_JOINTS, FloatArray
from dofbot_ros.teleop.config import ManualConfig, Sign
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.retargeting.retarget import Ask, Reading
from dofbot_ros.teleop.retargeting.target_limiter import PITCH_END, Target, TargetLimiter, ToolTarget


class Axis(IntEnum):
    """Places in the rates of a manual input."""

    X, Y, Z, PITCH, ROLL, GAP = range(6)


@dataclass(frozen=True, eq=False)
class ManualInput:
    """What the operator's device says now.

    Attributes:
        stamp_s: when it was read [s].
        rates: deflection of x, y, z, pitch, roll, gap, each -1 to 1, shape (6,).
        clutch: whether he asks to engage or to release.
    """

    stamp_s: float
    rates: FloatArray = field(default_factory=lambda: np.zeros(len(Axis)))
    clutch: Ask | None = None


class ManualMode:
    """Integrates rates into a tool target.

    Args:
        config: speeds at full deflection.
        kinematics: of the arm.
        reach: what the arm can and may do.
    """

    MAX_STEP_S = 0.1
    """Longest time between two inputs that is integrated: a late one makes no leap."""

    engage_sign: Sign = "none"
    release_sign: Sign = "none"

    def __init__(self, config: ManualConfig, kinematics: Kinematics, reach: TargetLimiter) -> None:
        self._kinematics, self._reach = kinematics, reach
        linear = config.linear
        self._speeds = np.array([linear, linear, linear, config.pitch, config.roll, config.gap])
        self._requested = ToolTarget((0.0, 0.0, 0.0), 0.5, 0.0, 0.0, 0.0)
        self._joints = np.zeros(N_JOINTS)
        self._stamp_s = 0.0

    def read(self, source: ManualInput) -> Reading:
        """Signal (6,): the rates."""
        finite = bool(np.isfinite(source.rates).all())
        values = np.clip(source.rates, -1.0, 1.0) if finite else np.zeros(len(Axis))
        return Reading(None if finite else Reason.NOT_FINITE, values, ask=source.clutch)

    def smooth(self, reading: Reading, stamp_s: float) -> FloatArray:
        """Rates need no filter: what they move is smoothed by the motion limits."""
        del stamp_s
        return reading.values

    def anchor(self, joints: FloatArray, stamp_s: float) -> None:
        """Begin at the present `joints` [rad] (6,)."""
        tool = self._kinematics.forward(joints[:N_ARM])
        share = self._reach.pitch_share(tool)
        self._requested = ToolTarget((tool.x, tool.y, tool.z), share, 0.0, tool.roll, float(joints[GRIP]))
        self._joints, self._stamp_s = joints.copy(), stamp_s

    def target(self, values: FloatArray, stamp_s: float) -> Target:
        """The target moved on at `values` (rates, shape (6,)) for the time since the last input."""
        step = self._speeds * values * float(np.clip(stamp_s - self._stamp_s, 0.0, self.MAX_STEP_S))
        self._stamp_s = stamp_s
        now = self._requested
        share, grip = now.share, now.grip
        if step[Axis.PITCH]:
            share = float(np.clip(share + step[Axis.PITCH], PITCH_END, 1.0 - PITCH_END))
        if step[Axis.GAP]:
            grip = gap_to_joint(float(np.clip(joint_to_gap(grip) + step[Axis.GAP], 0.0, MAX_GAP)))
        x, y, z = (now.point[i] + step[i] for i in (Axis.X, Axis.Y, Axis.Z))
        target = self._reach.tool(ToolTarget((x, y, z), share, 0.0, now.roll + step[Axis.ROLL], grip), self._joints)
        # The next request begins where the arm can be: pushing on against a bound winds nothing up.
        tool = target.tool
        self._requested = ToolTarget((tool.x, tool.y, tool.z), share, 0.0, tool.roll, float(target.joints[GRIP]))
        self._joints = target.joints
        return target

    def reset(self) -> None:
        """Nothing is remembered between engagements."""
