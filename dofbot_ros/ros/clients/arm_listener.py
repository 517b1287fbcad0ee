"""`ArmListener` receives what an arm publishes: joints, state, diagnostics, and the ends of motions."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import GRIP, JOINT_NAMES, N_ARM, N_JOINTS, FloatArray, ToolPose
from dofbot_ros.driver.motion_events import Event, MotionEvent
from dofbot_ros.errors import CommandRefusedError, DofbotError, InputError
from dofbot_ros.ros.clients.capabilities_listener import CapabilitiesListener
from dofbot_ros.ros.conversions.messages import from_time, joint_positions
from dofbot_ros.ros.runtime.awaited import AwaitedConditions
from dofbot_ros.ros.runtime.qos import EVENTS, LATCHED, STREAM
from dofbot_ros.safety.monitor import NO_ANSWER
from dofbot_ros.safety.states import ArmState

T = TypeVar("T")

SILENT_S = 0.5
"""An arm whose last joint state is older than this counts as gone [s]."""
TOLD_S = 2.5
"""A driver whose diagnostics, which come each second, are older than this counts as gone [s]."""
CHECK_S = 0.5
"""Longest time between two calls of `check` while a method waits [s]."""
LATE_S = 1.0
"""A state may arrive this much later than the answer of the service that caused it [s]."""
KEPT_RESULTS = 100
SILENT = "the arm says nothing: is its node running, in this namespace?"
UNDESCRIBED = "the arm has not described itself yet: is its driver running?"

MOVABLE = (ArmState.ACTIVE.value, ArmState.HOLD.value)
"""States in which the arm accepts commands."""
TROUBLED = (ArmState.DISCONNECTED.value, ArmState.ESTOP.value, ArmState.FAULT.value)
"""States in which joint states may be lacking while the driver is well."""


class ArmListener:
    """Subscriptions to one arm. Its attributes change in the thread that spins the node.

    Args:
        node: the node that owns the subscriptions; its namespace is the arm's.
        check: called repeatedly while a method waits; it raises to end the waiting.
        to_seconds: converts a stamp to seconds on the caller's clock; ROS time by default.

    Attributes:
        node: as given.
        state: the last state, "" before the first.
        position: the last known joint positions [rad], shape (6,), nan where none has come yet.
        stamps_s: when each position was read [s], shape (6,), -inf where none has come yet.
        described: the arm as its driver describes it.
        diagnostics: the last entry of each status, by name without the node's prefix.
        stops: number of stops from any source since this client began to listen.
    """

    def __init__(
        self,
        node: Node,
        check: Callable[[], None] = lambda: None,
        *,
        to_seconds: Callable[[Time], float] = from_time,
    ) -> None:
        self.node = node
        self._namespace = str(node.get_namespace()).strip("/")
        self.state = ""
        self.position: FloatArray = np.full(N_JOINTS, np.nan)
        self.stamps_s: FloatArray = np.full(N_JOINTS, -np.inf)
        self.described = CapabilitiesListener(node)
        self.diagnostics: dict[str, dict[str, str]] = {}
        self.stops = 0
        self._check = check
        self._to_seconds = to_seconds
        self._states_heard = 0
        self._heard_s = self._told_s = -float("inf")
        self._results: OrderedDict[int, MotionEvent] = OrderedDict()
        self._answers: list[MotionEvent] | None = None
        self._changed = threading.Condition()
        self._awaited = AwaitedConditions(node)
        subscribe = node.create_subscription
        # Discovery tells the driver of subscriptions in this order: once a joint state has come, no event is lost.
        subscribe(String, "motion_events", self.notify_after(self._on_event), EVENTS)
        subscribe(String, "state", self.notify_after(self._on_state), LATCHED)
        subscribe(JointState, "joint_states", self.notify_after(self._on_joints), STREAM)
        subscribe(DiagnosticArray, "diagnostics", self.notify_after(self._on_diagnostics), STREAM)

    @property
    def present(self) -> bool:
        """Whether all joints were heard of just now."""
        return bool(np.isfinite(self.position).all()) and time.monotonic() - self._heard_s < SILENT_S

    @property
    def silent_joints(self) -> tuple[str, ...]:
        """Joints that do not answer, as diagnostics say; none while joint states come, or where the driver is gone."""
        if self.present or not self._told:
            return ()
        told = self.diagnostics
        return tuple(name for name in JOINT_NAMES if NO_ANSWER in told.get(name, {}).get("message", "").split(", "))

    @property
    def silence(self) -> str:
        """Why no joint states come: "joint3 does not answer: ..."; "" while they do."""
        if self.present:
            return ""
        if joints := self.silent_joints:
            return f"{', '.join(joints)} {NO_ANSWER if len(joints) == 1 else 'do not answer'}: check cables and power"
        told = self._told and self.state in TROUBLED
        return f"the arm's state is {self.diagnostics['arm']['message']}" if told else SILENT

    @property
    def known_state(self) -> str:
        """Its state; "" where it is gone, and where it says that it takes commands but no joint states come."""
        return self.state if self.present or (self._told and self.state in TROUBLED) else ""

    @property
    def explained(self) -> bool:
        """Whether the driver has told just now why no joint states come."""
        return self._told and (bool(self.silent_joints) or self.state == ArmState.DISCONNECTED.value)

    @property
    def _told(self) -> bool:
        return time.monotonic() - self._told_s < TOLD_S

    @property
    def ready(self) -> bool:
        """Whether it takes commands."""
        return self.present and self.state in MOVABLE

    @property
    def torque_off(self) -> bool:
        """Whether all that it lacks is torque."""
        return self.present and self.state == ArmState.IDLE.value

    @property
    def gap(self) -> float:
        """Distance of the finger tips [m]."""
        return float(joint_to_gap(float(self.position[GRIP])))

    @property
    def robot(self) -> Robot:
        """The arm as its driver describes it: kinematics and limits, calibrated.

        Raises:
            DofbotError: the driver has not told yet, or tells of another kind of arm.
        """
        if self.described.robot is None:
            raise DofbotError(self.described.trouble or UNDESCRIBED)
        return self.described.robot

    @property
    def tool(self) -> ToolPose:
        """Where the tool is, by the measured joint angles."""
        return self.robot.kinematics.forward(self.position[:N_ARM])

    def now_s(self) -> float:
        """The arm's own time [s]: that of its newest joint state, which in simulation may run faster than the clock."""
        return float(self.stamps_s.max())

    def notify_after(self, callback: Callable[[T], None]) -> Callable[[T], None]:
        """The callback of a subscription, after which everybody in wait_until() looks again."""

        def on_message(message: T) -> None:
            with self._changed:
                callback(message)
                self._changed.notify_all()
            self._awaited.look()

        return on_message

    def wait_until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Return as soon as `condition()` holds; it is looked at after every message.

        Raises:
            DofbotError: not within `timeout_s` [s]: "no `what` within ..."; or what `check` raises.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            with self._changed:
                if self._changed.wait_for(condition, min(CHECK_S, max(0.0, deadline - time.monotonic()))):
                    return
            self._check()
            if time.monotonic() >= deadline:
                raise DofbotError(f"no {what} within {timeout_s:g} s; the arm's state is {self.state or 'unknown'}")

    def catch_up(self, willing: Callable[[], bool]) -> None:
        """Return as soon as `willing()` holds, or when late word cannot change it; for use before a refusal.

        A topic and a service keep no order: somebody whom the arm has told that its torque is on may ask this node
        before the arm's state has come here.

        Raises:
            CommandRefusedError: it is willing, but everything was stopped meanwhile.
        """
        stops = self.stops
        try:
            self.wait_until(willing, LATE_S, "word")
        except DofbotError:
            return  # the caller says what is lacking
        if self.stops != stops:
            raise CommandRefusedError("stopped")

    async def late_word(self, willing: Callable[[], bool]) -> None:
        """As catch_up, for a service's callback that is a coroutine: the executor's only thread hears meanwhile.

        The service needs a callback group that lets others run (see AwaitedConditions), and whatever else may have
        been asked of the node meanwhile is for the caller to see.

        Raises:
            CommandRefusedError: the arm is willing, but everything was stopped meanwhile.
        """
        stops = self.stops
        if await self._awaited.until(willing, LATE_S) and self.stops != stops:
            raise CommandRefusedError("stopped")

    def _on_state(self, message: String) -> None:
        self.state = message.data
        self._states_heard += 1

    def _on_joints(self, message: JointState) -> None:
        stamp_s, position = self._to_seconds(message.header.stamp), self.position.copy()
        for index, value in joint_positions(message):
            position[index] = value
            self.stamps_s[index] = stamp_s
        self.position, self._heard_s = position, time.monotonic()

    def _on_event(self, message: String) -> None:
        try:
            event = MotionEvent.from_json(message.data)
        except InputError:
            return  # whatever it is, it is not from a driver
        if event.event is Event.STOPPED:
            self.stops += 1
        elif event.event is Event.ENDED:
            self._results[event.motion] = event
            while len(self._results) > KEPT_RESULTS:
                self._results.popitem(last=False)
        else:
            # A driver that was started anew counts from 1 again.
            self._results.pop(event.motion, None)
            if self._answers is not None:
                self._answers.append(event)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for entry in message.status:
            owner, _, what = entry.name.rpartition(": ")
            # On /diagnostics, which is that of the root namespace, arms of other namespaces speak as well.
            if owner.rpartition("/")[0] == self._namespace:
                values = {row.key: row.value for row in entry.values}
                self.diagnostics[what] = {"message": entry.message, **values}
                if what == "arm":
                    self._told_s = time.monotonic()
