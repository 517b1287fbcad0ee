"""The other side of the arm's ROS interface: what a program needs to watch the arm and to command it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import ArrayLike
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.core.types import JOINT_NAMES, N_JOINTS, FloatArray
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.nodes.messages import from_time, joint_positions, to_duration, to_time
from dofbot_ros.nodes.own_node import OwnNode
from dofbot_ros.nodes.qos import COMMAND, LATCHED, STREAM

T = TypeVar("T")

SERVICE_TIMEOUT_S = 5.0


class ArmClient(OwnNode):
    """A node of its own within the namespace of the arm.

    Args:
        name: of the node.
        namespace: of the arm.

    Attributes:
        state: the last state, "" before the first.
        position: the last known joint positions [rad], shape (6,), nan where none has come yet.
        stamps_s: their stamps [s], shape (6,).
        diagnostics: the last entries, by name without the node's prefix.
    """

    def __init__(self, name: str = "arm_client", namespace: str = "") -> None:
        super().__init__(name, namespace)
        self.state = ""
        self.position: FloatArray = np.full(N_JOINTS, np.nan)
        self.stamps_s: FloatArray = np.zeros(N_JOINTS)
        self.diagnostics: dict[str, dict[str, str]] = {}
        self._changed = threading.Condition()
        subscribe, publish = self.node.create_subscription, self.node.create_publisher
        subscribe(String, "state", self.noting(self._on_state), LATCHED)
        subscribe(JointState, "joint_states", self.noting(self._on_joints), STREAM)
        subscribe(DiagnosticArray, "diagnostics", self.noting(self._on_diagnostics), STREAM)
        self._trajectories = publish(JointTrajectory, "command/joint_trajectory", COMMAND)
        self._points = publish(JointTrajectory, "command/joint_stream", COMMAND)
        self._gripper = publish(Float64, "command/gripper", COMMAND)
        self._services: dict[str, Any] = {}
        self.spin()

    def noting(self, callback: Callable[[T], None]) -> Callable[[T], None]:
        """The callback, after which everybody in wait_until() looks again."""

        def on_message(message: T) -> None:
            with self._changed:
                callback(message)
                self._changed.notify_all()

        return on_message

    def wait_until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Return as soon as `condition()` holds; it is looked at after every message.

        Raises:
            DofbotError: not within `timeout_s` [s]: "no `what` within ...".
        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout_s):
                if self.failure is not None:
                    raise self.failure
                raise DofbotError(f"no {what} within {timeout_s:g} s; the arm's state is {self.state or 'unknown'}")

    def wait_connected(self, timeout_s: float = 10.0) -> None:
        """Return when the arm is there: its state and all joints are known, and it hears commands."""
        self.wait_until(
            lambda: self.state not in ("", "DISCONNECTED") and bool(np.isfinite(self.position).all()),
            timeout_s,
            "connected arm",
        )
        deadline = time.monotonic() + timeout_s
        for publisher in (self._trajectories, self._points, self._gripper):
            while publisher.get_subscription_count() == 0:
                if time.monotonic() > deadline:
                    raise DofbotError(f"nobody listens to {publisher.topic_name}")
                time.sleep(0.02)

    def carry_out(self, command: Callable[[], object], timeout_s: float) -> None:
        """Give a command that moves an arm at rest, and return when it has arrived.

        Args:
            command: sends it; for instance a lambda that calls follow().
            timeout_s: for all of it [s].

        Raises:
            CommandRefusedError: it was refused, or given up on the way; with the reason.
            DofbotError: it has not come to its end.
        """
        self.wait_until(lambda: {"arm", "commands"} <= set(self.diagnostics), timeout_s, "diagnostics")
        before = self._news()
        command()
        self.wait_until(lambda: self._news() != before, timeout_s, "end of the motion")
        if self._news()[1] != before[1]:
            raise CommandRefusedError(self.diagnostics["commands"]["last refusal"])
        ended = self.diagnostics["arm"]["last motion"]
        if not ended.endswith(": arrived"):
            raise CommandRefusedError(ended)

    def _news(self) -> tuple[str, str]:
        return self.diagnostics["arm"]["motions ended"], self.diagnostics["commands"]["refused"]

    def trigger(self, name: str, timeout_s: float = SERVICE_TIMEOUT_S) -> str:
        """Call a Trigger service. Returns its message.

        Raises:
            CommandRefusedError: it answered with success = false.
            DofbotError: nobody answers within `timeout_s` [s].
        """
        return self._answer(self.call(Trigger, name, Trigger.Request(), timeout_s))

    def switch(self, name: str, on: bool) -> str:
        """Call a SetBool service; as trigger()."""
        return self._answer(self.call(SetBool, name, SetBool.Request(data=on)))

    def follow(
        self,
        times: Sequence[float],
        positions: ArrayLike,
        joints: Sequence[str] = JOINT_NAMES,
        velocities: ArrayLike | None = None,
    ) -> None:
        """Send a trajectory: times [s] (n,), positions [rad] and velocities [rad/s] (n, len(joints)), from now."""
        rows = np.asarray(positions, dtype=np.float64)
        points = [
            JointTrajectoryPoint(positions=row.tolist(), time_from_start=to_duration(t))
            for t, row in zip(times, rows, strict=True)
        ]
        if velocities is not None:
            for point, row in zip(points, np.asarray(velocities, dtype=np.float64), strict=True):
                point.velocities = row.tolist()
        self._trajectories.publish(JointTrajectory(joint_names=list(joints), points=points))

    def stream(self, position: ArrayLike, joints: Sequence[str] = JOINT_NAMES, stamp_s: float | None = None) -> None:
        """Send one point to be followed at once: [rad] shape (len(joints),), made at `stamp_s` [s], by default now."""
        message = JointTrajectory(joint_names=list(joints))
        message.header.stamp = self.node.get_clock().now().to_msg() if stamp_s is None else to_time(stamp_s)
        message.points = [JointTrajectoryPoint(positions=[float(v) for v in np.asarray(position)])]
        self._points.publish(message)

    def grip(self, gap_m: float) -> None:
        """Open or close the gripper to a gap [m]."""
        self._gripper.publish(Float64(data=float(gap_m)))

    def call(self, kind: Any, name: str, request: Any, timeout_s: float = SERVICE_TIMEOUT_S) -> Any:
        """Call a service of any kind. Returns its response.

        Raises:
            DofbotError: nobody answers within `timeout_s` [s].
        """
        client = self._services.get(name)
        if client is None:
            client = self._services[name] = self.node.create_client(kind, name)
        if not client.wait_for_service(SERVICE_TIMEOUT_S):
            raise DofbotError(f"there is no service {client.srv_name}")
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(timeout_s):
            raise DofbotError(f"{client.srv_name} did not answer within {timeout_s:g} s")
        return future.result()

    @staticmethod
    def _answer(response: Any) -> str:
        if not response.success:
            raise CommandRefusedError(response.message)
        return str(response.message)

    def _on_state(self, message: String) -> None:
        self.state = message.data

    def _on_joints(self, message: JointState) -> None:
        stamp_s = from_time(message.header.stamp)
        for index, position in joint_positions(message):
            self.position[index] = position
            self.stamps_s[index] = stamp_s

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for entry in message.status:
            values = {row.key: row.value for row in entry.values}
            self.diagnostics[entry.name.split(": ")[-1]] = {"message": entry.message, **values}
