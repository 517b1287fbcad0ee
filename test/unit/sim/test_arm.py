"""The simulated arm behaves like servos: delay, speed, ticks, torque; through a bank as through the backend."""

from __future__ import annotations

import time

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.errors import BusError, InputError
from dofbot_ros.hardware.emulation.servo_model import NO_LOAD_SPEED_RAD_S
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.clock import SimClock
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.sim.servos import WorldServos
from dofbot_ros.sim.world import World

EMPTY = WorldConfig(marked=())
GOAL = np.array([0.5, 0.4, -0.3, 0.6, 0.7, 0.9])


@pytest.fixture
def arm() -> SimArm:
    backend = SimArm(World(EMPTY))
    backend.connect()
    return backend


def run(arm: SimArm, seconds: float) -> None:
    arm.clock.sleep_until(arm.clock.now() + seconds)


def test_goal_is_reached_in_the_time_asked_for(arm: SimArm) -> None:
    sent = arm.write(GOAL, 1.0)
    run(arm, 0.5)
    half = arm.read().position
    assert half[:5] == pytest.approx(0.5 * GOAL[:5], abs=0.05)
    run(arm, 0.7)
    reading = arm.read()
    assert reading.fresh.all()
    assert reading.position == pytest.approx(sent.position, abs=0.012)
    assert DEFAULT_CALIBRATION.ticks_to_rad(DEFAULT_CALIBRATION.rad_to_ticks(reading.position)) == pytest.approx(
        reading.position, abs=1e-12
    )


def test_no_joint_is_faster_than_its_servo(arm: SimArm) -> None:
    arm.write(np.array([1.5, 0.0, 0.0, 0.0, 1.5, 0.0]), 0.01)
    last, fastest = arm.read().position, 0.0
    for _ in range(60):
        run(arm, 0.02)
        now = arm.read().position
        fastest = max(fastest, float(np.abs(now - last).max()) / 0.02)
        last = now
    assert fastest == pytest.approx(NO_LOAD_SPEED_RAD_S, rel=0.1)


def test_a_move_begins_after_the_servos_delay(arm: SimArm) -> None:
    start = arm.read().position
    arm.write(GOAL, 0.2)
    run(arm, 0.008)
    assert np.array_equal(arm.read().position, start)
    run(arm, 0.05)
    assert not np.array_equal(arm.read().position, start)


def test_what_does_not_change_by_a_tick_is_not_sent(arm: SimArm) -> None:
    here = arm.read().position
    frames = arm.stats().frames_sent
    assert not arm.write(here + [*[1e-4] * 5, 1e-6], 0.1).written.any()
    assert arm.stats().frames_sent == frames
    goal = here.copy()
    goal[2] += 0.01
    assert arm.write(goal, 0.1).written.tolist() == [False, False, True, False, False, False]


def test_without_torque_the_arm_sinks_and_with_torque_it_stays_where_it_is(arm: SimArm) -> None:
    arm.write(np.array([0.0, 0.9, 0.4, 0.2, 0.0, 0.0]), 1.0)
    run(arm, 1.3)
    arm.torque(False)
    run(arm, 0.3)
    fallen = arm.read().position
    assert fallen[1] > 0.95
    arm.torque(True)
    held = arm.read().position
    run(arm, 1.0)
    assert held == pytest.approx(fallen, abs=0.01)
    assert arm.read().position == pytest.approx(held, abs=0.06)


def test_a_goal_written_without_torque_moves_nothing(arm: SimArm) -> None:
    arm.torque(False)
    run(arm, 1.0)
    before = arm.read().position
    arm.write(GOAL, 0.2)
    run(arm, 0.5)
    assert arm.read().position == pytest.approx(before, abs=0.05)


def test_closed_or_nonsense_is_refused(arm: SimArm) -> None:
    with pytest.raises(InputError, match="finite"):
        arm.write(np.full(6, np.nan), 0.1)
    arm.close()
    arm.close()
    with pytest.raises(BusError, match="not connected"):
        arm.read()


def test_a_bank_on_another_clock_moves_the_same_joints() -> None:
    world = World(EMPTY)
    bank = WorldServos(world)
    now = 1000.0
    bank.step(now)
    for servo, ticks in zip(bank.ids, DEFAULT_CALIBRATION.rad_to_ticks(GOAL).tolist(), strict=True):
        bank.command(servo, ticks, 500, now)
    for _ in range(200):
        now += 0.004
        bank.step(now)
    assert world.now_s == pytest.approx(0.8, abs=0.003)
    ticks = [bank.position(servo, now) for servo in bank.ids]
    assert DEFAULT_CALIBRATION.ticks_to_rad(ticks) == pytest.approx(GOAL, abs=0.012)
    assert world.arm.positions() == pytest.approx(GOAL, abs=0.012)
    assert bank.health(1, now).faults == ()
    bank.torque(2, False, now)
    bank.step(now + 0.5)
    assert world.arm.positions()[1] > GOAL[1] + 0.02


def test_a_reset_switches_the_servos_on_anew(arm: SimArm) -> None:
    arm.write(GOAL, 0.3)
    run(arm, 0.5)
    arm._world.reset(0)
    assert arm.read().position == pytest.approx(np.zeros(6), abs=0.01)
    run(arm, 0.5)
    assert arm.read().position == pytest.approx(np.zeros(6), abs=0.01)


def test_the_clock_lets_the_world_run_and_keeps_the_asked_pace() -> None:
    world = World(EMPTY)
    fast = SimClock(world)
    fast.sleep_until(0.25)
    assert fast.now() == pytest.approx(0.25, abs=0.0021)
    fast.sleep_until(0.1)
    assert fast.now() < 0.2525
    paced = SimClock(world, rtf=2.0)
    start = paced.now()
    wall = time.monotonic()
    paced.sleep_until(start + 0.6)
    # From the first slice on; a slow machine may take longer, never less.
    assert time.monotonic() - wall > 0.27
    with pytest.raises(ValueError, match="negative"):
        SimClock(world, -1.0)
