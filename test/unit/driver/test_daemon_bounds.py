"""The exact bounds of what the daemon takes, and the sentences with which it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dofbot_ros.arm.gripper import MAX_GAP, gap_to_joint
from dofbot_ros.core.types import GRIP, ToolPose
from dofbot_ros.driver.motion_commands import LIMIT_SLACK
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.safety.authority import Commander
from dofbot_ros.safety.states import ArmState

from .daemon_bench import PERIOD_S, SCRIPT, TELEOP, holding, refusal, stopped

S = ArmState


def ended(motion: int, kind: str, code: EndCode, reason: str) -> MotionEvent:
    return MotionEvent(Event.ENDED, motion, kind, "this program", code, reason)


@pytest.mark.parametrize(("state", "service"), [("ESTOP", "reset_estop"), ("FAULT", "clear_fault")])
def test_a_stopped_arm_says_why_and_which_service_ends_it(bench: Any, state: str, service: str) -> None:
    reason = stopped(state, bench)
    for command in (
        lambda: bench.daemon.gripper(0.02),
        lambda: bench.daemon.follow([1.0], [[0.1]], joints=["joint1"]),
        lambda: bench.daemon.stream([0.1], bench.clock.now(), ["joint1"]),
        lambda: bench.daemon.twist([0.01, 0, 0], [0, 0, 0], bench.clock.now()),
        lambda: bench.daemon.move_tool(ToolPose(0.2, 0.0, 0.10, np.radians(132))),
    ):
        assert refusal(command) == f"{state}: {reason}; call {service} first"


def test_without_torque_the_way_on_is_told(bench: Any) -> None:
    bench.daemon.set_torque(False)
    assert refusal(bench.daemon.home) == "torque is off: call enable_torque first"
    bench.daemon.freedrive(True)
    assert refusal(bench.daemon.home) == "freedrive is on: switch it off first"


def test_what_is_not_there_cannot_be_reset(bench: Any) -> None:
    assert refusal(bench.daemon.reset_estop) == "there is no emergency stop to reset"
    assert refusal(bench.daemon.clear_fault) == "there is no fault to clear"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_goal_past_a_limit_by_rounding_is_brought_to_it(bench: Any, sign: float) -> None:
    limit = (bench.daemon.limits.upper if sign > 0 else bench.daemon.limits.lower)[3]
    assert "joint4" in refusal(lambda: bench.daemon.move_joints([0, 0, 0, limit + sign * 2 * LIMIT_SLACK, 0]))
    bench.daemon.move_joints([0, 0, 0, limit + sign * 0.5 * LIMIT_SLACK, 0])
    bench.until(lambda s: s.state is S.HOLD)
    assert bench.arm.goals[-1][3] == pytest.approx(limit, abs=1e-6)


def test_a_move_of_the_arm_leaves_the_gripper_where_it_is(bench: Any) -> None:
    bench.daemon.gripper(0.02)
    bench.until(lambda s: s.state is S.HOLD)
    closed = bench.arm.goals[-1][GRIP]
    assert closed == pytest.approx(gap_to_joint(0.02), abs=1e-6)
    bench.daemon.move_joints([0.3, 0, 0, 0, 0])
    bench.until(lambda s: s.state is S.HOLD)
    assert bench.arm.goals[-1][GRIP] == pytest.approx(closed, abs=1e-6)


@pytest.mark.parametrize("gap", [0.0, 0.03, MAX_GAP])
def test_every_gap_of_the_gripper_is_reached(bench: Any, gap: float) -> None:
    bench.daemon.gripper(gap)
    bench.until(lambda s: s.state is S.HOLD)
    limits = bench.daemon.limits
    goal = np.clip(gap_to_joint(gap), limits.lower[GRIP], limits.upper[GRIP])
    assert bench.arm.goals[-1][GRIP] == pytest.approx(goal, abs=1e-5)


def test_an_impossible_gap_is_told_with_its_range(bench: Any) -> None:
    assert refusal(lambda: bench.daemon.gripper(0.0601)) == f"a gap of 0.0601 m is outside 0..{MAX_GAP} m"


@pytest.mark.parametrize("command", ["stream", "twist"])
def test_a_command_is_taken_up_to_its_timeout(bench: Any, command: str) -> None:
    def send(age_s: float) -> int:
        stamp = bench.clock.now() - age_s
        if command == "stream":
            number: int = bench.daemon.stream([0.0], stamp, ["joint1"])
        else:
            number = bench.daemon.twist([0.0, 0, 0], [0, 0, 0], stamp)
        return number

    assert refusal(lambda: send(0.21)) == "the command is 0.21 s old, the limit is 0.2 s"
    assert refusal(lambda: send(np.nan)) == "the command is nan s old, the limit is 0.2 s"
    assert send(0.199) == 1


@pytest.mark.parametrize("command", ["stream", "twist"])
def test_the_commander_of_a_stream_renews_its_motion_and_a_higher_one_begins_another(bench: Any, command: str) -> None:
    def send(by: Commander) -> int:
        if command == "stream":
            number: int = bench.daemon.stream([0.0], bench.clock.now(), ["joint1"], by)
        else:
            number = bench.daemon.twist([0.0, 0, 0], [0, 0, 0], bench.clock.now(), by)
        bench.run(PERIOD_S)
        return number

    assert [send(SCRIPT) for _ in range(5)] == [1] * 5
    assert "grasp_node (script) commands the arm" not in bench.daemon.snapshot().handover
    assert [send(TELEOP) for _ in range(3)] == [2] * 3
    assert bench.daemon.snapshot().handover == "teleop_node (teleop) takes over from grasp_node"
    assert refusal(lambda: send(SCRIPT)).startswith("the stream of grasp_node was stopped")
    assert "teleop_node (teleop) commands the arm" in refusal(lambda: bench.daemon.home(SCRIPT))


def test_a_streams_point_that_is_refused_does_not_hand_over_the_arm(bench: Any) -> None:
    bench.daemon.stream([0.0], bench.clock.now(), ["joint1"], SCRIPT)
    refusal(lambda: bench.daemon.stream([np.nan], bench.clock.now(), ["joint1"], TELEOP))
    refusal(lambda: bench.daemon.twist([np.nan, 0, 0], [0, 0, 0], bench.clock.now(), TELEOP))
    snapshot = bench.run(PERIOD_S)
    assert (snapshot.commander, snapshot.handover) == ("grasp_node", "")


@pytest.mark.parametrize(("value", "refused"), [(10.0, False), (10.001, True), (-10.0, False), (-10.001, True)])
def test_a_streamed_point_has_a_bound(bench: Any, value: float, refused: bool) -> None:
    def send() -> None:
        bench.daemon.stream([value], bench.clock.now(), ["joint1"])

    if refused:
        assert f"the streamed point [{value}, 0.0, 0.0, 0.0, 0.0, " in refusal(send)
    else:
        send()


def test_a_trajectory_has_the_velocities_that_it_is_given(bench: Any) -> None:
    bench.daemon.follow([1.0, 2.0], [[0.2], [0.4]], [[0.05], [0.0]], joints=["joint1"])
    bench.run(1.0)
    bench.run(PERIOD_S)
    through = np.diff(np.array(bench.arm.goals)[:, 0])[-1] / PERIOD_S
    assert through == pytest.approx(0.05, abs=0.02), "a smooth one would be twice as fast"


@pytest.mark.parametrize(("gap", "goal"), [(0.0, MAX_GAP), (MAX_GAP, 0.0)], ids=["opening", "closing"])
def test_a_gripper_that_runs_to_its_end_is_no_part_of_an_arm_trajectory(bench: Any, gap: float, goal: float) -> None:
    """Going on with its speed it would pass its limit, and the trajectory be refused for that."""
    bench.daemon.gripper(gap)
    bench.until(lambda s: s.state is S.HOLD)
    bench.daemon.gripper(goal)
    end = gap_to_joint(goal)
    bench.until(lambda s: abs(bench.daemon._motion.at.position[GRIP] - end) < 0.1)
    assert abs(bench.daemon._motion.at.velocity[GRIP]) > 0.5
    number = bench.daemon.follow([1.5], [[0.4]], joints=["joint1"])
    bench.until(lambda s: s.motion == 0)
    assert ended(number, "trajectory", EndCode.ARRIVED, "") in bench.events
    assert bench.daemon._motion.at.position[[0, GRIP]] == pytest.approx([0.4, end], abs=1e-3)


def test_a_move_of_the_tool_is_its_commanders(bench: Any) -> None:
    bench.daemon.move_tool(ToolPose(0.2, 0.0, 0.10, np.radians(132)), SCRIPT)
    assert bench.run(PERIOD_S).commander == "grasp_node"


@pytest.mark.parametrize("q", [[0.8, -1.2, 0.9, -1.2, 1.5], [0.2, -0.4, 0.2, -0.4, 0.2]])
def test_a_pose_of_the_tool_is_reached_by_the_joint_angles_next_to_the_present_ones(bench: Any, q: list[float]) -> None:
    pose = bench.daemon.kinematics.forward(np.array(q))
    assert np.abs(bench.daemon.kinematics.solve(pose) - q).max() > 0.3, "there are others"
    bench.daemon.move_joints(q)
    assert bench.until(lambda s: s.motion == 0).result.succeeded
    bench.daemon.move_tool(pose)
    assert bench.until(lambda s: s.motion == 0).result.succeeded
    assert bench.arm.goals[-1][:GRIP] == pytest.approx(q, abs=1e-4)


@pytest.mark.parametrize("age_s", [0.25, 0.2500001])
def test_a_command_may_be_just_as_old_as_its_timeout(new_bench: Any, age_s: float) -> None:
    b = holding(new_bench, command_timeout_s=0.25)
    b.clock.advance(128.0 - b.clock.now())
    b.run(PERIOD_S)
    b.clock.advance(256.0 - b.clock.now())

    def send() -> None:
        b.daemon.stream([0.0], b.clock.now() - age_s, ["joint1"])

    if age_s > 0.25:
        assert refusal(send) == "the command is 0.25 s old, the limit is 0.25 s"
    else:
        send()
