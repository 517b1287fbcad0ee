"""The arm as teleop_node sees it: where it is, whether it may be commanded, and the commands to it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, String
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.core.types import ARM_JOINTS, N_JOINTS, FloatArray
from dofbot_ros.nodes.messages import joint_positions, to_duration
from dofbot_ros.nodes.qos import COMMAND, LATCHED, STREAM
from dofbot_ros.nodes.robot_listener import RobotListener
from dofbot_ros.safety.states import ArmState
from dofbot_ros.teleop.pipeline import TeleopCommand

SILENT_S = 0.5
"""An arm that has said nothing for this long is not there [s]."""
GAP_STEP_M = 0.0005
"""Smaller changes of the gap are not worth a command [m]."""

_COMMANDABLE = (ArmState.ACTIVE.value, ArmState.HOLD.value)


class TeleopArm:
    """Subscriptions and publishers on the arm's side.

    The five joints are streamed; the gripper gets goals of its own when they change, so that the driver's care for
    fingers that a block has stopped still works.

    Args:
        node: where they live.

    Attributes:
        described: the arm as its driver describes it.
    """

    def __init__(self, node: Node) -> None:
        self._position: FloatArray = np.full(N_JOINTS, np.nan)
        self._heard_s = -float("inf")
        self.state = ""
        self._torque_asked = False
        self._gap: float | None = None
        self.described = RobotListener(node)
        node.create_subscription(JointState, "joint_states", self._on_joints, STREAM)
        node.create_subscription(String, "state", self._on_state, LATCHED)
        self._points = node.create_publisher(JointTrajectory, "command/joint_stream", COMMAND)
        self._gripper = node.create_publisher(Float64, "command/gripper", COMMAND)
        self._torque: Any = node.create_client(SetBool, "enable_torque")

    @property
    def position(self) -> FloatArray:
        """The last known joint positions [rad], shape (6,), nan where none has come yet."""
        return self._position

    @property
    def present(self) -> bool:
        """Whether it is heard."""
        known = bool(np.isfinite(self._position).all())
        return known and time.monotonic() - self._heard_s < SILENT_S

    @property
    def ready(self) -> bool:
        """Whether it takes commands."""
        return self.present and self.state in _COMMANDABLE

    @property
    def limp(self) -> bool:
        """Whether all that it lacks is torque."""
        return self.present and self.state == ArmState.IDLE.value

    @property
    def trouble(self) -> str:
        """Why it cannot be engaged, "" when it can; a limp arm gets torque on engaging."""
        if self.ready or self.limp:
            return ""
        return f"its state is {self.state}" if self.present else "it says nothing"

    def hold(self) -> None:
        """Ask for torque, once for each time that it is limp."""
        if not self._torque_asked and self._torque.service_is_ready():
            self._torque_asked = True
            self._torque.call_async(SetBool.Request(data=True))

    def send(self, command: TeleopCommand, stamp: Time) -> None:
        """Publish a command that is for the moment `stamp`."""
        point = JointTrajectoryPoint(positions=command.stopping_point.tolist(), time_from_start=to_duration(0.0))
        message = JointTrajectory(joint_names=list(ARM_JOINTS), points=[point])
        message.header.stamp = stamp
        self._points.publish(message)
        # The first gap is the one that the arm has: engaging commands nothing to the fingers.
        if self._gap is None:
            self._gap = command.gap
        elif abs(command.gap - self._gap) > GAP_STEP_M:
            self._gap = command.gap
            self._gripper.publish(Float64(data=command.gap))

    def let_go(self) -> None:
        """The next command begins a new engagement."""
        self._gap = None

    def _on_joints(self, message: JointState) -> None:
        position = self._position.copy()
        for index, value in joint_positions(message):
            position[index] = value
        self._position, self._heard_s = position, time.monotonic()

    def _on_state(self, message: String) -> None:
        self.state = message.data
        self._torque_asked = False
