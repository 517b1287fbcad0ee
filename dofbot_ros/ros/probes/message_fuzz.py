"""Fuzzes what this package makes of ROS messages: every callback takes any message, and no number gets through that is
not finite."""

from __future__ import annotations

import json
import math
import random
from array import array
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped, TransformStamped, TwistStamped
from rclpy.context import Context
from rclpy.impl.logging_severity import LoggingSeverity
from rclpy.node import Node
from rosidl_parser.definition import AbstractNestedType, AbstractType, Array, BasicType, BoundedSequence, NamespacedType
from sensor_msgs.msg import CameraInfo, Image, JointState, Joy
from std_msgs.msg import Float64, Header, String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.arm.model import load_model
from dofbot_ros.bench.fuzz.mutate import INTEGERS, NUMBERS, WORDS, replaced, retyped
from dofbot_ros.bench.fuzz.target import Target
from dofbot_ros.core.clock import Clock, ManualClock
from dofbot_ros.core.dds import configure_dds
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import JOINT_NAMES, FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.record.arms import open_arm
from dofbot_ros.ros.arm.command_frames import CommandFrames
from dofbot_ros.ros.arm.commands import Commands
from dofbot_ros.ros.camera.messages import camera_info, image_array, image_message, intrinsics_from
from dofbot_ros.ros.camera.observation_subscriber import ObservationSubscriber
from dofbot_ros.ros.camera.pose import CameraPose
from dofbot_ros.ros.clients.arm_sender import ArmSender
from dofbot_ros.ros.conversions.messages import detections, finite, joint_positions, pose_matrix, to_duration, to_time
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.teleop.arm import TeleopArm
from dofbot_ros.safety.authority import LOCAL
from dofbot_ros.safety.states import ArmState
from dofbot_ros.teleop.config import TeleopConfig
from dofbot_ros.teleop.input.gamepad import joy_input
from dofbot_ros.vision.intrinsics import from_field_of_view

INTRINSICS = from_field_of_view(16, 12, 1.0)
NOW = 1_700_000_000.0
EVENT = MotionEvent(Event.ENDED, 3, "home", "console", EndCode.ARRIVED)
FOUND = {
    "stamp_s": NOW,
    "blocks": [{"name": "red", "position": [0.2, 0.0, 0.015], "quaternion": [0.0, 0.0, 0.0, 1.0], "markers": 2}],
}


@contextmanager
def targets() -> Iterator[list[Target]]:
    """Every translation of a message by itself, and callbacks of nodes that keep what they hear; within ROS."""
    configure_dds()
    context = Context()
    rclpy.init(args=[], context=context)
    node = Node("message_fuzz", context=context)
    node.get_logger().set_level(LoggingSeverity.FATAL)
    opened = ExitStack()
    try:
        yield [
            Target("ros: pose", lambda rng: _finite(pose_matrix(_changed(rng, _pose()).pose))),
            Target("ros: twist", _twist),
            Target("ros: joint states", _joint_states),
            Target("ros: image", _image),
            Target("ros: camera info", lambda rng: _finite(intrinsics_from(_changed(rng, _camera_info())).K)),
            Target("ros: joy", _joy),
            Target("ros: detections", _detections),
            Target("ros: stamps", _stamps),
            Target("ros: frames", _frames),
            Target("ros: what nodes keep", _Keepers(node).case),
            Target("ros: commands", _Commanded(opened.enter_context(open_arm("sim", DriverConfig()))).case),
        ]
    finally:
        opened.close()
        node.destroy_node()
        context.try_shutdown()


def anything(rng: random.Random, kind: AbstractType, old: Any) -> Any:
    """A value that a field of this type may have."""
    if isinstance(kind, BasicType):
        if kind.typename in ("float", "double"):
            numbers = [n for n in NUMBERS if kind.typename == "double" or not math.isfinite(n) or abs(n) < 1e38]
            return rng.choice((rng.choice(numbers), rng.uniform(-4.0, 4.0)))
        if kind.typename == "boolean":
            return rng.random() < 0.5
        low, high = _range(kind.typename)
        return rng.choice([n for n in INTEGERS if low <= n <= high] + [rng.randint(low, high)])
    if isinstance(kind, AbstractNestedType):
        return _anything_of(rng, kind, list(old))
    if isinstance(kind, NamespacedType):
        return _changed(rng, old)
    return rng.choice((*WORDS, *JOINT_NAMES)).replace("\0", "0")


def _anything_of(rng: random.Random, kind: AbstractNestedType, old: list[Any]) -> list[Any]:
    inner = kind.value_type
    if old and rng.random() < 0.5:
        at = rng.randrange(len(old))
        return [*old[:at], anything(rng, inner, old[at]), *old[at + 1 :]]
    if isinstance(kind, Array):
        return [anything(rng, inner, one) for one in old]
    size = rng.choice((0, 1, 5, 6, 7, rng.randint(0, 40), 2000 if rng.random() < 0.05 else 3))
    if isinstance(kind, BoundedSequence):
        size = min(size, kind.maximum_size)
    if isinstance(inner, NamespacedType):
        return [_changed(rng, rng.choice(old)) for _ in range(size)] if old else []
    return [anything(rng, inner, None) for _ in range(size)]


def _changed(rng: random.Random, message: Any) -> Any:
    """A copy of a message of which a few fields are others, however deep."""
    kinds = dict(zip(message.get_fields_and_field_types(), message.SLOT_TYPES, strict=True))
    changes = {}
    for name in rng.sample(list(kinds), min(len(kinds), rng.choice((0, 1, 1, 2, 3)))):
        changes[name] = anything(rng, kinds[name], getattr(message, name))
    fields = {name: changes.get(name, getattr(message, name)) for name in kinds}
    return type(message)(**fields)


def _range(typename: str) -> tuple[int, int]:
    if typename == "octet":
        return 0, 255
    bits = int("".join(filter(str.isdigit, typename)) or 8)
    return (0, 2**bits - 1) if typename.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


# -- valid messages ---------------------------------------------------------------------------------------------------


def _header(frame: str = "base_link") -> Header:
    return Header(frame_id=frame)


def _pose() -> PoseStamped:
    message = PoseStamped(header=_header())
    message.pose.position.x, message.pose.position.z, message.pose.orientation.y = 0.2, 0.1, 1.0
    message.pose.orientation.w = 0.0
    return message


def _twist_message() -> TwistStamped:
    message = TwistStamped(header=_header())
    message.twist.linear.x = 0.05
    return message


def _trajectory(rng: random.Random, points: int) -> JointTrajectory:
    made = [
        JointTrajectoryPoint(
            positions=[0.01 * (k + 1)] * len(JOINT_NAMES),
            velocities=[0.0] * len(JOINT_NAMES) if rng.random() < 0.3 else [],
            time_from_start=to_duration(0.5 * (k + 1)),
        )
        for k in range(points)
    ]
    return JointTrajectory(joint_names=list(JOINT_NAMES), points=made)


def _joint_state() -> JointState:
    return JointState(header=Header(stamp=to_time(NOW)), name=list(JOINT_NAMES), position=[0.1] * len(JOINT_NAMES))


def _camera_info() -> CameraInfo:
    return camera_info(_header("camera_optical_frame"), INTRINSICS)


def _camera_image() -> Image:
    return image_message(_header("camera_optical_frame"), np.zeros((12, 16, 3), np.uint8))


COMMANDS: dict[str, Callable[[random.Random], Any]] = {
    "joint_trajectory": lambda rng: _trajectory(rng, rng.randint(1, 4)),
    "joint_stream": lambda rng: _trajectory(rng, 1),
    "pose": lambda _: _pose(),
    "twist": lambda _: _twist_message(),
    "gripper": lambda _: Float64(data=0.03),
}
"""By the method of commands.Commands that takes them."""


# -- cases ------------------------------------------------------------------------------------------------------------


def _finite(values: Any) -> None:
    assert np.isfinite(values).all(), "a number that is not finite got through"


def _twist(rng: random.Random) -> None:
    twist = _changed(rng, _twist_message()).twist
    _finite(finite("twist", [twist.linear.x, twist.linear.y, twist.linear.z, twist.angular.x, twist.angular.z]))


def _joint_states(rng: random.Random) -> None:
    for index, position in joint_positions(_changed(rng, _joint_state())):
        assert 0 <= index < len(JOINT_NAMES)
        _finite(position)


def _image(rng: random.Random) -> None:
    message = _changed(rng, _camera_image())
    image = image_array(message)
    assert image.shape == (message.height, message.width, 3)
    assert image.dtype == np.uint8


def _joy(rng: random.Random) -> None:
    message = _changed(rng, Joy(axes=array("f", [0.5] * 8), buttons=array("i", [0] * 12)))
    config = TeleopConfig()
    rates = joy_input(message.axes, message.buttons, 0.0, config.gamepad, config.manual).rates
    assert np.abs(rates).max() <= 1.0, f"deflections of {rates}"


def _detections(rng: random.Random) -> None:
    text = json.dumps(replaced(rng, FOUND)) if rng.random() < 0.7 else retyped(rng, json.dumps(FOUND))
    found = detections(text)
    _finite(float(found["stamp_s"]))


def _stamps(rng: random.Random) -> None:
    stamps = Stamps(ManualClock(100.0), simulated=rng.random() < 0.5)
    _finite(stamps.to_arm(_changed(rng, Header(stamp=to_time(NOW))).stamp))


def _frames(rng: random.Random) -> None:
    told = TransformStamped(header=_header(), child_frame_id="table")
    frames = CommandFrames(load_model(), "", Stamps(ManualClock(100.0)), lambda: np.zeros(6), lambda _: True)
    frames.hear([told] + [_changed(rng, told) for _ in range(rng.randint(1, 4))], rng.random() < 0.5)
    _finite(frames.in_base("table"))


class _Commanded:
    """A simulated arm that is commanded, and whose loop runs on; what it is told must stay within its limits."""

    STEPS = 3
    """Control cycles after each command: the loop must survive what was accepted."""

    def __init__(self, arm: tuple[ArmDaemon, Clock]) -> None:
        self._daemon, clock = arm
        stamps, model = Stamps(clock, simulated=True), self._daemon.robot.describe()
        self._frames = CommandFrames(model, "", stamps, self._measured, lambda _: True)
        self._commands = Commands(self._daemon, stamps, self._frames.in_base)
        self._rate = Rate(clock, self._daemon.config.control_rate_hz)
        self._daemon.step()
        self._daemon.set_torque(True)

    def case(self, rng: random.Random) -> None:
        """Give one command."""
        name, make = rng.choice(list(COMMANDS.items()))
        try:
            getattr(self._commands, name)(_changed(rng, make(rng)), LOCAL)
        finally:
            for _ in range(self.STEPS):
                self._step()

    def _measured(self) -> FloatArray | None:
        reading = self._daemon.snapshot().reading
        return None if reading is None else reading.position

    def _step(self) -> None:
        self._rate.wait()
        snapshot = self._daemon.step()
        assert snapshot.state in (ArmState.ACTIVE, ArmState.HOLD), f"{snapshot.state.value}: {snapshot.reason}"
        assert snapshot.reading is not None
        _finite(snapshot.reading.position)


class _Keepers:
    """What nodes keep of the messages that they hear."""

    def __init__(self, node: Node) -> None:
        clock = ManualClock(100.0)
        stamps = Stamps(clock)
        self._arm, self._driven = TeleopArm(node), ArmSender(node, to_seconds=stamps.to_arm)
        self._eyes = ObservationSubscriber(node, stamps, "red", 16, CameraPose(node, ""))
        self._description = "<robot name='x'><link name='a'/></robot>"

    def case(self, rng: random.Random) -> None:
        """Give one message to each of some callbacks."""
        self._arm._on_joints(_changed(rng, _joint_state()))
        self._driven._on_joints(_changed(rng, _joint_state()))
        self._driven.described.on_description(String(data=retyped(rng, self._description).replace("\0", "0")))
        self._driven._on_state(String(data=rng.choice(WORDS).replace("\0", "0")))
        event = json.dumps(replaced(rng, json.loads(EVENT.to_json()))) if rng.random() < 0.7 else rng.choice(WORDS)
        self._driven._on_event(String(data=event.replace("\0", "0")))
        self._eyes._on_info(_changed(rng, _camera_info()))
        self._eyes._on_image(_changed(rng, _camera_image()))
        text = json.dumps(replaced(rng, FOUND)) if rng.random() < 0.7 else retyped(rng, json.dumps(FOUND))
        self._eyes._on_blocks(String(data=text.replace("\0", "0")))
        assert not np.isinf(self._arm.position).any()
        assert not np.isinf(self._driven.position).any()
        if self._eyes.seen is not None:
            _finite(self._eyes.seen.position)
            self._eyes.seen = replace(self._eyes.seen)
