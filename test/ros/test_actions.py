"""Actions on real messages over DDS, as MoveIt's controller manager calls them, on driver_node and sim_node alike."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("control_msgs", reason="control_msgs is not built here: make interfaces")

from action_msgs.msg import GoalStatus
from control_msgs.action import FollowJointTrajectory, GripperCommand, ParallelGripperCommand
from rclpy.action import ActionClient
from rclpy.task import Future
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.ros.conversions.messages import to_duration
from dofbot_ros.ros.runtime.background_node import BackgroundNode

from .conftest import SOON_S, Arm, pose_at_rest

PROMPT_S = 2.0
"""A result that waited for the executor to wake by itself came after 3 s, 5 s, or never."""


@pytest.fixture
def arm(running: Arm) -> Iterator[Arm]:
    """With torque, upright, its fingers open."""
    running.client.enable()
    running.client.stop()  # what another test left moving
    running.client.wait_until(lambda: running.client.state == "HOLD", SOON_S, "rest")
    running.client.gripper(0.06)
    running.client.home()
    yield running
    assert running.client.state != "FAULT"


class Caller:
    """A client of one action."""

    def __init__(self, arm: Arm, client: ActionClient) -> None:
        self._arm, self._client = arm, client
        assert client.wait_for_server(SOON_S)

    def begin(self, goal: Any) -> Any:
        """The handle of a goal that was taken."""
        handle = self.answer(self._client.send_goal_async(goal))
        assert handle.accepted
        return handle

    def end(self, handle: Any) -> Any:
        """Its status and result."""
        return self.answer(handle.get_result_async())

    def answer(self, future: Future) -> Any:
        self._arm.client.wait_until(future.done, SOON_S, "answer")
        return future.result()


@pytest.fixture(scope="module")
def clients(running: Arm) -> Iterator[dict[str, ActionClient]]:
    """On a node that spins only once they are made: rclpy lets an executor meet an action client that is half made."""
    with BackgroundNode("action_caller", running.client.node.get_namespace()) as background:
        kinds = {
            "arm_controller/follow_joint_trajectory": FollowJointTrajectory,
            "gripper_controller/gripper_cmd": GripperCommand,
            "gripper_controller/parallel_gripper_cmd": ParallelGripperCommand,
        }
        made = {name: ActionClient(background.node, kind, name) for name, kind in kinds.items()}
        background.spin()
        yield made


@pytest.fixture
def follow(arm: Arm, clients: dict[str, ActionClient]) -> Caller:
    return Caller(arm, clients["arm_controller/follow_joint_trajectory"])


@pytest.fixture
def grip(arm: Arm, clients: dict[str, ActionClient]) -> Caller:
    return Caller(arm, clients["gripper_controller/gripper_cmd"])


@pytest.fixture
def parallel(arm: Arm, clients: dict[str, ActionClient]) -> Caller:
    return Caller(arm, clients["gripper_controller/parallel_gripper_cmd"])


def to(position: float, seconds: float, joint: str = "joint1") -> FollowJointTrajectory.Goal:
    point = JointTrajectoryPoint(positions=[position], time_from_start=to_duration(seconds))
    return FollowJointTrajectory.Goal(trajectory=JointTrajectory(joint_names=[joint], points=[point]))


def angle(radians: float) -> GripperCommand.Goal:
    goal = GripperCommand.Goal()
    goal.command.position = radians
    return goal


def test_a_trajectory_arrives_and_its_result_too(arm: Arm, follow: Caller) -> None:
    handle = follow.begin(to(0.3, 1.0))
    arm.client.wait_until(lambda: abs(arm.client.position[0] - 0.3) < 0.02, SOON_S, "joint1 at 0.3 rad")
    seen_s = time.monotonic()
    ended = follow.end(handle)
    assert time.monotonic() - seen_s < PROMPT_S
    assert ended.status == GoalStatus.STATUS_SUCCEEDED
    assert (ended.result.error_code, ended.result.error_string) == (0, "")


def test_cancelling_a_trajectory_stops_the_arm_and_answers(arm: Arm, follow: Caller) -> None:
    handle = follow.begin(to(1.2, 4.0))
    arm.client.wait_until(lambda: bool(arm.client.position[0] > 0.1), SOON_S, "motion")
    asked_s = time.monotonic()
    follow.answer(handle.cancel_goal_async())
    ended = follow.end(handle)
    assert time.monotonic() - asked_s < PROMPT_S
    assert ended.status == GoalStatus.STATUS_CANCELED
    arm.client.wait_until(lambda: arm.client.state == "HOLD", SOON_S, "rest")
    assert arm.client.position[0] < 0.9


@pytest.mark.parametrize(
    ("goal", "code", "reason"),
    [
        (to(0.3, 1.0, "joint9"), FollowJointTrajectory.Result.INVALID_JOINTS, "joint9"),
        (to(2.5, 3.0), FollowJointTrajectory.Result.INVALID_GOAL, "joint1"),
    ],
)
def test_a_wrong_trajectory_says_which_error_it_is(follow: Caller, goal: Any, code: int, reason: str) -> None:
    ended = follow.end(follow.begin(goal))
    assert ended.status == GoalStatus.STATUS_ABORTED
    assert ended.result.error_code == code
    assert reason in ended.result.error_string


def test_a_stop_and_a_newer_goal_end_one_without_blaming_the_path(arm: Arm, follow: Caller) -> None:
    for interrupt, reason in (
        (arm.client.stop, "stopped"),
        (lambda: follow.begin(to(0.0, 2.0)), "replaced by the next command"),
    ):
        handle = follow.begin(to(1.0, 4.0))
        arm.client.wait_until(lambda: arm.client.state == "ACTIVE", SOON_S, "motion")
        interrupt()
        ended = follow.end(handle)
        assert ended.status == GoalStatus.STATUS_ABORTED
        assert (ended.result.error_code, ended.result.error_string) == (0, reason)


def test_the_gripper_takes_the_angle_of_its_joint(arm: Arm, grip: Caller) -> None:
    half = float(gap_to_joint(0.03))
    ended = grip.end(grip.begin(angle(half)))
    assert ended.status == GoalStatus.STATUS_SUCCEEDED
    assert ended.result.reached_goal
    assert not ended.result.stalled
    assert ended.result.position == pytest.approx(half, abs=0.05)
    assert arm.client.gap == pytest.approx(0.03, abs=0.003)
    opened = grip.end(grip.begin(angle(0.0)))
    assert opened.result.reached_goal
    assert arm.client.gap == pytest.approx(0.06, abs=0.003)


def test_an_angle_that_the_gripper_does_not_have_is_refused(arm: Arm, grip: Caller) -> None:
    before = pose_at_rest(arm.client)[5]
    assert grip.end(grip.begin(angle(-1.0))).status == GoalStatus.STATUS_ABORTED
    assert grip.end(grip.begin(angle(float("nan")))).status == GoalStatus.STATUS_ABORTED
    assert arm.client.position[5] == pytest.approx(before, abs=0.02)


def test_cancelling_the_gripper_lets_the_arm_go_on(arm: Arm, follow: Caller, grip: Caller) -> None:
    moving = follow.begin(to(0.5, 2.5))
    closing = grip.begin(angle(float(gap_to_joint(0.0))))
    arm.client.wait_until(lambda: bool(arm.client.position[5] > 0.3), SOON_S, "closing fingers")
    grip.answer(closing.cancel_goal_async())
    ended = grip.end(closing)
    assert ended.status == GoalStatus.STATUS_CANCELED
    assert not ended.result.stalled
    assert follow.end(moving).status == GoalStatus.STATUS_SUCCEEDED
    assert arm.client.position[0] == pytest.approx(0.5, abs=0.03)
    assert arm.client.gap > 0.005, "the fingers stay where they were when the goal was cancelled"


def test_the_parallel_gripper_action_is_served_too(parallel: Caller) -> None:
    half = float(gap_to_joint(0.03))
    goal = ParallelGripperCommand.Goal(command=JointState(name=["grip_joint"], position=[half]))
    ended = parallel.end(parallel.begin(goal))
    assert ended.status == GoalStatus.STATUS_SUCCEEDED
    assert ended.result.reached_goal
    assert np.allclose(ended.result.state.position, [half], atol=0.05)
    assert list(ended.result.state.name) == ["grip_joint"]
