"""What each cycle of the daemon tells, reads and writes, and what the configuration changes in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dofbot_ros.arm.backend import BusStats
from dofbot_ros.arm.robot import load_robot
from dofbot_ros.core.types import GRIP, ToolPose
from dofbot_ros.driver.config import HOME, PARK, DriverConfig
from dofbot_ros.driver.daemon import PAUSED_S, READ_SHARE, REPEATS, ArmDaemon
from dofbot_ros.safety.states import ArmState
from dofbot_ros.safety.workspace import Workspace

from .daemon_bench import OPERATOR, PERIOD_S, TELEOP, TICK, holding, refusal, spied

S = ArmState


# -- what it tells -----------------------------------------------------------------------------------------------------


def test_before_the_first_cycle_it_is_not_connected_and_knows_nothing(new_bench: Any) -> None:
    snapshot = new_bench().daemon.snapshot()
    assert (snapshot.state, snapshot.reason, snapshot.stamp_s) == (S.DISCONNECTED, "not connected yet", 100.0)
    assert (snapshot.torque, snapshot.reading, snapshot.sent, snapshot.result) == (False, None, None, None)
    assert (snapshot.motion, snapshot.kind, snapshot.gripper_moving, snapshot.events) == (0, "", False, ())
    assert (snapshot.commander, snapshot.handover, snapshot.limited, snapshot.limited_counts) == ("", "", (), {})
    assert (snapshot.bus, snapshot.bus_errors, snapshot.last_bus_error) == (BusStats(), 0, "")


def test_each_cycle_tells_what_runs_and_what_was_sent(bench: Any) -> None:
    number = bench.daemon.park(OPERATOR)
    bench.daemon.gripper(0.03, OPERATOR)
    began = bench.clock.now()
    snapshot = bench.run(PERIOD_S)
    assert (snapshot.motion, snapshot.kind, snapshot.commander) == (number, "park", "_ros2cli_7")
    assert (snapshot.stamp_s, snapshot.torque, snapshot.gripper_moving) == (began, True, True)
    assert snapshot.sent.position == pytest.approx(bench.arm.goals[-1], abs=TICK)
    assert snapshot.reading.stamp_s == began
    assert bench.daemon.snapshot() is snapshot


def test_errors_of_the_bus_are_counted_and_the_last_one_is_told(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.arm.deaf = True
    snapshot = bench.run(0.1)
    assert (snapshot.bus_errors, snapshot.last_bus_error) == (5, "no servo takes a goal")
    assert snapshot.state is S.HOLD
    monkeypatch.setattr(bench.arm, "stats", lambda: BusStats(frames_sent=9))
    assert bench.run(PERIOD_S).bus == BusStats(frames_sent=9)


def test_limits_that_act_are_told_and_counted(bench: Any) -> None:
    for _ in range(10):
        bench.daemon.stream([3.0], bench.clock.now(), ["joint1"])
        snapshot = bench.run(PERIOD_S)
        assert "position limit: joint1" in snapshot.limited
    assert snapshot.limited_counts["position limit"] == 10
    snapshot.limited_counts.clear()
    assert bench.daemon.snapshot().limited_counts is not bench.run(PERIOD_S).limited_counts


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (lambda d: d.home(), "home"),
        (lambda d: d.park(), "park"),
        (lambda d: d.move_joints([0.2, 0, 0, 0, 0.2]), "joints"),
        (lambda d: d.move_tool(ToolPose(0.2, 0.0, 0.10, np.radians(132))), "pose"),
        (lambda d: d.follow([2.0], [[0.1]], joints=["joint1"]), "trajectory"),
    ],
)
def test_every_kind_of_motion_has_its_name(bench: Any, command: Any, kind: str) -> None:
    bench.daemon.move_joints([0.4, 0, 0, 0, 0])
    bench.run(0.4)
    number = command(bench.daemon)
    snapshot = bench.run(PERIOD_S)
    assert (snapshot.motion, snapshot.kind) == (number, kind)


def test_home_and_park_go_where_they_are_defined(bench: Any) -> None:
    bench.daemon.park()
    bench.until(lambda s: s.state is S.HOLD)
    assert bench.arm.goals[-1][:GRIP] == pytest.approx(PARK[:GRIP], abs=1e-4)
    bench.daemon.home()
    bench.until(lambda s: s.state is S.HOLD)
    assert bench.arm.goals[-1][:GRIP] == pytest.approx(HOME[:GRIP], abs=1e-4)


# -- what the configuration says ---------------------------------------------------------------------------------------


def test_limits_come_from_the_robot_and_the_configuration(new_bench: Any) -> None:
    robot = load_robot()
    workspace = Workspace(robot.kinematics)
    daemon = ArmDaemon(new_bench().arm, DriverConfig(max_velocity=0.7, max_acceleration=3.0), robot, workspace)
    assert daemon.limits.velocity.tolist() == [0.7] * 6
    assert daemon.limits.acceleration.tolist() == [3.0] * 6
    assert daemon.limits.lower == pytest.approx(robot.lower)
    assert daemon.limits.upper == pytest.approx(robot.upper)
    assert daemon.robot is robot
    assert daemon.workspace is workspace
    assert daemon.kinematics is robot.kinematics


def test_a_motion_keeps_to_the_configured_speed(new_bench: Any) -> None:
    b = holding(new_bench, max_velocity=0.5)
    b.daemon.move_joints([1.0, 0, 0, 0, 0])
    b.run(1.5)
    assert np.abs(np.diff(np.array(b.arm.goals)[:, 0])).max() / PERIOD_S == pytest.approx(0.5, abs=1e-3)


def test_a_port_is_tried_again_after_reconnect_s(new_bench: Any) -> None:
    b = new_bench(reconnect_s=3.0)
    b.arm.absent = True
    b.run(0.04)
    b.arm.absent = False
    assert b.run(2.9).state is S.DISCONNECTED
    assert b.run(0.2).state is S.IDLE


def test_silence_is_a_fault_after_stale_read_s(new_bench: Any) -> None:
    b = holding(new_bench, stale_read_s=1.0)
    b.arm.silent = {2}
    assert b.run(0.98).state is S.HOLD
    assert b.run(0.1).state is S.FAULT


def test_a_joint_that_does_not_follow_is_a_fault_after_tracking_error_s(new_bench: Any) -> None:
    b = holding(new_bench, tracking_error=0.3, tracking_error_s=1.0)
    b.daemon.move_joints([1.2, 0, 0, 0, 0])
    b.run(0.4)
    b.arm.servos.jam(1)
    b.until(lambda s: b.daemon._motion.adherence.lagging[0], 3.0)
    began = b.clock.now()
    snapshot = b.until(lambda s: s.state is S.FAULT, 3.0)
    assert b.clock.now() - began == pytest.approx(1.0, abs=0.06)
    assert float(snapshot.reason.split()[2]) > 0.3


def test_a_stopped_stream_pauses_for_engage_pause_s(new_bench: Any) -> None:
    b = holding(new_bench, engage_pause_s=2.0)
    b.daemon.stream([0.1], b.clock.now(), ["joint1"], TELEOP)
    b.daemon.stop()
    b.run(1.0)
    assert "pause it for 2 s" in refusal(lambda: b.daemon.stream([0.1], b.clock.now(), ["joint1"], TELEOP))
    b.run(2.02)
    b.daemon.stream([0.1], b.clock.now(), ["joint1"], TELEOP)


# -- reading and writing -----------------------------------------------------------------------------------------------


def test_reading_ends_after_its_share_of_the_period_or_for_a_stop(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = spied(bench, "read", monkeypatch)
    began = bench.clock.now()
    bench.run(PERIOD_S)
    (until_s, urgent) = calls[0]
    assert until_s == pytest.approx(began + READ_SHARE * PERIOD_S)
    assert not urgent()
    bench.daemon.estop()
    assert urgent()


def test_goals_of_a_halt_are_urgent_and_repeated(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.daemon.move_joints([1.2, 0, 0, 0, 0])
    bench.run(0.5)
    calls = spied(bench, "write", monkeypatch)
    bench.run(0.1)
    assert not any(urgent for _, _, urgent in calls)
    assert {duration_s for _, duration_s, _ in calls} == {PERIOD_S}
    calls.clear()
    bench.daemon.stop()
    bench.run(1.0)
    urgent = [urgent for _, _, urgent in calls]
    rests = next(k for k in range(len(calls)) if (calls[k][0] == calls[k + 1][0]).all())
    assert urgent[: rests + REPEATS] == [True] * (rests + REPEATS)
    assert not any(urgent[rests + REPEATS + 1 :])


def test_an_arm_that_rests_when_it_is_stopped_writes_nothing_urgent(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = spied(bench, "write", monkeypatch)
    bench.daemon.estop()
    bench.run(0.2)
    assert not any(urgent for _, _, urgent in calls)


def test_without_torque_nothing_is_written(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = spied(bench, "write", monkeypatch)
    bench.daemon.set_torque(False)
    bench.daemon.estop()
    bench.run(0.5)
    assert calls == []
    assert not bench.daemon._must_brake(), "there is nothing to brake"


@pytest.mark.parametrize(("rate_hz", "limit_s"), [(50.0, PAUSED_S), (20.0, 0.25)])
def test_a_loop_that_stood_still_is_one_that_did_so_for_longer_than_both(
    new_bench: Any, rate_hz: float, limit_s: float
) -> None:
    for pause_s, given_up in ((limit_s - 0.001, False), (limit_s + 0.001, True)):
        b = holding(new_bench, control_rate_hz=rate_hz, stale_read_s=5.0)
        b.daemon.follow([4.0], [[1.2]], joints=["joint1"])
        b.run(0.5)
        # The last cycle was one advance of the clock ago.
        b.clock.advance(pause_s - PERIOD_S)
        snapshot = b.run(PERIOD_S)
        assert (snapshot.motion == 0) is given_up
        if given_up:
            assert snapshot.result.reason == f"this computer stood still for {pause_s:.1f} s"
            assert snapshot.commander == ""


def test_a_pause_without_torque_is_none(bench: Any) -> None:
    bench.daemon.set_torque(False)
    bench.run(0.1)
    before = len(bench.events)
    bench.clock.advance(3.0)
    bench.run(0.1)
    assert len(bench.events) == before
    bench.daemon.set_torque(True)
    bench.daemon.move_joints([0.3, 0, 0, 0, 0])
    assert bench.run(PERIOD_S).motion != 0, "the pause before is no pause of this motion"
