"""From a policy's action to joint goals, one period at a time: one mapping for training and for the arm."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dofbot_ros.arm.gripper import CLOSED
from dofbot_ros.arm.robot import DRAWN, Robot
from dofbot_ros.core.types import GRIP
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.grasp.planning.hand_geometry import pad_depth
from dofbot_ros.policy.interface.rate_limiter import RateLimiter
from dofbot_ros.policy.interface.state import SceneState
from dofbot_ros.policy.interface.tool_pitch_map import reach_map

PERIOD_S = 0.04
"""Of a policy [s]: as often as the driver writes to real servos."""

TOOL_STEP = 0.008
"""What a full action moves the tool by in one period, along each axis [m]."""

ROLL_STEP = 0.060
GRIP_STEP = 0.120
JOINT_STEP = 0.060
"""What a full action turns joint 5, the gripper's cranks, and any joint by [rad]."""

GRIP_LEAD = 0.20
"""The gripper's goal stays this close to where the fingers are [rad]: full force without a stall."""

FLOOR = 0.0015
"""Goals of the tool keep the lowest corner of the finger pads this high above the table [m]. The governor's margin is
1 mm, and it brakes all joints where a command would break it."""

LOW = 0.045
"""No corner of the pads is further below the tool than this [m]."""

ROUNDING = 0.0003
"""What the map's interpolation may make a pose lower than it should be [m]."""

AZIMUTH = 1.2
"""Largest angle of joint 1 to either side that tool actions reach [rad]."""


class ActionMapper:
    """Turns actions into joint goals, counted on from the last command and limited as the governor limits them.

    Args:
        robot: the arm that is steered; by default the one that environments simulate.

    Attributes:
        map: how the tool leans where.
    """

    def __init__(self, robot: Robot = DRAWN) -> None:
        self.map = reach_map(robot)
        self._limiter = RateLimiter(DriverConfig().motion_limits(robot), PERIOD_S)

    @property
    def command(self) -> list[float]:
        """What the joints were last told [rad], (6,)."""
        return self._limiter.position

    def start(self, position: Sequence[float]) -> None:
        """Be at rest at `position` [rad] (6,)."""
        self._limiter.start(position)

    def goal(self, control: str, action: Sequence[float], measured_grip: float) -> list[float]:
        """Joint goals [rad] (6,) of an action that displaces the "tool" (5,) or the "joints" (6,)."""
        return (self.goal_of_tool if control == "tool" else self.goal_of_joints)(action, measured_grip)

    def goal_of_tool(self, action: Sequence[float], measured_grip: float) -> list[float]:
        """Joint goals [rad] (6,) of a tool displacement x, y, z, roll, grip, each -1..1; the tilt follows the map.

        Args:
            action: (5,).
            measured_grip: where grip_joint is measured to be [rad].
        """
        q = self._limiter.position
        radius, z = self.map.point((q[1], q[2], q[3]))
        roll, grip = q[4] + ROLL_STEP * action[3], self._grip_goal(action[4], measured_grip)
        # The map leads the tool's axis; fingers beside it are turned by the roll, which is not what was asked for.
        pitch = q[1] + q[2] + q[3]
        now, then = self.map.beside(q[0], pitch, q[4]), self.map.beside(q[0], pitch, roll)
        x = radius * math.cos(q[0]) + TOOL_STEP * action[0] + (now[0] - then[0])
        y = radius * math.sin(q[0]) + TOOL_STEP * action[1] + (now[1] - then[1])
        azimuth = min(max(math.atan2(y, x), -AZIMUTH), AZIMUTH)
        wanted, higher = math.hypot(x, y), z + TOOL_STEP * action[2] + (now[2] - then[2])
        if higher < FLOOR + LOW:
            pitch = self.map.pitch(wanted, higher) or pitch
            higher = max(higher, FLOOR + self._depth(pitch, roll, grip))
        # At the edge of the reach the tool slides along it.
        for place in ((wanted, higher), (radius, higher), (wanted, z)):
            joints = self.map.solve(*place)
            if joints is not None:
                break
        else:
            joints = (q[1], q[2], q[3])
        turn = (azimuth - q[0], joints[0] - q[1], joints[1] - q[2], joints[2] - q[3])
        # All joints slowed down alike, or the tool would leave its line wherever one of them is too slow.
        share = min(1.0, self._limiter.most / max(1e-9, *map(abs, turn)))
        arm = [angle + share * by for angle, by in zip(q, turn, strict=False)]
        height, pitch = self.map.point((arm[1], arm[2], arm[3]))[1], arm[1] + arm[2] + arm[3]
        if height < FLOOR + LOW and height < FLOOR + self._depth(pitch, roll, grip) - ROUNDING:
            # The arm has not risen by what this takes: the hand waits, unless where it is now is lower still.
            roll, grip = min((roll, grip), (q[4], q[GRIP]), key=lambda hand: self._depth(pitch, *hand))
        return [*arm, roll, grip]

    def goal_of_joints(self, action: Sequence[float], measured_grip: float) -> list[float]:
        """Joint goals [rad] (6,) of a displacement of joints 1 to 5 and grip, each -1..1."""
        q = self._limiter.position
        return [*(q[i] + JOINT_STEP * action[i] for i in range(GRIP)), self._grip_goal(action[GRIP], measured_grip)]

    def step(self, goal: Sequence[float]) -> list[float]:
        """One period towards `goal` [rad] (6,). Returns the command [rad] (6,)."""
        return self._limiter.step(goal)

    def stopping_point(self) -> list[float]:
        """Where the joints would come to rest if they braked now [rad] (6,): what a driver can follow without a lag."""
        return self._limiter.stopping_point()

    def measure(self, state: SceneState, joints: list[float]) -> None:
        """A period on: fill in what follows from measured `joints` [rad] (6,) and from the last command."""
        state.before, state.joints, state.command = state.joints, joints, list(self._limiter.position)
        state.tool = self.map.tool(joints)
        state.pitch = joints[1] + joints[2] + joints[3]

    def _grip_goal(self, action: float, measured_grip: float) -> float:
        wanted = self._limiter.position[GRIP] + GRIP_STEP * action
        return min(max(wanted, measured_grip - GRIP_LEAD), measured_grip + GRIP_LEAD)

    def _depth(self, pitch: float, roll: float, grip: float) -> float:
        """How far the finger pads come below the tool's axis [m] at these angles [rad]."""
        below = pad_depth(math.pi - pitch, roll, min(max(grip, 0.0), CLOSED))
        return below - self.map.beside(0.0, pitch, roll)[2]
