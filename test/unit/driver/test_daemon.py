import contextlib
import math

import numpy as np
import pytest

from dofbot_ros.core.types import GRIP, JOINT_NAMES, ToolPose
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import CommandRefusedError, UnreachableError
from dofbot_ros.safety.states import ArmState

S = ArmState
TICK = np.radians(180 / 2200)


def held(snapshot):
    return snapshot.state is S.HOLD


# -- states ------------------------------------------------------------------------------------------------------------


def test_connects_without_torque_and_refuses_to_move(new_bench):
    b = new_bench()
    assert b.run(0.02).state is S.IDLE
    for command in (
        b.daemon.home,
        lambda: b.daemon.gripper(0.03),
        lambda: b.daemon.follow([1.0], [[0.1] * 6]),
        lambda: b.daemon.stream([0.1] * 6, b.clock.now()),
        lambda: b.daemon.twist([0.01, 0, 0], [0, 0, 0], b.clock.now()),
    ):
        with pytest.raises(CommandRefusedError, match="torque is off: call enable_torque first"):
            command()
    b.run(0.5)
    assert b.arm.goals == []


def test_torque_on_holds_where_the_arm_was_found(new_bench):
    b = new_bench()
    b.arm.servos.turn_by_hand(2, 2300)
    b.run(0.04)
    found = b.measured()
    b.daemon.set_torque(True)
    assert b.run(1.0).state is S.HOLD
    np.testing.assert_allclose(b.measured(), found, atol=1.5 * TICK)
    np.testing.assert_allclose(b.arm.goals[0], found, atol=1e-9)


def test_freedrive_lets_go_and_takes_hold_where_it_was_led(bench):
    bench.daemon.freedrive(True)
    assert bench.run(0.1).reason == "freedrive"
    bench.arm.servos.turn_by_hand(1, 2200)
    bench.run(0.1)
    with pytest.raises(CommandRefusedError, match="freedrive is on"):
        bench.daemon.home()
    bench.daemon.freedrive(False)
    led = bench.run(0.5).reading.position
    assert led[0] == pytest.approx(200 * TICK, abs=2 * TICK)
    assert bench.daemon.snapshot().state is S.HOLD


def test_a_missing_port_is_tried_again_and_named(new_bench):
    b = new_bench()
    b.arm.absent = True
    snapshot = b.run(0.5)
    assert (snapshot.state, snapshot.reason) == (S.DISCONNECTED, "the port is gone")
    b.arm.absent = False
    b.until(lambda s: s.state is S.IDLE, 1.5)


def test_losing_the_port_ends_the_motion_and_nothing_moves_after_it_is_back(bench):
    bench.daemon.move_joints([0.8, 0, 0, 0, 0])
    bench.run(0.3)
    bench.arm.absent = True
    snapshot = bench.run(0.1)
    assert snapshot.state is S.DISCONNECTED
    assert snapshot.result.reason == "the port is gone"
    bench.arm.absent = False
    bench.until(lambda s: s.state is S.IDLE, 2.0)
    written = len(bench.arm.goals)
    bench.run(1.0)
    assert len(bench.arm.goals) == written


def test_a_servo_that_falls_silent_is_a_fault_that_names_it(bench):
    bench.arm.silent = {3}
    snapshot = bench.run(1.0)
    assert snapshot.state is S.FAULT
    assert snapshot.reason.startswith("no answer from servo 3 (joint3)")
    with pytest.raises(CommandRefusedError, match=r"FAULT: no answer .*; call clear_fault first"):
        bench.daemon.home()
    bench.daemon.clear_fault()
    assert bench.run(0.1).state is S.FAULT
    bench.arm.silent = set()
    bench.run(0.1)
    bench.daemon.clear_fault()
    assert bench.run(0.1).state is S.HOLD


def test_a_hot_servo_stops_the_arm(bench):
    bench.daemon.move_joints([1.2, 0, 0, 0, 0])
    bench.run(0.4)
    bench.arm.servos.models[2].temperature_c = 85.0
    snapshot = bench.run(1.0)
    assert snapshot.state is S.FAULT
    assert snapshot.reason == "servo 2 (joint2) overheated: let it cool down and check for an obstruction"
    resting = bench.measured()[0]
    assert 0.05 < resting < 1.1
    assert bench.run(0.5).reading.position[0] == pytest.approx(resting, abs=TICK)


def test_a_blocked_joint_is_a_fault(bench):
    bench.arm.servos.jam(1)
    bench.daemon.move_joints([1.2, 0, 0, 0, 0])
    snapshot = bench.until(lambda s: s.state is S.FAULT, 4.0)
    assert "joint1 is" in snapshot.reason
    assert "does not follow" in snapshot.reason
    bench.arm.servos.jam(1, False)
    bench.run(1.0)
    bench.daemon.clear_fault()
    assert bench.run(0.2).state is S.HOLD


def test_estop_brakes_latches_and_moves_nothing_when_reset(bench):
    bench.daemon.move_joints([1.5, 0, 0, 0, 0])
    bench.run(0.5)
    bench.daemon.estop("button")
    snapshot = bench.run(1.0)
    assert (snapshot.state, snapshot.reason) == (S.ESTOP, "button")
    resting = bench.measured()
    for command in (bench.daemon.home, lambda: bench.daemon.gripper(0.0), lambda: bench.daemon.freedrive(False)):
        with contextlib.suppress(CommandRefusedError):
            command()
        bench.run(0.2)
    np.testing.assert_allclose(bench.measured(), resting, atol=TICK)
    bench.daemon.reset_estop()
    assert bench.run(1.0).state is S.HOLD
    np.testing.assert_allclose(bench.measured(), resting, atol=TICK)


def test_estop_survives_a_loss_of_the_port(bench):
    bench.daemon.estop()
    bench.arm.absent = True
    bench.run(0.2)
    bench.arm.absent = False
    assert bench.run(2.0).state is S.ESTOP
    with pytest.raises(CommandRefusedError, match="ESTOP"):
        bench.daemon.set_torque(True)


def test_resetting_what_is_not_there_is_refused(bench):
    with pytest.raises(CommandRefusedError, match="no emergency stop"):
        bench.daemon.reset_estop()
    with pytest.raises(CommandRefusedError, match="no fault"):
        bench.daemon.clear_fault()


# -- motions -----------------------------------------------------------------------------------------------------------


def test_a_trajectory_is_followed_to_its_end(bench):
    number = bench.daemon.follow([1.0, 2.0], [[0.3, 0.2, 0.1], [0.5, 0.0, -0.2]], joints=["joint1", "joint2", "joint5"])
    assert bench.run(0.1).state is S.ACTIVE
    snapshot = bench.until(held, 4.0)
    assert (snapshot.result.motion, snapshot.result.succeeded) == (number, True)
    bench.run(0.3)
    np.testing.assert_allclose(bench.measured()[:5], [0.5, 0, 0, 0, -0.2], atol=6 * TICK)


def test_a_trajectory_may_move_the_gripper_too(bench):
    start = bench.measured()[5]
    bench.daemon.follow([1.0], [[start + 0.4]], joints=["grip_joint"])
    bench.until(held, 3.0)
    bench.run(0.5)
    assert bench.measured()[5] == pytest.approx(start + 0.4, abs=0.02)


@pytest.mark.parametrize(
    ("times", "positions", "joints", "message"),
    [
        ([1.0], [[0.1]], ["joint9"], "joint 'joint9' is not one of joint1, .*did you mean joint"),
        ([1.0], [[0.1, 0.1]], ["joint1", "joint1"], "named twice"),
        ([1.0], [[0.1, 0.1]], ["joint1"], "1 joints are named, but the points have"),
        ([1.0], [[2.5]], ["joint2"], "joint2 would reach 2.500 rad"),
        ([0.1], [[1.0]], ["joint1"], "stretch the times"),
        ([3.0], [[1.5, 1.2, 0.4]], ["joint2", "joint3", "joint4"], "too near the table"),
    ],
)
def test_a_bad_trajectory_is_refused_whole(bench, times, positions, joints, message):
    before = bench.measured()
    with pytest.raises(CommandRefusedError, match=message):
        bench.daemon.follow(times, positions, joints=joints)
    assert bench.run(0.5).state is S.HOLD
    np.testing.assert_array_equal(bench.measured(), before)


def test_the_next_trajectory_replaces_the_first_without_a_jump(bench):
    bench.daemon.follow([2.0], [[1.0]], joints=["joint1"])
    bench.run(1.0)
    bench.daemon.follow([1.5], [[0.0]], joints=["joint1"])
    assert bench.daemon.snapshot().result is None or bench.run(0.02).result.reason.startswith("replaced")
    bench.until(held, 4.0)
    commanded = np.array(bench.arm.goals)[:, 0]
    assert np.abs(np.diff(commanded, n=2)).max() <= 8.0 * 0.02**2 + 1e-9
    assert commanded[-1] == pytest.approx(0.0, abs=1e-6)


def test_soft_start_slows_a_trajectory_without_giving_it_up(new_bench):
    b = new_bench(soft_start_s=1.0)
    b.run(0.04)
    b.daemon.set_torque(True)
    b.daemon.follow([1.0], [[1.0]], joints=["joint1"])
    b.run(0.2)
    speeds = np.diff(np.array(b.arm.goals)[:, 0]) / 0.02
    assert 0 < speeds.max() < 0.8
    assert b.until(held, 4.0).result.succeeded


def test_a_stream_is_followed_and_its_silence_halts_the_arm(bench):
    def target(t):
        return [0.4 * np.sin(2.0 * t)]

    start = bench.clock.now()
    errors = []
    for _ in range(150):
        t = bench.clock.now() - start
        bench.daemon.stream(target(t), bench.clock.now(), ["joint1"])
        bench.run(0.02)
        errors.append(bench.arm.goals[-1][0] - target(t)[0])
    # It trails the points by what it needs to brake from 0.8 rad/s at 8 rad/s^2.
    assert np.abs(errors[25:]).max() < 0.8**2 / 16 + 0.005
    snapshot = bench.until(held, 1.0)
    assert snapshot.result.reason.startswith("stale: command is 0.2")
    with pytest.raises(CommandRefusedError, match=r"0\.50 s old, the limit is 0\.2 s"):
        bench.daemon.stream([0.0], bench.clock.now() - 0.5, ["joint1"])


def test_a_stream_that_squeezes_a_block_for_long_does_not_overload_the_servo(bench):
    """As a policy does: its goal for the fingers stays 0.2 rad ahead of them, which is all that the servo has."""
    grip = JOINT_NAMES[GRIP]

    def squeeze(seconds, ahead):
        for _ in range(round(seconds * 50)):
            bench.daemon.stream([bench.measured()[GRIP] + ahead], bench.clock.now(), [grip])
            bench.run(0.02)

    squeeze(0.5, 0.2)
    bench.arm.servos.jam(6)
    squeeze(6.0, 0.2)
    snapshot = bench.daemon.snapshot()
    assert snapshot.state is S.ACTIVE, snapshot.reason
    lead = DriverConfig().grip_lead
    assert bench.arm.goals[-1][GRIP] - bench.measured()[GRIP] == pytest.approx(lead, abs=0.01)
    bench.arm.servos.jam(6, False)
    before = bench.measured()[GRIP]
    squeeze(0.4, -0.2)
    assert bench.measured()[GRIP] < before - 0.1
    assert bench.until(held, 2.0).state is S.HOLD


def test_a_stream_slower_than_the_loop_is_followed_smoothly(bench):
    """30 Hz points into a 50 Hz loop: the command never stops between them."""
    start, due = bench.clock.now(), 0.0
    for _ in range(200):
        t = bench.clock.now() - start
        if t >= due - 1e-9:
            bench.daemon.stream([0.3 * t], bench.clock.now(), ["joint1"])
            due += 1 / 30
        bench.run(0.02)
    speed = np.diff(np.array(bench.arm.goals)[-100:, 0]) / 0.02
    assert np.abs(speed - 0.3).max() < 0.15


def test_a_twist_moves_the_tool_along_it(bench):
    bench.daemon.move_tool(ToolPose(0.2, 0.0, 0.10, np.radians(132)))
    bench.until(held, 5.0)
    before = bench.daemon.kinematics.forward(bench.arm.goals[-1][:5])
    for _ in range(50):
        bench.daemon.twist([0.0, 0.05, -0.02], [0, 0, 0], bench.clock.now())
        bench.run(0.02)
    after = bench.daemon.kinematics.forward(bench.arm.goals[-1][:5])
    moved = np.array([after.x - before.x, after.y - before.y, after.z - before.z])
    assert moved == pytest.approx([0.0, 0.05 * 0.95, -0.02 * 0.95], abs=0.003)
    assert after.pitch == pytest.approx(before.pitch, abs=0.01)
    assert bench.until(held, 1.0).result.reason.startswith("stale")


def test_a_tool_goal_is_reached(bench):
    goal = ToolPose(0.18, 0.08, 0.06, np.radians(147), 0.3)
    bench.daemon.move_tool(goal)
    assert bench.until(held, 5.0).result.succeeded
    there = bench.daemon.kinematics.forward(bench.arm.goals[-1][:5])
    assert (there.x, there.y, there.z, there.pitch, there.roll) == pytest.approx(
        (goal.x, goal.y, goal.z, goal.pitch, goal.roll), abs=1e-4
    )


def test_a_tool_goal_out_of_reach_is_refused_with_the_nearest(bench):
    with pytest.raises(UnreachableError) as refused:
        bench.daemon.move_tool(ToolPose(0.6, 0.0, 0.1, np.radians(120)))
    assert bench.daemon.kinematics.inverse(refused.value.nearest) is not None
    assert bench.run(0.2).state is S.HOLD


def test_the_gripper_moves_beside_the_arm(bench):
    bench.daemon.move_joints([0.8, 0, 0, 0, 0])
    bench.daemon.gripper(0.0)
    bench.until(held, 5.0)
    bench.run(0.3)
    assert bench.measured()[0] == pytest.approx(0.8, abs=0.02)
    assert bench.measured()[5] == pytest.approx(np.pi / 2, abs=0.03)


def test_an_arm_trajectory_may_start_while_the_gripper_moves(bench):
    bench.daemon.gripper(0.01)
    bench.run(0.1)
    bench.daemon.follow([0.0, 1.0], [[0.0], [0.4]], joints=["joint1"])
    snapshot = bench.until(lambda s: s.motion == 0 and not s.gripper_moving)
    assert snapshot.result is not None
    assert snapshot.result.succeeded
    bench.run(0.2)
    assert bench.measured()[[0, 5]] == pytest.approx([0.4, math.acos(0.01 / 0.06)], abs=0.02)


@pytest.mark.parametrize("gap", [-0.001, 0.061, np.nan])
def test_an_impossible_gap_is_refused(bench, gap):
    with pytest.raises(CommandRefusedError, match=r"outside 0\.\.0\.06 m"):
        bench.daemon.gripper(gap)


def test_stop_brakes_and_stays_open_to_commands(bench):
    bench.daemon.move_joints([1.5, 0, 0, 0, 0])
    bench.run(0.5)
    bench.daemon.stop()
    assert bench.until(held, 1.0).result.reason == "stopped"
    bench.daemon.home()
    assert bench.until(held, 5.0).result.succeeded


def test_a_stop_is_told_also_when_only_the_fingers_move(bench):
    before = bench.stops
    bench.daemon.gripper(0.0)
    bench.run(0.1)
    bench.daemon.stop()
    after = bench.until(held, 1.0)
    assert bench.stops == before + 1
    assert after.reading.position[5] < 1.0


def test_switching_torque_off_is_a_stop_and_switching_it_on_is_none(bench):
    before = bench.stops
    bench.daemon.set_torque(False)
    bench.run(0.02)
    assert bench.stops == before + 1
    bench.daemon.set_torque(True)
    bench.run(0.02)
    assert bench.stops == before + 1


# -- the end -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("on_exit", "torque"), [("hold", True), ("release", False), ("park", False)])
def test_on_exit(new_bench, on_exit, torque):
    b = new_bench(on_exit=on_exit)
    b.run(0.04)
    b.daemon.set_torque(True)
    b.daemon.move_joints([0.5, 0, 0, 0, 0])
    b.run(0.5)
    b.daemon.shutdown()
    assert b.daemon.snapshot().state is S.DISCONNECTED
    assert all(model.torque_on is torque for model in b.arm.servos.models.values())
    if on_exit == "park":
        assert b.arm.goals[-1][1] == pytest.approx(-1.1519, abs=1e-3)


def test_run_steps_until_told_and_shuts_down(new_bench):
    b = new_bench()
    seen = []
    b.daemon.run(lambda: len(seen) >= 10, lambda snapshot, rate: seen.append(snapshot.state))
    assert seen == [S.IDLE] * 10
    assert b.daemon.snapshot().reason == "shut down"
