"""Actions and TF on real messages over DDS, where `make interfaces` has built control_msgs and tf2_msgs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("control_msgs", reason="control_msgs is not built here: make interfaces")

from control_msgs.action import FollowJointTrajectory, GripperCommand
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Point, Pose, Transform
from rclpy.action import ActionClient
from rclpy.task import Future
from tf2_msgs.msg import TFMessage
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.arm.model import forward_chain, load_model
from dofbot_ros.core.types import JOINT_NAMES, FloatArray
from dofbot_ros.nodes.messages import pose_matrix, to_duration
from dofbot_ros.nodes.qos import LATCHED

from .conftest import SOON_S, Arm, StartArm


@pytest.fixture(scope="module")
def arm(start_arm: StartArm) -> Arm:
    started = start_arm("sim_node")
    started.client.switch("enable_torque", True)
    return started


def answered(arm: Arm, future: Future) -> Any:
    arm.client.wait_until(future.done, SOON_S, "answer")
    return future.result()


def test_a_goal_of_follow_joint_trajectory_is_taken_and_carried_out(arm: Arm) -> None:
    client = ActionClient(arm.client.node, FollowJointTrajectory, "arm_controller/follow_joint_trajectory")
    assert client.wait_for_server(SOON_S)
    point = JointTrajectoryPoint(positions=[0.3], time_from_start=to_duration(1.0))
    goal = FollowJointTrajectory.Goal(trajectory=JointTrajectory(joint_names=["joint1"], points=[point]))
    handle = answered(arm, client.send_goal_async(goal))
    assert handle.accepted
    arm.client.wait_until(lambda: abs(arm.client.position[0] - 0.3) < 0.03, SOON_S, "joint1 at 0.3 rad")


def test_the_gripper_action_takes_a_goal(arm: Arm) -> None:
    client = ActionClient(arm.client.node, GripperCommand, "gripper_controller/gripper_cmd")
    assert client.wait_for_server(SOON_S)
    handle = answered(arm, client.send_goal_async(GripperCommand.Goal()))
    assert handle.accepted


def test_the_frames_on_tf_chain_to_the_forward_kinematics(arm: Arm) -> None:
    frames: dict[str, tuple[str, FloatArray]] = {}

    def hear(message: TFMessage) -> None:
        for t in message.transforms:
            frames[t.child_frame_id] = (t.header.frame_id, _matrix(t.transform))

    node, model = arm.client.node, load_model()
    node.create_subscription(TFMessage, "/tf", arm.client.noting(hear), 10)
    node.create_subscription(TFMessage, "/tf_static", arm.client.noting(hear), LATCHED)
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


def test_two_arms_on_one_tf_have_frames_and_diagnostics_of_their_own(start_arm: StartArm) -> None:
    left = start_arm("sim_node", frame_prefix="left/")
    right = start_arm("sim_node", frame_prefix="right/", publish_tf="false")
    frames: set[str] = set()
    names: set[str] = set()

    def hear(message: TFMessage) -> None:
        frames.update(t.child_frame_id for t in message.transforms)

    def note(message: DiagnosticArray) -> None:
        names.update(f"{entry.hardware_id}: {entry.name}" for entry in message.status)

    left.client.node.create_subscription(TFMessage, "/tf", left.client.noting(hear), 10)
    left.client.node.create_subscription(DiagnosticArray, "/diagnostics", left.client.noting(note), 10)
    namespaces = [arm.client.node.get_namespace().strip("/") for arm in (left, right)]
    expected = {f"dofbot {ns}: {ns}/sim_node: arm" for ns in namespaces}
    left.client.wait_until(lambda: "left/link4" in frames and expected <= names, SOON_S, "frames and diagnostics")
    assert not any(frame.startswith("right/") for frame in frames)
