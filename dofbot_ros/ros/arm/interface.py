"""The arm's ROS interface: the same topics, services and control thread over whatever arm stands behind the daemon."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, String
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory

from dofbot_ros.arm.model import ArmModel
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import FloatArray
from dofbot_ros.driver.config import SPEED_IN_USE
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.joint_reports import JointReports
from dofbot_ros.driver.motion_events import Event, MotionEvent
from dofbot_ros.driver.snapshot import Snapshot
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.ros.arm import diagnostics
from dofbot_ros.ros.arm.actions import Actions
from dofbot_ros.ros.arm.command_frames import CommandFrames, subscribe_tf
from dofbot_ros.ros.arm.commanders import ANYBODY, HOME, PARK, UNKNOWN, Commanders
from dofbot_ros.ros.arm.commands import Commands
from dofbot_ros.ros.arm.frames import frame_publisher
from dofbot_ros.ros.conversions.messages import joint_state
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.log_limit import LogLimit
from dofbot_ros.ros.runtime.parameters import ToldParameter, when_set
from dofbot_ros.ros.runtime.process import ShutdownSignal
from dofbot_ros.ros.runtime.qos import COMMANDS, EVENTS, LATCHED, STREAM
from dofbot_ros.ros.runtime.subscription_thread import RawCallback, SubscriptionThread
from dofbot_ros.safety.authority import Commander
from dofbot_ros.safety.stop_line import Address, StopLine

DIAGNOSTICS_PERIOD_S = 1.0
NEWS_PERIOD_S = 0.1
"""A refused command or the end of a motion is told before the second is over, but not more often than this [s]."""
FRAMES_PERIOD_S = 0.05
"""Between two messages on /tf: robot_state_publisher's own default [s]."""
MAX_TRAJECTORY_BYTES, MAX_COMMAND_BYTES = 300_000, 8_192
"""A trajectory of 2,000 points with velocities and accelerations, and any other command, take less [bytes]."""
REPEAT_S = 5.0
"""The same refusal is logged again only after so long: a refused stream would fill the log [s]."""


class ArmInterface:
    """Owns the control thread and everything that is published from it, and the thread that hears commands.

    Args:
        node: where topics and services live, with relative names.
        daemon: the arm.
        stamps: between the arm's clock and ROS.
        lifeline: told when the control thread fails.
        after_cycle: called in the control thread after each cycle, for what else must happen there.
        beside: makes a further entry of diagnostics, given the prefix of its name.
        scheduling: how the control thread is to be scheduled; a thread that waits for a port may go first.

    Raises:
        DofbotError: another node on this machine commands an arm in this domain and namespace.
    """

    def __init__(
        self,
        node: Node,
        daemon: ArmDaemon,
        stamps: Stamps,
        lifeline: ShutdownSignal,
        after_cycle: Callable[[Snapshot], None] = lambda _: None,
        *,
        beside: Callable[[str], DiagnosticStatus] | None = None,
        scheduling: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._node, self._daemon, self._stamps, self._lifeline = node, daemon, stamps, lifeline
        # Before anything else: a second node of the same arm must touch nothing.
        here = Address(node.context.get_domain_id(), node.get_namespace().strip("/"))
        self._stop_line = StopLine(here, node.get_name(), lambda: daemon.estop("dofbot estop"), self._told_state)
        self._extra, self._beside, self._scheduling = after_cycle, beside, scheduling
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control")
        self._state = ("", "")
        self._told_s = -float("inf")
        self._told: tuple[object, ...] = ()
        self._last_frames = (0, time.monotonic())
        self._half_cycle_s = 0.5 / daemon.config.control_rate_hz
        self._reports = JointReports(1.0 / daemon.config.state_rate_hz, self._half_cycle_s)
        self._refusals = 0
        self._handovers = 0
        self._last_refusal = ""
        self._log_limit = LogLimit(REPEAT_S)
        self._joint_states = node.create_publisher(JointState, "joint_states", STREAM)
        self._states = node.create_publisher(String, "state", LATCHED)
        self._events = node.create_publisher(String, "motion_events", EVENTS)
        self._diagnostics = diagnostics.DiagnosticsTopic(node)
        self._description = node.create_publisher(String, "robot_description", LATCHED)
        speed_words = "Share of the limits that the arm really has."
        self._speed = ToldParameter(node, SPEED_IN_USE, daemon.config.speed, speed_words)
        model = self._describe()
        self._publish_frames = frame_publisher(node, model)
        when_set(node, "max_velocity", self._set_max_velocity)
        self._next_frames_s = -float("inf")
        self._commanders = Commanders(node, daemon.config.operators)
        self._groups = {name: MutuallyExclusiveCallbackGroup() for name in ("stop", "torque", "motions")}
        self._commands = SubscriptionThread(node, "commands", lifeline.fail)
        prefix = node.get_parameter("frame_prefix").value
        frames = CommandFrames(model, prefix, stamps, self._measured, partial(subscribe_tf, node))
        commands = Commands(daemon, stamps, frames.in_base)
        self._actions = Actions(node, daemon, commands)
        self._subscribe(commands)
        self._serve()

    def start(self) -> None:
        """Start the control thread, and hear commands."""
        self._thread.start()
        self._commands.start()

    def close(self) -> None:
        """End the control thread, which brings the arm to rest as on_exit says."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._commands.close()
        self._stop_line.close()

    def _describe(self) -> ArmModel:
        """Tell planners the arm with its present velocity limit."""
        model = self._daemon.robot.describe(self._daemon.config.velocity)
        self._description.publish(String(data=model.urdf))
        return model

    def _set_max_velocity(self, value: float) -> None:
        self._daemon.set_max_velocity(float(value))
        self._describe()
        self._node.get_logger().info(f"max_velocity is {value:g} rad/s")

    # -- commands ----------------------------------------------------------------------------------------------------

    def _subscribe(self, commands: Commands) -> None:
        for message, name, motion, command in (
            (JointTrajectory, "joint_trajectory", "trajectory", commands.joint_trajectory),
            (JointTrajectory, "joint_stream", "stream", commands.joint_stream),
            (PoseStamped, "pose", "pose", commands.pose),
            (TwistStamped, "twist", "twist", commands.twist),
            (Float64, "gripper", "gripper", commands.gripper),
        ):
            topic = f"command/{name}"
            # Raw: a message is looked at only once its size is known, since unpacking a huge one stops every thread.
            self._commands.subscribe(message, topic, self._guarded(topic, message, motion, command), COMMANDS)

    def _guarded(self, topic: str, kind: type, motion: str, command: Callable[[Any, Commander], object]) -> RawCallback:
        most = MAX_TRAJECTORY_BYTES if topic.endswith("trajectory") else MAX_COMMAND_BYTES

        def on_message(message: bytes, info: Mapping[str, Any]) -> None:
            by = self._commanders.of(topic, info)
            try:
                if len(message) > most:
                    raise CommandRefusedError(f"a message of {len(message)} bytes; at most {most} are looked at")
                command(deserialize_message(message, kind), by)
            except DofbotError as error:
                self._refuse(topic, motion, by, str(error))
            except Exception as error:
                # No message, however strange, may end the thread that hears the next one.
                self._refuse(topic, motion, by, f"{type(error).__name__}: {error}")

        return on_message

    def _refuse(self, topic: str, motion: str, by: Commander, reason: str) -> None:
        self._tell(MotionEvent(Event.REFUSED, kind=motion, commander=by.name, reason=reason))
        refusal = f"{topic} refused: {reason}"
        self._refusals += 1
        self._last_refusal = refusal
        if self._log_limit.permits(refusal):
            self._node.get_logger().warning(refusal)

    def _serve(self) -> None:
        daemon = self._daemon
        switches = {"enable_torque": daemon.set_torque, "freedrive": daemon.freedrive}
        stops: dict[str, Callable[[], object]] = {"estop": lambda: daemon.estop("service estop"), "stop": daemon.stop}
        actions: dict[str, Callable[[], object]] = {
            "reset_estop": daemon.reset_estop,
            "clear_fault": daemon.clear_fault,
            "home": lambda: daemon.home(HOME),
            "park": lambda: daemon.park(PARK),
        }
        for name, switch in switches.items():
            self._node.create_service(SetBool, name, _switch_handler(switch), callback_group=self._groups["torque"])
        for name, action in stops.items():
            self._node.create_service(Trigger, name, _trigger_handler(action), callback_group=self._groups["stop"])
        for name, action in actions.items():
            self._node.create_service(Trigger, name, _trigger_handler(action), callback_group=self._groups["motions"])

    def _measured(self) -> FloatArray | None:
        reading = self._daemon.snapshot().reading
        return None if reading is None else reading.position

    def _told_state(self) -> tuple[str, str]:
        snapshot = self._daemon.snapshot()
        return snapshot.state.value, snapshot.reason

    # -- the control thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with self._scheduling():
                self._daemon.run(self._stop.is_set, self._after_cycle)
            self._publish_state(self._daemon.snapshot())
        except BaseException as error:
            self._lifeline.fail(error)

    def _after_cycle(self, snapshot: Snapshot, rate: Rate) -> None:
        if self._daemon.config.speed != self._speed.value:
            self._speed.tell(self._daemon.config.speed)
            self._describe()  # after the parameter: who hears a new description asks for it anew
        self._publish_state(snapshot)
        self._announce(snapshot)
        for event in snapshot.events:
            self._tell(event)
        self._publish_joints(snapshot)
        self._actions.after_cycle(snapshot)
        self._extra(snapshot)
        now = time.monotonic()
        news = (snapshot.result, snapshot.state, snapshot.handovers, self._refusals)
        if now - self._told_s >= (DIAGNOSTICS_PERIOD_S if news == self._told else NEWS_PERIOD_S):
            self._told, self._told_s = news, now
            self._publish_diagnostics(snapshot, rate)

    def _publish_state(self, snapshot: Snapshot) -> None:
        state = (snapshot.state.value, snapshot.reason)
        if state == self._state:
            return
        if state[0] != self._state[0]:
            self._states.publish(String(data=state[0]))
        quiet = self._state[0] in ("ACTIVE", "HOLD") and state[0] in ("ACTIVE", "HOLD")
        if not quiet:
            self._node.get_logger().info(": ".join(part for part in state if part))
        self._state = state

    def _tell(self, event: MotionEvent) -> None:
        known = event.commander not in (ANYBODY.name, UNKNOWN)
        told = event if known else replace(event, commander="")
        self._events.publish(String(data=told.to_json()))

    def _announce(self, snapshot: Snapshot) -> None:
        """Log that another commander has taken the arm over."""
        if snapshot.handovers != self._handovers:
            self._handovers = snapshot.handovers
            self._node.get_logger().warning(snapshot.handover)

    def _publish_joints(self, snapshot: Snapshot) -> None:
        report = self._reports.of(snapshot.reading) if snapshot.reading is not None else None
        if report is None:
            return
        stamp = self._stamps.to_ros(report.stamp_s)
        self._joint_states.publish(joint_state(stamp, report.position, report.velocity))
        if report.stamp_s >= self._next_frames_s - self._half_cycle_s:
            self._next_frames_s = max(self._next_frames_s, report.stamp_s - FRAMES_PERIOD_S) + FRAMES_PERIOD_S
            self._publish_frames(stamp, report.position)

    def _publish_diagnostics(self, snapshot: Snapshot, rate: Rate) -> None:
        prefix = self._diagnostics.prefix
        frames, since = snapshot.bus.frames_sent, self._last_frames
        self._last_frames = (frames, time.monotonic())
        frames_hz = max(0.0, (frames - since[0]) / (self._last_frames[1] - since[1]))
        commands = diagnostics.status(
            DiagnosticStatus.OK,
            f"{prefix}: commands",
            f"{self._refusals} refused",
            {"refused": self._refusals, "last refusal": self._last_refusal},
        )
        entries = [
            diagnostics.arm_status(prefix, snapshot, self._daemon.config.speed),
            diagnostics.loop_status(prefix, rate.lateness_s()[-500:], rate.missed, self._daemon.config.control_rate_hz),
            diagnostics.bus_status(prefix, snapshot, frames_hz),
            commands,
            *diagnostics.servo_statuses(prefix, snapshot),
            *([self._beside(prefix)] if self._beside is not None else []),
        ]
        self._diagnostics.publish(self._stamps.to_ros(snapshot.stamp_s), entries)


def _switch_handler(switch: Callable[[bool], object]) -> Callable[[SetBool.Request, SetBool.Response], object]:
    return lambda request, response: _answer(response, lambda: switch(request.data))


def _trigger_handler(action: Callable[[], object]) -> Callable[[Trigger.Request, Trigger.Response], object]:
    return lambda _, response: _answer(response, action)


def _answer(response: Trigger.Response | SetBool.Response, call: Callable[[], object]) -> object:
    """Fill in a response: success, or the reason why not."""
    try:
        call()
        response.success = True
    except DofbotError as error:
        response.success, response.message = False, str(error)
    return response
