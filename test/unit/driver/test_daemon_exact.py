"""What the daemon hands on with a command: exact codes, names, limits and speeds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.arm.gripper import MAX_GAP
from dofbot_ros.core.types import GRIP, GRIP_JOINT, JOINT_NAMES
from dofbot_ros.driver.arm_core import CLOSING
from dofbot_ros.driver.motion_control import MotionControl
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.motion.trajectory import Sample
from dofbot_ros.safety.governor import Governor
from dofbot_ros.safety.states import ArmState

from .daemon_bench import OPERATOR, PERIOD_S, SCRIPT, holding, refusal, spied


def limited_to(joint: str, low: int, high: int) -> Calibration:
    """The nominal calibration with other limits of one servo [ticks]."""
    narrow = replace(getattr(DEFAULT_CALIBRATION, joint), min_ticks=low, max_ticks=high)
    return replace(DEFAULT_CALIBRATION, **{joint: narrow})


def rested(b: Any) -> Any:
    return b.until(lambda s: s.state is ArmState.HOLD and s.motion == 0)


def test_a_stop_is_told_with_its_code(bench: Any) -> None:
    number = bench.daemon.move_joints([1.2, 0, 0, 0, 0])
    bench.run(0.3)
    bench.daemon.stop()
    result = bench.run(PERIOD_S).result
    assert (result.motion, result.code, result.reason) == (number, EndCode.STOPPED, "stopped")


def test_a_motion_of_the_gripper_is_its_commanders(bench: Any) -> None:
    number = bench.daemon.gripper(0.03, SCRIPT)
    rested(bench)
    of_the_gripper = [event for event in bench.events if event.motion == number]
    assert of_the_gripper == [
        MotionEvent(Event.BEGAN, number, "gripper", "grasp_node"),
        MotionEvent(Event.ENDED, number, "gripper", "grasp_node", EndCode.ARRIVED, ""),
    ]


def test_a_motion_of_the_arm_is_its_commanders(bench: Any) -> None:
    number = bench.daemon.move_joints([0.1, 0, 0, 0, 0], by=SCRIPT)
    bench.run(PERIOD_S)
    assert bench.events[-1] == MotionEvent(Event.BEGAN, number, "joints", "grasp_node")


@pytest.mark.parametrize("command", ["stream", "trajectory"])
@pytest.mark.parametrize("named", [True, False])
def test_a_command_takes_the_fingers_over_only_where_it_names_them(bench: Any, command: str, named: bool) -> None:
    number = bench.daemon.gripper(0.02)
    bench.run(0.06)
    joints = JOINT_NAMES if named else JOINT_NAMES[:GRIP]
    point = bench.arm.goals[-1][: len(joints)]
    if command == "stream":
        bench.daemon.stream(point, bench.clock.now(), joints)
    else:
        bench.daemon.follow([1.0], [point], joints=joints)
    snapshot = bench.run(PERIOD_S)
    ends = [(end.code, end.reason) for end in bench.events if end.motion == number and end.event is Event.ENDED]
    assert ends == ([(EndCode.REPLACED, "replaced by the next command")] if named else [])
    assert snapshot.gripper_moving or named


def test_another_commander_begins_at_the_floor_of_the_velocity_limit(new_bench: Any) -> None:
    b = holding(new_bench, soft_start_s=1.0)
    b.run(1.5)
    governor = b.daemon._motion._governor
    b.daemon.move_joints([0.5, 0, 0, 0, 0], by=SCRIPT)
    b.run(0.1)
    assert governor.soft_start_scale(b.clock.now()) == 1.0
    b.daemon.move_joints([0.4, 0, 0, 0, 0], by=OPERATOR)
    assert governor.soft_start_scale(b.clock.now()) == pytest.approx(Governor.SOFT_START_FLOOR)
    assert b.run(PERIOD_S).handovers == 1
    b.daemon.move_joints([0.5, 0, 0, 0, 0], by=OPERATOR)
    assert b.run(PERIOD_S).handovers == 1


def test_the_lead_of_the_goals_is_told_and_no_larger_than_configured(new_bench: Any) -> None:
    b = holding(new_bench, goal_trim=0.02)
    assert b.daemon.snapshot().trim.tolist() == [0.0] * 6
    bent = np.array([0.0, 0.9, 0.5, 0.9, 0.0, 0.3])
    everywhere = np.ones(6, dtype=np.bool_)
    for _ in range(50):
        lead = b.daemon._trim.update(bent, bent + 0.2, everywhere, ~everywhere)
    assert np.abs(lead).max() == pytest.approx(0.02)
    b.arm.absent = True
    assert b.run(PERIOD_S).trim == pytest.approx(lead)


@pytest.mark.parametrize(("gap", "end"), [(0.0, "upper"), (MAX_GAP, "lower")], ids=["closing", "opening"])
def test_fingers_with_narrower_limits_go_to_them(new_bench: Any, gap: float, end: str) -> None:
    b = new_bench(limited_to(GRIP_JOINT, 1300, 2300))
    b.arm.servos.turn_by_hand(6, 1700)
    b.hold()
    limit = getattr(b.daemon.limits, end)[GRIP]
    b.daemon.gripper(gap)
    assert rested(b).result.succeeded
    assert b.arm.goals[-1][GRIP] == pytest.approx(limit, abs=1e-5)
    assert 0.05 < limit < np.pi / 2 - 0.05


def test_an_arm_whose_limits_are_a_little_narrower_is_upright_at_them(new_bench: Any) -> None:
    zero = DEFAULT_CALIBRATION.joint3.zero_ticks
    b = new_bench(limited_to("joint3", zero + 50, 3100))
    b.arm.servos.turn_by_hand(3, zero + 300)
    b.hold()
    b.daemon.home()
    assert rested(b).result.succeeded
    assert b.arm.goals[-1][:GRIP] == pytest.approx([0.0, 0.0, b.daemon.limits.lower[2], 0.0, 0.0], abs=1e-5)
    assert b.daemon.limits.lower[2] > 0.05


def test_at_the_end_only_the_daemon_itself_commands_the_arm(bench: Any) -> None:
    bench.daemon._closing = True
    assert refusal(lambda: bench.daemon.home(OPERATOR)) == "the driver is shutting down"
    assert bench.daemon.park(CLOSING) == 1


def test_the_bus_is_told_the_velocity_that_is_in_use(new_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    b = holding(new_bench, speed=0.25)
    calls = spied(b, "limit_speed", monkeypatch)
    b.daemon.set_max_velocity(2.0)
    assert calls == [(0.5,)]


@pytest.mark.parametrize("accelerations", [None, [[0.3], [-0.2]]], ids=["cubic", "quintic"])
def test_at_half_the_speed_a_trajectory_is_the_same_in_twice_the_time(
    new_bench: Any, accelerations: list[list[float]] | None
) -> None:
    rest = Sample(np.zeros(6), np.zeros(6))
    whole, half = (
        new_bench(speed=speed).daemon._trajectory(
            [1.0, 2.0], [[0.4], [0.1]], [[0.2], [-0.1]], accelerations, ["joint1"], start=rest
        )
        for speed in (1.0, 0.5)
    )
    t = np.linspace(0.0, 2.0, 41)
    np.testing.assert_allclose(half.sample(2.0 * t).position, whole.sample(t).position, atol=1e-12)
    np.testing.assert_allclose(half.sample(2.0 * t).velocity, 0.5 * whole.sample(t).velocity, atol=1e-12)
    assert half.sample(2.0).velocity[0] == pytest.approx(0.1)
    assert half.duration_s == 4.0


def test_at_half_the_speed_velocities_that_are_left_out_are_smooth_ones(new_bench: Any) -> None:
    rest = Sample(np.zeros(6), np.zeros(6))
    slow = new_bench(speed=0.5).daemon._trajectory([1.0], [[0.4]], None, None, ["joint1"], start=rest)
    assert slow.sample([1.0, 2.0]).position[:, 0] == pytest.approx([0.2, 0.4])
    assert not slow.sample(2.0).velocity.any()


def test_at_the_end_braking_gets_two_seconds_and_no_more(new_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    b = holding(new_bench)
    monkeypatch.setattr(MotionControl, "at_rest", property(lambda _: False))
    began = b.clock.now()
    b.daemon.shutdown()
    assert b.clock.now() - began == pytest.approx(2.0, abs=2.0 * PERIOD_S)


def test_goals_do_not_lead_for_a_reading_that_is_not_of_this_cycle(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[list[bool]] = []
    really = bench.daemon._trim.update

    def update(*args: Any, **words: Any) -> Any:
        known.append(args[2].tolist())
        return really(*args, **words)

    monkeypatch.setattr(bench.daemon._trim, "update", update)
    bench.arm.silent = {3}
    bench.run(PERIOD_S)
    assert known == [[True, True, False, True, True, True]]


def test_goals_lead_up_to_the_limits_and_where_the_joint_is_past_one_no_further(bench: Any) -> None:
    reading = bench.daemon.snapshot().reading
    low, high = bench.daemon.limits.lower, bench.daemon.limits.upper
    lead = np.array([0.01, 0.01, 0.01, -0.01, -0.01, -0.01])
    inside = 0.5 * (low + high)
    bench.daemon._stopped = True
    assert bench.daemon._trimmed(inside, reading).tolist() == inside.tolist()
    bench.daemon._trim.offset = lead
    assert bench.daemon._trimmed(inside, reading) == pytest.approx(inside + lead)
    at_limit = np.where(lead > 0.0, high - 0.004, low + 0.004)
    assert bench.daemon._trimmed(at_limit, reading) == pytest.approx(np.where(lead > 0.0, high, low))
    past = np.where(lead > 0.0, high + 0.02, low - 0.02)
    assert bench.daemon._trimmed(past, reading) == pytest.approx(past)
    assert bench.daemon._trim.offset is lead, "a stopped arm learns nothing"
