"""The arm as policy_node sees it: its joints, its state, and the commands to it."""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.core.clock import Clock
from dofbot_ros.core.types import JOINT_NAMES, N_JOINTS, FloatArray
from dofbot_ros.nodes.abilities_listener import AbilitiesListener
from dofbot_ros.nodes.messages import joint_positions, to_duration
from dofbot_ros.nodes.qos import COMMAND, LATCHED, STREAM
from dofbot_ros.nodes.stamps import Stamps
from dofbot_ros.policy.session import Follow, GoTo, Order
from dofbot_ros.safety.states import ArmState

SILENT_S = 0.5
"""An arm that has said nothing for this long is not there [s]."""


class PolicyArm:
    """Subscriptions, publishers and clients on the arm's side.

    All six joints are streamed, as in training: the policy itself keeps the gripper's goal close to the fingers.

    Args:
        node: where they live.
        clock: the arm's.
        stamps: between it and ROS.

    Attributes:
        told: what the driver tells of its arm.
    """

    def __init__(self, node: Node, clock: Clock, stamps: Stamps) -> None:
        self._node, self._clock, self._stamps = node, clock, stamps
        self.position: FloatArray = np.full(N_JOINTS, np.nan)
        self._read_s: FloatArray = np.full(N_JOINTS, -np.inf)
        self._heard_s = -float("inf")
        self._state = ""
        self._torque_asked = False
        self.told = AbilitiesListener(node)
        subscribe, publish = node.create_subscription, node.create_publisher
        subscribe(JointState, "joint_states", self._on_joints, STREAM)
        subscribe(String, "state", self._on_state, LATCHED)
        self._trajectories = publish(JointTrajectory, "command/joint_trajectory", COMMAND)
        self._points = publish(JointTrajectory, "command/joint_stream", COMMAND)
        self._stop: Any = node.create_client(Trigger, "stop")
        self._torque: Any = node.create_client(SetBool, "enable_torque")

    @property
    def stamp_s(self) -> float:
        """When the joint that was read longest ago was read, on the arm's clock [s]."""
        return float(self._read_s.min())

    @property
    def state(self) -> str:
        """Of the arm; "" when it says nothing."""
        return self._state if self._clock.now() - self._heard_s < SILENT_S else ""

    @property
    def limp(self) -> bool:
        """Whether all that it lacks is torque."""
        return self.state == ArmState.IDLE.value

    def hold(self) -> None:
        """Ask for torque, once for each time that it is limp."""
        if not self._torque_asked and self._torque.service_is_ready():
            self._torque_asked = True
            self._torque.call_async(SetBool.Request(data=True))

    def carry_out(self, order: Order, now_s: float) -> None:
        """Pass an order on; a point is for the moment `now_s` on the arm's clock [s]."""
        if isinstance(order, Follow):
            self._points.publish(self._message(order.position, 0.0, now_s))
        elif isinstance(order, GoTo):
            self._trajectories.publish(self._message(order.position, order.seconds, now_s))
        elif self._stop.service_is_ready():
            # Without it the arm halts all the same, once the stream is too old.
            self._stop.call_async(Trigger.Request())

    def _message(self, position: FloatArray | list[float], seconds: float, now_s: float) -> JointTrajectory:
        point = JointTrajectoryPoint(positions=[float(q) for q in position], time_from_start=to_duration(seconds))
        message = JointTrajectory(joint_names=list(JOINT_NAMES), points=[point])
        message.header.stamp = self._stamps.to_ros(now_s)
        return message

    def _on_joints(self, message: JointState) -> None:
        stamp_s = self._stamps.to_arm(message.header.stamp)
        position = self.position.copy()
        for index, value in joint_positions(message):
            position[index], self._read_s[index] = value, stamp_s
        self.position, self._heard_s = position, self._clock.now()

    def _on_state(self, message: String) -> None:
        self._state = message.data
        self._torque_asked = False
