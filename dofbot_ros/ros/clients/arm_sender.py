"""`ArmSender` sends commands to an arm without waiting for the end of their motion: streams, messages, requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose, PoseStamped, TwistStamped
from numpy.typing import ArrayLike
from rclpy.node import Node
from std_msgs.msg import Float64
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.ros.clients.arm_listener import ArmListener
from dofbot_ros.ros.conversions.messages import from_time, to_duration, to_time
from dofbot_ros.ros.runtime.qos import COMMAND

SERVICE_TIMEOUT_S = 5.0
FOUND_S = 15.0
"""How long a service may take to be found: discovery is slow on a machine that is still starting its nodes [s]."""
MATCH_S = 1.0
"""How long a new publisher may take to find the driver [s]."""
UNHEARD = "the arm's node does not subscribe to commands: what is sent to it would be lost"
REQUESTS = {"stop": Trigger, "estop": Trigger, "enable_torque": SetBool}
"""Services that can be called without waiting for the answer -> their types."""


class ArmSender(ArmListener):
    """An ArmListener that also sends commands, for callbacks that must not wait. It does not wait for a motion to end.

    The first send_pose or send_twist may take MATCH_S. trigger(), switch() and call() wait for their answer.

    Args:
        node: the node that owns subscriptions and publishers. Its namespace has to be the arm's; its name tells the
            driver who commands.
        check: as ArmListener.
        to_seconds: as ArmListener.
        requests: services that request_stop(), request_estop() and request_torque() will call: "stop", "estop",
            "enable_torque". Their clients are made at once, since those calls do not wait for discovery.
    """

    def __init__(
        self,
        node: Node,
        check: Callable[[], None] = lambda: None,
        *,
        to_seconds: Callable[[Time], float] = from_time,
        requests: Sequence[str] = (),
    ) -> None:
        super().__init__(node, check, to_seconds=to_seconds)
        publish = node.create_publisher
        self._trajectories = publish(JointTrajectory, "command/joint_trajectory", COMMAND)
        self._points = publish(JointTrajectory, "command/joint_stream", COMMAND)
        self._gripper = publish(Float64, "command/gripper", COMMAND)
        self._services: dict[str, Any] = {}
        self._seldom: dict[str, Any] = {}
        for name in requests:
            self._service(REQUESTS[name], name)
        self._torque_asked_at = -1

    @property
    def hears_commands(self) -> bool:
        """Whether the driver's subscriptions to commands are known here: what is published before is lost."""
        return all(p.get_subscription_count() > 0 for p in (self._trajectories, self._points, self._gripper))

    @property
    def present(self) -> bool:
        """Whether all joints were heard of just now, and the arm hears commands."""
        return super().present and self.hears_commands

    @property
    def silence(self) -> str:
        """Why no joint states come, or no command can arrive; "" where both can."""
        return UNHEARD if super().present and not self.hears_commands else super().silence

    def stream(self, position: ArrayLike, joints: Sequence[str] = JOINT_NAMES, stamp_s: float | None = None) -> None:
        """Send one point to be followed at once.

        Args:
            position: [rad] shape (len(joints),).
            joints: names of the entries.
            stamp_s: when the point was made, in ROS time [s]; None for now.
        """
        message = JointTrajectory(joint_names=list(joints))
        message.header.stamp = self.node.get_clock().now().to_msg() if stamp_s is None else to_time(stamp_s)
        message.points = [JointTrajectoryPoint(positions=[float(v) for v in np.asarray(position)])]
        self._points.publish(message)

    def send_trajectory(
        self,
        times: Sequence[float],
        positions: ArrayLike,
        joints: Sequence[str] = JOINT_NAMES,
        velocities: ArrayLike | None = None,
    ) -> None:
        """Send a trajectory; arguments as of ArmClient.move()."""
        rows = np.asarray(positions, dtype=np.float64)
        points = [
            JointTrajectoryPoint(positions=row.tolist(), time_from_start=to_duration(t))
            for t, row in zip(times, rows, strict=True)
        ]
        if velocities is not None:
            for point, row in zip(points, np.asarray(velocities, dtype=np.float64), strict=True):
                point.velocities = row.tolist()
        self._trajectories.publish(JointTrajectory(joint_names=list(joints), points=points))

    def send_gripper(self, gap: float) -> None:
        """Send the gap [m] that the fingers are to open or close to."""
        self._gripper.publish(Float64(data=float(gap)))

    def send_pose(self, pose: Pose) -> None:
        """Send a goal pose of the tool in base_link."""
        message = PoseStamped(pose=pose)
        message.header.frame_id = "base_link"
        self._publisher(PoseStamped, "command/pose").publish(message)

    def send_twist(self, linear: ArrayLike, angular: ArrayLike = (0.0, 0.0, 0.0)) -> None:
        """Send a velocity of the tool in base_link, to be followed at once: [m/s] (3,), [rad/s] (3,)."""
        message = TwistStamped()
        message.header.frame_id, message.header.stamp = "base_link", self.node.get_clock().now().to_msg()
        for vector, values in ((message.twist.linear, linear), (message.twist.angular, angular)):
            vector.x, vector.y, vector.z = (float(v) for v in np.asarray(values))
        self._publisher(TwistStamped, "command/twist").publish(message)

    def request_stop(self) -> None:
        """Request a stop without waiting. If the service is missing, the arm halts once its stream is too old."""
        self._request(Trigger, "stop", Trigger.Request())

    def request_estop(self) -> bool:
        """Request an emergency stop without waiting. Returns whether the service was there."""
        return self._request(Trigger, "estop", Trigger.Request())

    def request_torque(self) -> None:
        """Request torque without waiting, once for each state that the arm publishes."""
        if self._torque_asked_at != self._states_heard and self._request(
            SetBool, "enable_torque", SetBool.Request(data=True)
        ):
            self._torque_asked_at = self._states_heard

    # -- services ----------------------------------------------------------------------------------------------------

    def trigger(self, name: str, timeout_s: float = SERVICE_TIMEOUT_S) -> str:
        """Call a Trigger service. Returns its message.

        Raises:
            CommandRefusedError: it answered with success = false.
            DofbotError: there is no such service, or no answer within `timeout_s` [s].
        """
        return self._answer(self.call(Trigger, name, Trigger.Request(), timeout_s))

    def switch(self, name: str, on: bool) -> str:
        """Call a SetBool service; as trigger()."""
        return self._answer(self.call(SetBool, name, SetBool.Request(data=on)))

    def call(self, kind: Any, name: str, request: Any, timeout_s: float = SERVICE_TIMEOUT_S) -> Any:
        """Call a service of any kind. Returns its response.

        Raises:
            DofbotError: there is no such service, or no answer within `timeout_s` [s].
        """
        client = self._service(kind, name)
        if not client.wait_for_service(FOUND_S):
            raise DofbotError(f"there is no service {client.srv_name}")
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(timeout_s):
            raise DofbotError(f"{client.srv_name} did not answer within {timeout_s:g} s")
        return future.result()

    def _publisher(self, kind: Any, topic: str) -> Any:
        """A publisher that is made on first use: a node that never uses it needs no SROS 2 permission for it."""
        if topic not in self._seldom:
            publisher = self._seldom[topic] = self.node.create_publisher(kind, topic, COMMAND)
            deadline = time.monotonic() + MATCH_S
            while publisher.get_subscription_count() == 0 and time.monotonic() < deadline:
                time.sleep(0.01)
        return self._seldom[topic]

    def _service(self, kind: Any, name: str) -> Any:
        client = self._services.get(name)
        if client is None:
            client = self._services[name] = self.node.create_client(kind, name)
        return client

    def _request(self, kind: Any, name: str, request: Any) -> bool:
        client = self._service(kind, name)
        ready = bool(client.service_is_ready())
        if ready:
            client.call_async(request)
        return ready

    @staticmethod
    def _answer(response: Any) -> str:
        if not response.success:
            raise CommandRefusedError(response.message)
        return str(response.message)
