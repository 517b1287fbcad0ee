"""Smooth joint motion whose tool point never exceeds a speed limit."""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import N_ARM, N_JOINTS, FloatArray
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.trajectory import Sample
from dofbot_ros.teleop.config import MotionConfig

_HALVINGS = 20
_WHOLE = 1.0 - 1e-9


class ToolSpeedLimiter:
    """Jerk-limited joint motion (Ruckig), played slower wherever the tool would be too fast.

    Ruckig limits each joint; how fast the tool then is depends on the pose. So its motion is taken as a path with a
    time of its own, and each control period plays as much of a period as the tool's limit allows. The share is
    1 or limit / tool speed: continuous, so the velocity does not leap, and the path itself is not changed.

    The gripper moves by itself: closing it takes a second, and the arm, which arrives with all its joints together,
    must not wait for it.

    Args:
        config: limits.
        kinematics: of the arm.
        period_s: control period [s].
    """

    def __init__(self, config: MotionConfig, kinematics: Kinematics, period_s: float) -> None:
        self._kinematics = kinematics
        self._period_s = period_s
        self._step_m = config.max_tool_speed * period_s
        self._motion, self._grip = (
            OnlineMotion(period_s, config.max_velocity * ones, config.max_acceleration * ones, config.max_jerk * ones)
            for ones in (np.ones(N_ARM), np.ones(1))
        )
        self._from = self._to = np.zeros(N_ARM)
        self._played = 1.0
        self._position = np.zeros(N_JOINTS)

    @property
    def position(self) -> FloatArray:
        """Where the arm was last asked to be [rad], shape (6,)."""
        return self._position.copy()

    @property
    def at_rest(self) -> bool:
        """Whether nothing moves any more."""
        arrived = bool(np.abs(self._to - self._position[:N_ARM]).max() < 1e-12)
        return self._motion.at_rest and self._grip.at_rest and arrived

    def reset(self, position: FloatArray) -> None:
        """Be at rest at `position` [rad], shape (6,)."""
        self._motion.reset(position[:N_ARM])
        self._grip.reset(position[N_ARM:])
        self._position = position.copy()
        self._from = self._to = self._position[:N_ARM]
        self._played = 1.0

    def step(self, target: FloatArray | None) -> Sample:
        """One control period towards `target` (6,) [rad], or towards rest when None.

        Returns:
            Where the arm shall be at the end of the period [rad], and its mean velocity on the way [rad/s].
        """
        before = self._position
        arm = self._step_arm(None if target is None else target[:N_ARM], before[:N_ARM])
        grip = self._grip.halt() if target is None else self._grip.update(target[N_ARM:])
        self._position = np.concatenate([arm, grip.position])
        return Sample(self._position.copy(), (self._position - before) / self._period_s)

    def _step_arm(self, target: FloatArray | None, before: FloatArray) -> FloatArray:
        """The arm joints (5,) [rad] at the end of the period."""
        budget = 1.0
        # At most two pieces: the rest of Ruckig's present period, and the beginning of its next one.
        while budget > 1e-9:
            if self._played >= _WHOLE:
                sample = self._motion.halt() if target is None else self._motion.update(target)
                self._from, self._to, self._played = self._to, sample.position, 0.0
            piece = min(budget, 1.0 - self._played)
            share = self._allowed(before, piece)
            self._played += share
            budget = budget - piece if share >= piece else 0.0
        return self._from + self._played * (self._to - self._from)

    def _allowed(self, before: FloatArray, piece: float) -> float:
        """The longest share of a period, up to `piece`, that leaves the tool within its step from `before` (5,)."""
        if self._travel(before, piece) <= self._step_m:
            return piece
        low, high = 0.0, piece
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self._travel(before, middle) <= self._step_m else (low, middle)
        return low

    def _travel(self, before: FloatArray, share: float) -> float:
        """How far the tool is from where it was, after `share` more of the present piece [m]."""
        after = self._from + (self._played + share) * (self._to - self._from)
        a, b = (self._kinematics.forward(q) for q in (before, after))
        return float(np.linalg.norm((b.x - a.x, b.y - a.y, b.z - a.z)))
