"""From what an operator does to a joint stream: filter, clutch, retargeting, speed limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

import numpy as np

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP, N_ARM, FloatArray, ToolPose
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.teleop.config import TeleopConfig
from dofbot_ros.teleop.input.landmarks import Observation
from dofbot_ros.teleop.retargeting.body_mode import BodyMode
from dofbot_ros.teleop.retargeting.clutch import Clutch, Reason
from dofbot_ros.teleop.retargeting.hand_mode import HandMode
from dofbot_ros.teleop.retargeting.manual import ManualInput, ManualMode
from dofbot_ros.teleop.retargeting.retarget import Retarget, Source_contra
from dofbot_ros.teleop.retargeting.target_limiter import Target, TargetLimiter
from dofbot_ros.teleop.retargeting.tool_speed_limiter import ToolSpeedLimiter

GRIP_LEAD = 0.3
"""A gripper that stops within this distance of its goal is taken to hold a block [rad]."""


@dataclass(frozen=True, eq=False)
class TeleopCommand:
    """One control period's command.

    Attributes:
        position: joints at the end of the period [rad], shape (6,).
        velocity: on the way there [rad/s], shape (6,).
        gap: of the gripper [m].
        tool: tool pose of `position`.
        stamp_s: capture time of the frame that the command follows [s].
        acceleration: limit with which the joints brake [rad/s^2].
    """

    position: FloatArray
    velocity: FloatArray
    gap: float
    tool: ToolPose
    stamp_s: float
    acceleration: float

    @property
    def stopping_point(self) -> FloatArray:
        """Where the arm would rest if it braked now [rad], shape (5,); a driver follows this point without lag."""
        velocity = self.velocity[:N_ARM]
        point: FloatArray = self.position[:N_ARM] + velocity * np.abs(velocity) / (2.0 * self.acceleration)
        return point


@dataclass(frozen=True)
class TeleopStatus:
    """The state of teleoperation, for the operator and for other programs.

    Attributes:
        engaged: whether the arm follows the operator.
        reason: why it was released the last time.
        fault: what prevents engaging now; None when nothing does.
        progress: share of the time for which the engaging or releasing gesture has been held, 0 to 1.
        clamped: whether the operator's target was outside of what the arm can or may do.
        target: tool pose that the operator asks for; None while not engaged.
        gap: of the fingers that he asks for [m]; None while not engaged.
        primed: whether the gesture counts when it is shown now: it was seen absent before.
    """

    engaged: bool
    reason: Reason
    fault: Reason | None
    progress: float
    clamped: bool
    target: ToolPose | None
    gap: float | None = None
    primed: bool = False


class TeleopPipeline(Generic[Source_contra]):
    """One operator and one arm. Not thread-safe. Inputs and control periods need no common rate.

    Args:
        config: of teleoperation.
        kinematics: of the arm.
        workspace: the arm has to be inside of it when the operator engages.
        mode: what turns inputs into targets; see `landmark_pipeline` and `manual_pipeline`.
    """

    def __init__(
        self, config: TeleopConfig, kinematics: Kinematics, workspace: Workspace, mode: Retarget[Source_contra]
    ) -> None:
        self.config = config
        self._kinematics, self._workspace = kinematics, workspace
        self._mode = mode
        self._clutch = Clutch(config.clutch, self._mode.engage_sign, self._mode.release_sign)
        self._motion = ToolSpeedLimiter(config.motion, kinematics, 1.0 / config.control_rate_hz)
        self._acceleration = config.motion.max_acceleration
        self._values: FloatArray | None = None
        self._values_s = 0.0
        self._point: FloatArray | None = None
        self._target: Target | None = None
        self._moving = False
        self._commanded = False

    @property
    def status(self) -> TeleopStatus:
        """The state now."""
        clutch, target = self._clutch, self._target
        return TeleopStatus(
            clutch.engaged, clutch.reason, clutch.fault, clutch.progress,
            target is not None and target.clamped, None if target is None else target.tool,
            None if target is None else joint_to_gap(float(target.joints[GRIP])), clutch.primed,
        )  # fmt: skip

    @property
    def moving(self) -> bool:
        """Whether step() gives commands: the arm is engaged, or has not come to rest yet."""
        return self._moving

    def observe(self, source: Source_contra, now_s: float) -> None:
        """Process one frame's landmarks, or one reading of a device, at `now_s` [s] on the clock of its stamp."""
        stamp_s = source.stamp_s
        self._clutch.tick(now_s)
        reading = self._mode.read(source)
        fault = reading.fault
        if fault is None and self._jumped(reading.point, stamp_s):
            fault = Reason.OUTLIER
        if not self._clutch.observe(stamp_s, now_s, fault, reading.sign):
            return
        if reading.ask == "engage":
            self._clutch.engage()
        elif reading.ask == "release":
            self._clutch.release()
        if stamp_s - self._values_s > self.config.clutch.hold_after_s:
            self._mode.reset()
        self._values, self._values_s = self._mode.smooth(reading, stamp_s), stamp_s
        self._point = reading.point
        if self._clutch.engaged and self._target is not None:
            self._target = self._mode.target(self._values, stamp_s)

    def engage(self) -> Reason | None:
        """Engage by a key or a service. Returns what prevents it; None when the arm is engaged."""
        return self._clutch.engage()

    def release(self, reason: Reason = Reason.RELEASED) -> None:
        """Disengage: the arm comes to a smooth stop."""
        self._clutch.release(reason)

    def recenter(self) -> None:
        """Make the operator's present hand pose correspond to the arm's present pose."""
        self._target = None

    def step(self, measured: FloatArray, now_s: float) -> TeleopCommand | None:
        """One control period.

        Args:
            measured: where the arm is [rad], shape (6,); read when engaging.
            now_s: on the clock of the stamps [s].

        Returns:
            The command; None while there is nothing to command: not engaged, and at rest.
        """
        self._clutch.tick(now_s)
        if self._clutch.engaged and self._target is None and self._values is not None:
            self._anchor(measured)
        if not self._clutch.engaged:
            self._target = None
        if self._target is not None:
            return self._command(self._target.joints)
        return self._command(None) if self._moving else None

    def _anchor(self, measured: FloatArray) -> None:
        """Make the hand pose correspond to the arm's pose: the commanded one while it moves, else the measured one."""
        if not self._moving:
            if not np.isfinite(measured).all() or self._outside(measured):
                self._clutch.release(Reason.UNREACHABLE)
                return
            if self._workspace.violation(measured):
                # The governor only lets it move back into the workspace, and operators seldom ask for that.
                self._clutch.release(Reason.TOO_NEAR)
                return
            self._motion.reset(self._resting(measured))
        joints = self._motion.position
        self._mode.anchor(joints, self._values_s)
        self._target = Target(joints, self._kinematics.forward(joints[:N_ARM]), clamped=False)
        self._moving = self._commanded = True

    def _resting(self, measured: FloatArray) -> FloatArray:
        """The measured joints, with the gripper's commanded angle: on a block the fingers stop before their goal."""
        joints, asked = measured.copy(), self._motion.position[GRIP]
        if self._commanded and abs(asked - measured[GRIP]) < GRIP_LEAD:
            joints[GRIP] = asked
        return joints

    def _outside(self, joints: FloatArray) -> bool:
        kin = self._kinematics
        return bool(((joints[:N_ARM] < kin.lower - 0.1) | (joints[:N_ARM] > kin.upper + 0.1)).any())

    def _command(self, target: FloatArray | None) -> TeleopCommand:
        sample = self._motion.step(target)
        if target is None and self._motion.at_rest:
            self._moving = False
        tool = self._kinematics.forward(sample.position[:N_ARM])
        gap = joint_to_gap(float(sample.position[GRIP]))
        return TeleopCommand(sample.position, sample.velocity, gap, tool, self._values_s, self._acceleration)

    def _jumped(self, point: FloatArray, stamp_s: float) -> bool:
        age = stamp_s - self._values_s
        if self._point is None or age > self.config.clutch.hold_after_s:
            return False
        c = self.config.clutch
        return float(np.linalg.norm(point - self._point)) > c.jump_m + c.max_hand_speed * max(age, 0.0)


def landmark_pipeline(
    config: TeleopConfig, kinematics: Kinematics, workspace: Workspace
) -> TeleopPipeline[Observation]:
    """Teleoperation by hand or arm, as `config.mode` says; targets keep clear of `workspace`, as the governor will."""
    reach = TargetLimiter(kinematics, workspace, config.reach)
    mode: Retarget[Observation] = (
        HandMode(config, kinematics, reach) if config.mode == "hand" else BodyMode(config, reach)
    )
    return TeleopPipeline(config, kinematics, workspace, mode)


def manual_pipeline(config: TeleopConfig, kinematics: Kinematics, workspace: Workspace) -> TeleopPipeline[ManualInput]:
    """Teleoperation by keyboard or gamepad."""
    reach = TargetLimiter(kinematics, workspace, config.reach)
    return TeleopPipeline(config, kinematics, workspace, ManualMode(config.manual, kinematics, reach))
