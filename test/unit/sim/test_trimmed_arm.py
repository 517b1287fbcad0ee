"""An arm that gravity bends, under its daemon: it arrives where it is told, and stands still when it was stopped."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.desks.installation import install
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.hardware.emulation.servo_model import TICKS_PER_RAD, ServoModelConfig
from dofbot_ros.hardware.emulation.servos import SERVO_IDS
from dofbot_ros.safety.states import ArmState
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.sim.rendering.flaws import ArmFlaws
from dofbot_ros.trials.direct import DirectArm

pytest.importorskip("pybullet")

BENT = np.array([0.2, 0.9, 0.5, 0.9, 0.0])


PLAY_RAD = math.radians(1.5)
TURNING = [0, 4]
"""Joints 1 and 5."""


def bent_arm(goal_trim: float) -> DirectArm:
    flaws = ArmFlaws(droop_rad=0.035, play_rad=PLAY_RAD)
    own = install("own", 0, WorldConfig(marked=(), arm=flaws))
    loose = ServoModelConfig(backlash_ticks=PLAY_RAD * TICKS_PER_RAD)
    servos = {SERVO_IDS[joint]: loose for joint in TURNING}
    return DirectArm(replace(own, servos=servos), DriverConfig(goal_trim=goal_trim))


@pytest.fixture
def arm() -> Iterator[DirectArm]:
    made = bent_arm(0.05)
    made.prepare()
    yield made
    made.close()


def go(arm: DirectArm, goal: FloatArray) -> FloatArray:
    """Goal minus measured angles [rad] (5,) when the arm says that it has come to rest."""
    arm.daemon.move_joints(goal)
    arm.wait_until_time(arm.now_s() + 0.1)
    while arm.daemon.snapshot().state is ArmState.ACTIVE:
        arm.rest(0.02)
    return goal - arm.joints()[0][:N_ARM]


def test_an_arm_that_hangs_low_is_brought_up(arm: DirectArm) -> None:
    assert np.abs(go(arm, BENT)).max() < 0.01
    plain = bent_arm(0.0)
    plain.prepare()
    assert np.abs(go(plain, BENT)).max() > 0.03
    plain.close()


@pytest.mark.parametrize("turn", [-0.6, 0.6])
def test_the_play_of_joints_1_and_5_is_taken_up_from_either_side(arm: DirectArm, turn: float) -> None:
    goal = BENT + np.array([turn, 0.0, 0.0, 0.0, -turn])
    go(arm, goal)
    off = goal - arm.world.arm.positions()[:N_ARM]
    assert np.abs(off[TURNING]).max() < 0.006
    plain = bent_arm(0.0)
    plain.prepare()
    go(plain, goal)
    off = goal - plain.world.arm.positions()[:N_ARM]
    assert np.abs(off[TURNING]).min() > 0.4 * PLAY_RAD
    plain.close()


def test_the_second_motion_takes_no_longer_than_without(arm: DirectArm) -> None:
    go(arm, BENT)
    begin_s = arm.now_s()
    other = BENT + np.array([0.0, -0.1, 0.2, 0.1, 0.0])
    assert np.abs(go(arm, other)).max() < 0.012
    assert arm.now_s() - begin_s < 1.0


@pytest.mark.parametrize("before_s", [0.3, 1.3, 1.45])
def test_an_arm_in_emergency_stop_stands_still(arm: DirectArm, before_s: float) -> None:
    arm.daemon.move_joints(BENT)
    arm.rest(before_s)
    arm.daemon.estop()
    arm.rest(0.6)
    at = arm.world.arm.positions()
    arm.rest(2.0)
    assert arm.daemon.snapshot().state is ArmState.ESTOP
    assert np.abs(arm.world.arm.positions() - at).max() < 0.002


def test_torque_that_comes_on_moves_nothing_at_once(arm: DirectArm) -> None:
    """What was learned before comes back slowly, not as a jump."""
    go(arm, BENT)
    arm.daemon.set_torque(False)
    arm.rest(0.1)
    arm.daemon.set_torque(True)
    places = []
    for _ in range(30):
        arm.rest(0.02)
        places.append(arm.world.arm.positions()[:N_ARM])
    speed = np.abs(np.diff(places, axis=0)).max() / 0.02
    assert speed < 0.6
