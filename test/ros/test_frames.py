"""TF on real messages over DDS, where `make interfaces` has built tf2_msgs."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("tf2_msgs", reason="tf2_msgs is not built here: make interfaces")

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Point, Pose, PoseStamped, Transform, TransformStamped, TwistStamped
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import forward_chain, load_model
from dofbot_ros.core.transforms import invert, rot_z, transform
from dofbot_ros.core.types import JOINT_NAMES, FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.ros.clients.arm_client import ArmClient
from dofbot_ros.ros.conversions.messages import pose_matrix, pose_message, to_time, transform_message
from dofbot_ros.ros.runtime.qos import LATCHED

from .conftest import SOON_S, Arm, StartArm

PAUSE_S = 0.7
"""A stream that was stopped begins anew after more than engage_pause_s [s]."""


@pytest.fixture(scope="module")
def arm(start_arm: StartArm) -> Arm:
    started = start_arm("sim_node")
    started.client.switch("enable_torque", True)
    return started


def test_the_frames_on_tf_chain_to_the_forward_kinematics(arm: Arm) -> None:
    frames: dict[str, tuple[str, FloatArray]] = {}

    def hear(message: TFMessage) -> None:
        for t in message.transforms:
            frames[t.child_frame_id] = (t.header.frame_id, _matrix(t.transform))

    node, model = arm.client.node, load_model()
    node.create_subscription(TFMessage, "/tf", arm.client.notify_after(hear), 10)
    node.create_subscription(TFMessage, "/tf_static", arm.client.notify_after(hear), LATCHED)
    children = {joint.child for joint in model.joints}
    arm.client.wait_until(lambda: children <= set(frames), SOON_S, f"{children} on TF")

    def chained(frame: str) -> FloatArray:
        matrix = np.eye(4)
        while frame != "base_link":
            frame, step = frames[frame]
            matrix = step @ matrix
        return matrix

    def agrees() -> bool:
        q = np.array([arm.client.position[i] for i in range(len(JOINT_NAMES))])
        return np.allclose(chained("tool_link"), forward_chain(model, q, "tool_link"), atol=2e-3)

    arm.client.wait_until(agrees, SOON_S, "TF at the joint states' pose")


def _matrix(step: Transform) -> FloatArray:
    t = step.translation
    return pose_matrix(Pose(position=Point(x=t.x, y=t.y, z=t.z), orientation=step.rotation))


def test_two_arms_on_one_tf_have_frames_and_diagnostics_of_their_own(start_own_arm: StartArm) -> None:
    left = start_own_arm("sim_node", frame_prefix="left/")
    right = start_own_arm("sim_node", frame_prefix="right/", publish_tf="false")
    frames: set[str] = set()
    names: set[str] = set()

    def hear(message: TFMessage) -> None:
        frames.update(t.child_frame_id for t in message.transforms)

    def note(message: DiagnosticArray) -> None:
        names.update(f"{entry.hardware_id}: {entry.name}" for entry in message.status)

    left.client.node.create_subscription(TFMessage, "/tf", left.client.notify_after(hear), 10)
    left.client.node.create_subscription(DiagnosticArray, "/diagnostics", left.client.notify_after(note), 10)
    namespaces = [arm.client.node.get_namespace().strip("/") for arm in (left, right)]
    expected = {f"dofbot {ns}: {ns}/sim_node: arm" for ns in namespaces}
    left.client.wait_until(lambda: "left/link4" in frames and expected <= names, SOON_S, "frames and diagnostics")
    assert not any(frame.startswith("right/") for frame in frames)


def test_a_goal_in_a_frame_of_others_is_transformed_through_tf(arm: Arm) -> None:
    """A table that stands in the map, as the arm does: both on /tf_static, one through a frame on /tf."""
    client, node = arm.client, arm.client.node
    table = transform(rot_z(0.7), [0.15, 0.10, 0.05])
    still = node.create_publisher(TFMessage, "/tf_static", LATCHED)
    frames = [_told("map", "base_link", transform(rot_z(1.2), [2.0, 1.0, 0.7])), _told("base_link", "table", table)]
    still.publish(TFMessage(transforms=frames))
    goal = PoseStamped(header=Header(frame_id="table"), pose=pose_message(invert(table) @ _reachable(0.4)))
    _sent(client, "pose", goal)
    client.wait_until(lambda: _at(client, 0.4), SOON_S, "tool at the goal in the table's frame")
    in_map = transform(rot_z(1.2), [2.0, 1.0, 0.7]) @ _reachable(-0.3)
    _sent(client, "pose", PoseStamped(header=Header(frame_id="map"), pose=pose_message(in_map)))
    client.wait_until(lambda: _at(client, -0.3), SOON_S, "tool at the goal in the map")


def test_a_frame_that_moves_is_used_while_its_word_is_fresh(arm: Arm) -> None:
    client, node = arm.client, arm.client.node
    moving = node.create_publisher(TFMessage, "/tf", 10)
    client.wait_until(lambda: moving.get_subscription_count() >= 1, SOON_S, "the arm's node on /tf")
    tray = transform(rot_z(-0.5), [0.1, 0.0, 0.02])
    goal = PoseStamped(header=Header(frame_id="tray"), pose=pose_message(invert(tray) @ _reachable(0.2)))

    def told(age_s: float) -> None:
        stamp = to_time(time.time() - age_s)
        moving.publish(TFMessage(transforms=[_told("base_link", "tray", tray, stamp)]))

    told(30.0)
    with pytest.raises(CommandRefusedError, match="frame 'tray'"):
        _sent(client, "pose", goal)
    deadline = time.monotonic() + SOON_S
    while True:
        told(0.0)
        try:
            _sent(client, "pose", goal)
            break
        except CommandRefusedError:
            assert time.monotonic() < deadline
    client.wait_until(lambda: _at(client, 0.2), SOON_S, "tool at the goal in the tray's frame")


def test_a_frame_that_nobody_tells_of_is_refused_by_its_name(arm: Arm) -> None:
    for kind, message in (("pose", PoseStamped()), ("twist", TwistStamped())):
        message.header.frame_id = "shelf"
        with pytest.raises(CommandRefusedError, match=r"nothing of frame 'shelf'.*base_link"):
            _sent(arm.client, kind, message)


def test_the_tool_goes_along_its_own_axes(arm: Arm) -> None:
    """A pose and a twist in tool_link need no TF: the arm knows where its links are."""
    client = arm.client
    _sent(client, "pose", PoseStamped(header=Header(frame_id="base_link"), pose=pose_message(_reachable(0.0))))
    client.wait_until(lambda: _at(client, 0.0), SOON_S, "tool at the start")
    start = _tool(client)
    goal = PoseStamped(header=Header(frame_id="tool_link"), pose=pose_message(transform(translation=[0.0, 0.0, 0.03])))
    _sent(client, "pose", goal)
    client.wait_until(lambda: _along(client, start) > 0.02, SOON_S, "tool 3 cm on along its axis")
    assert np.linalg.norm(np.cross(_tool(client)[:3, 3] - start[:3, 3], start[:3, 2])) < 0.012
    twists = client.node.create_publisher(TwistStamped, "command/twist", 1)
    client.wait_until(lambda: twists.get_subscription_count() == 1, SOON_S, "subscriber")
    back = TwistStamped(header=Header(frame_id="tool_link"))
    back.twist.linear.z = -0.05
    deadline = time.monotonic() + SOON_S
    while _along(client, start) > 0.005:
        assert time.monotonic() < deadline, "the twist is not followed"
        time.sleep(PAUSE_S)  # a machine that stalls stops a stream, until it has paused
        for _ in range(25):
            twists.publish(back)
            time.sleep(0.02)  # the stream's own rhythm


def _told(parent: str, child: str, pose: FloatArray, stamp: Time | None = None) -> TransformStamped:
    header = Header(frame_id=parent, stamp=stamp or Time())
    return TransformStamped(header=header, child_frame_id=child, transform=transform_message(pose))


def _reachable(yaw: float) -> FloatArray:
    """A pose of the tool in base_link (4, 4) [m], `yaw` [rad] to the left."""
    return Kinematics().tool_transform([yaw, 0.5, 0.8, 0.9, 0.0])


def _tool(client: ArmClient) -> FloatArray:
    return Kinematics().tool_transform(client.position[:5])


def _at(client: ArmClient, yaw: float) -> bool:
    return bool(np.linalg.norm(_tool(client)[:3, 3] - _reachable(yaw)[:3, 3]) < 0.012)


def _along(client: ArmClient, start: FloatArray) -> float:
    """How far the tool has come along the axis that it had at `start` (4, 4) [m]."""
    return float((_tool(client)[:3, 3] - start[:3, 3]) @ start[:3, 2])


def _sent(client: ArmClient, kind: str, message: PoseStamped | TwistStamped) -> None:
    publisher = client.node.create_publisher(type(message), f"command/{kind}", 1)
    client.wait_until(lambda: publisher.get_subscription_count() == 1, SOON_S, "subscriber")
    client.execute(kind, lambda: publisher.publish(message))
