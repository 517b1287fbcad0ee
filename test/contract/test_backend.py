"""What every arm does, whatever is behind it: the same tests over serial (both protocols) and simulation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dofbot_ros.arm.backend import ArmBackend, ArmReading, ServoHealth
from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.realtime import realtime
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError, PortError

NEAR = 0.03
"""Backlash, sag and a tick or two [rad]."""


def watch(arm: ArmBackend, seconds: float, goal: Callable[[float], FloatArray] | None = None) -> list[ArmReading]:
    """Run a 50 Hz loop on the arm's own clock: read, and write goal(t) where there is one."""
    rate, start, readings = Rate(arm.clock, 50.0), arm.clock.now(), []
    while (t := arm.clock.now() - start) < seconds:
        readings.append(arm.read())
        if goal is not None:
            arm.write(goal(t), rate.period_s)
        rate.wait()
    return readings


def go(arm: ArmBackend, goal: FloatArray, limit_s: float = 5.0) -> ArmReading:
    """Write `goal` and read until the arm is there."""
    arm.write(goal, 0.5)
    rate, deadline = Rate(arm.clock, 50.0), arm.clock.now() + limit_s
    while arm.clock.now() < deadline:
        reading = arm.read()
        if np.allclose(reading.position, goal, atol=NEAR):
            return reading
        rate.wait()
    pytest.fail(f"{arm.name} is at {reading.position}, not at {goal}")


def poses(readings: list[ArmReading]) -> FloatArray:
    return np.array([reading.position for reading in readings])


def test_connect_tells_where_every_joint_is(arm):
    before = arm.clock.now()
    reading = arm.connect()
    assert reading.fresh.all()
    assert reading.position.shape == reading.stamps_s.shape == (6,)
    assert np.isfinite(reading.position).all()
    assert len(reading.health) == 6
    assert all(isinstance(health, ServoHealth) and health.faults == () for health in reading.health)
    assert before <= reading.stamps_s.min()
    assert reading.stamps_s.max() <= reading.stamp_s <= arm.clock.now()


def test_connecting_and_reading_move_nothing(arm):
    start = arm.connect().position
    assert np.allclose(poses(watch(arm, 0.5)), start, atol=0.01)


def test_stamps_go_forwards_and_belong_to_the_reading(arm):
    arm.connect()
    readings = watch(arm, 0.3)
    assert np.all(np.diff([r.stamp_s for r in readings]) > 0)
    for reading in readings:
        assert reading.fresh.all()
        assert np.all(reading.stamps_s <= reading.stamp_s)
        assert reading.stamp_s - reading.stamps_s.min() < 0.5


def test_a_goal_is_reached(arm):
    start = arm.connect().position
    arm.torque(True)
    goal = start + np.array([0.3, 0.2, -0.2, 0.2, -0.3, 0.3])
    go(arm, goal)


def test_what_was_sent_is_told_in_whole_ticks(arm):
    start = arm.connect().position
    arm.torque(True)
    goal = start + np.array([0.1, 0.0712, -0.0333, 0.05, 0.0, 0.1])
    sent = arm.write(goal, 0.5)
    ticks = DEFAULT_CALIBRATION.rad_to_ticks(sent.position)
    assert np.allclose(DEFAULT_CALIBRATION.ticks_to_rad(ticks), sent.position, atol=1e-12)
    assert np.allclose(sent.position, goal, atol=0.002)
    assert sent.written[:4].all()


def test_a_move_takes_its_time(arm):
    start = arm.connect().position
    arm.torque(True)
    watch(arm, 0.1)
    goal = start + np.array([0.6, 0, 0, 0, 0, 0])
    arm.write(goal, 1.0)
    moved = poses(watch(arm, 0.5))[-1, 0] - start[0]
    assert 0.15 < moved < 0.45
    assert abs(poses(watch(arm, 1.0))[-1, 0] - goal[0]) < NEAR


def test_no_joint_is_faster_than_its_servo(arm):
    start = arm.connect().position
    arm.torque(True)
    arm.write(start + np.array([1.2, 0, 0, 0, 0, 0]), 0.0)
    readings = watch(arm, 1.5)
    joint = poses(readings)[:, 0] - start[0]
    assert joint[-1] > 1.15
    began, ended = np.interp([0.1, 1.1], joint, [r.stamps_s[0] for r in readings])
    assert ended - began > 0.8 * 1.0 / 3.4


def test_a_goal_that_stays_the_same_is_not_sent_again(arm):
    start = arm.connect().position
    arm.torque(True)
    goal = start + 0.1
    go(arm, goal)
    watch(arm, 0.2)
    before = arm.stats().frames_sent
    assert not arm.write(goal, 0.02).written.any()
    assert arm.stats().frames_sent == before


def test_a_change_below_a_tick_is_not_sent(arm):
    start = arm.connect().position
    arm.torque(True)
    goal = start + 0.1
    go(arm, goal)
    watch(arm, 0.2)
    reached = arm.write(goal, 0.02).position
    assert not arm.write(reached + 0.0003, 0.02).written.any()


def test_only_the_joint_that_changes_is_written(arm):
    start = arm.connect().position
    arm.torque(True)
    go(arm, start + 0.05)
    watch(arm, 0.2)
    sent = arm.write(start + np.array([0.05, 0.05, 0.15, 0.05, 0.05, 0.05]), 0.2)
    assert sent.written.tolist() == [False, False, True, False, False, False]


def test_a_50_hz_stream_is_followed_without_a_stop(arm):
    start = arm.connect().position
    arm.torque(True)
    go(arm, start + 0.02)
    swing = np.array([0.5, 0.0, 0.0, 0.0, 0.0, 0.0])

    def ramp(t: float) -> FloatArray:
        return start + 0.02 + swing * min(t / 1.5, 1.0)

    readings = watch(arm, 2.0, ramp)
    joint = poses(readings)[:, 0] - start[0] - 0.02
    assert np.all(np.diff(joint) > -0.01)
    assert abs(joint[-1] - 0.5) < NEAR
    stamps = np.array([r.stamps_s[0] for r in readings]) - readings[0].stamps_s[0]
    cruise = (stamps > 0.4) & (stamps < 1.4)
    tenths = np.array([np.interp(t, stamps, joint) for t in np.arange(0.4, 1.4, 0.1)])
    assert cruise.any()
    assert np.diff(tenths).min() > 0.3 * 0.1 * 0.5 / 1.5


def test_torque_on_holds_where_the_arm_is_not_where_it_was_told_to_go(arm):
    start = arm.connect().position
    arm.torque(True)
    go(arm, start + np.array([0.4, 0, 0, 0, 0, 0.3]))
    arm.write(start, 2.0)
    watch(arm, 0.6)
    arm.torque(False)
    sunk = poses(watch(arm, 0.4))[-1]
    arm.torque(True)
    held = poses(watch(arm, 1.0))
    assert abs(sunk[0] - start[0]) > 0.1
    assert np.abs(held - sunk).max() < 0.08


def test_an_arm_can_be_closed_twice_and_connected_again(arm):
    first = arm.connect().position
    arm.close()
    arm.close()
    again = arm.connect()
    assert again.fresh.all()
    assert np.allclose(again.position, first, atol=0.01)


def test_connecting_twice_is_connecting_anew(arm):
    arm.connect()
    assert arm.connect().fresh.all()
    assert arm.read().fresh.all()


@pytest.mark.parametrize("use", ["read", "write", "torque"])
def test_an_arm_that_is_not_connected_says_so(arm, use):
    calls = {"read": arm.read, "write": lambda: arm.write(np.zeros(6), 1.0), "torque": lambda: arm.torque(True)}
    with pytest.raises(PortError, match="connect"):
        calls[use]()


@pytest.mark.parametrize("goal", [np.full(6, np.nan), np.array([0, 0, np.inf, 0, 0, 0.0]), np.zeros(5)])
def test_a_goal_that_is_no_pose_is_refused_and_nothing_moves(arm, goal):
    start = arm.connect().position
    arm.torque(True)
    with pytest.raises(InputError, match="6 finite joint angles"):
        arm.write(goal, 0.1)
    assert np.allclose(poses(watch(arm, 0.2)), start, atol=0.02)


def test_counters_count_from_connect_and_nothing_is_lost(arm):
    with realtime():  # as a driver's loop; else other programs make servos late, which counts as lost
        arm.connect()
        while arm.stats().replies < 60:  # how long that takes is the machine's affair
            watch(arm, 0.02)
    stats = arm.stats()
    assert stats.frames_sent >= stats.replies
    assert stats.lost == 0
    arm.close()
    arm.connect()
    assert arm.stats().replies < 60
