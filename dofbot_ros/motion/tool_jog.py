"""Moves the tool with a velocity that is renewed from outside, solved for the joints anew in each control period."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP, FloatArray
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.trajectory import MotionLimits, Sample
from dofbot_ros.motion.twist import check_twist, solve_twist


class ToolJog:
    """A MotionSource that follows a twist of the tool; joint velocities are a direction of the tool at one pose only.

    Args:
        kinematics: of the arm.
        motion: generates the joints' motion; reset to where the arm is.
        limits: of the joints.
        twist: velocity of tool_link in base_link (3,) [m/s], and its angular velocity in base_link (3,) [rad/s].
        stamp_s: when the twist was made [s].

    Raises:
        CommandRefusedError: a twist that is not finite, or that this arm could not be meant to make.
    """

    kind = "twist"

    def __init__(
        self,
        kinematics: Kinematics,
        motion: OnlineMotion,
        limits: MotionLimits,
        twist: tuple[ArrayLike, ArrayLike],
        stamp_s: float,
    ) -> None:
        self._kinematics, self._motion, self._limits = kinematics, motion, limits
        self.done = False
        self.limited = ""
        """Why the tool does not go on, "" while it does."""
        self.renew(twist, stamp_s)

    def renew(self, twist: tuple[ArrayLike, ArrayLike], stamp_s: float) -> None:
        """The next twist, made at `stamp_s` [s].

        Raises:
            CommandRefusedError: as the constructor; the twist before goes on.
        """
        self._twist = check_twist(*twist)
        self.stamp_s = stamp_s

    def limit(self, limits: MotionLimits) -> None:
        """Other limits of the joints, from the next period on."""
        self._limits = limits

    def setpoint(self, now_s: float, scale: float) -> Sample:
        """One period on, with velocities scaled by `scale`."""
        del now_s
        at = self._motion.state
        solution = solve_twist(
            self._kinematics,
            at.position[:GRIP],
            *self._twist,
            self._limits.velocity[:GRIP],
            acceleration=self._limits.acceleration[:GRIP],
            moving=at.velocity[:GRIP],
        )
        self.limited = solution.limited
        return self._motion.update_velocity(np.append(scale * solution.velocity, 0.0))

    def keep_near(self, position: FloatArray, velocity: FloatArray) -> None:
        """Go on from what was really commanded, (6,) [rad] and [rad/s], where that differs."""
        if np.abs(self._motion.state.position - position)[:GRIP].max() > 1e-3:
            self._motion.reset(position, velocity)
