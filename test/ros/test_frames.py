"""TF on real messages over DDS, where `make interfaces` has built tf2_msgs."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tf2_msgs", reason="tf2_msgs is not built here: make interfaces")

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Point, Pose, Transform
from tf2_msgs.msg import TFMessage

from dofbot_ros.arm.model import forward_chain, load_model
from dofbot_ros.core.types import JOINT_NAMES, FloatArray
from dofbot_ros.ros.conversions.messages import pose_matrix
from dofbot_ros.ros.runtime.qos import LATCHED

from .conftest import SOON_S, Arm, StartArm


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
