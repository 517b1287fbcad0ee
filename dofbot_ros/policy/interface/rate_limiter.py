"""What the governor leaves of a stream of joint goals, in scalar arithmetic: quick enough for a training loop."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dofbot_ros.core.types import GRIP, N_ARM
from dofbot_ros.motion.braking import joint_braking_velocity
from dofbot_ros.motion.trajectory import MotionLimits


class RateLimiter:
    """Limits of velocity, acceleration and joint position, as the Governor applies them to a moving setpoint.

    The workspace is not in it: the environment keeps the tool where the reach map lets it be. A test compares the two.

    Args:
        limits: of the motion.
        period_s: between two goals [s].
    """

    def __init__(self, limits: MotionLimits, period_s: float) -> None:
        self._period = period_s
        rows = zip(limits.lower, limits.upper, limits.velocity, limits.acceleration, strict=True)
        self._joints: list[tuple[float, float, float, float, float]] = []
        for low, high, speed, acceleration in rows:
            step = float(acceleration) * period_s
            self._joints.append(
                (float(low), float(high), float(speed), step, braking_room(float(speed), step, period_s))
            )
        self.most = float(limits.velocity[:N_ARM].min()) * period_s
        """The furthest that every joint of the arm can go in one period [rad]."""
        self.position: list[float] = [0.0] * len(self._joints)
        self._velocity = self.position.copy()

    def start(self, position: Sequence[float]) -> None:
        """Be at rest at `position` [rad]."""
        self.position = list(position)
        self._velocity = [0.0] * len(self._joints)

    def step(self, goal: Sequence[float]) -> list[float]:
        """One period towards `goal` [rad]. Returns where the joints may be told to go [rad]."""
        dt = self._period
        for i, (low, high, speed, step, room) in enumerate(self._joints):
            q, last = self.position[i], self._velocity[i]
            wanted = goal[i]
            if not low <= wanted <= high:
                wanted = min(max(wanted, min(low, q)), max(high, q))
            velocity = (wanted - q) / dt
            if not -speed <= velocity <= speed:
                velocity = min(max(velocity, -speed), speed)
            if not last - step <= velocity <= last + step:
                velocity = min(max(velocity, last - step), last + step)
            if high - q < room:
                velocity = min(velocity, joint_braking_velocity(max(high - q, 0.0), step, dt))
            if q - low < room:
                velocity = max(velocity, -joint_braking_velocity(max(q - low, 0.0), step, dt))
            self.position[i] = q + velocity * dt
            self._velocity[i] = velocity
        return self.position

    def stopping_point(self) -> list[float]:
        """Where the joints would come to rest if they braked now [rad]; of the gripper, where it is told to be."""
        dt = self._period
        point = [
            q + v * abs(v) / (2.0 * step / dt)
            for q, v, (_, _, _, step, _) in zip(self.position, self._velocity, self._joints, strict=True)
        ]
        point[GRIP] = self.position[GRIP]
        return point


def braking_room(speed: float, step: float, period_s: float) -> float:
    """This far from its limit [rad] and further, a joint can brake from `speed`; see braking_velocity."""
    periods = math.ceil(speed / step) + 1
    return 0.5 * periods * (periods + 1) * step * period_s
