"""Velocities of joint_states: those of the motion, without the servos' ticks."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.arm.backend import ArmReading, ServoHealth
from dofbot_ros.core.types import FloatArray
from dofbot_ros.driver.joint_velocity import LOST_S, JointVelocity

TICK = np.radians(180 / 2200)


def reading(now_s: float, position: FloatArray, fresh: FloatArray | None = None) -> ArmReading:
    alive = np.ones(6, dtype=bool) if fresh is None else fresh.astype(bool)
    stamps = np.full(6, now_s)
    return ArmReading(now_s, position, stamps, alive, (ServoHealth(),) * 6, np.zeros(6), (True,) * 6)


def test_a_steady_motion_in_whole_ticks_has_its_velocity() -> None:
    velocity, speeds = JointVelocity(), np.array([0.5, -0.8, 0.0, 1.2, 0.1, -0.2])
    for t in np.arange(0.0, 1.0, 0.02):
        last = velocity.of(reading(t, TICK * np.round(speeds * t / TICK)))
    np.testing.assert_allclose(last, speeds, atol=0.04)


def test_it_begins_at_zero_and_again_after_a_gap() -> None:
    velocity = JointVelocity()
    assert not velocity.of(reading(0.0, np.full(6, 0.7))).any()
    assert velocity.of(reading(0.02, np.full(6, 0.72))).all()
    assert not velocity.of(reading(0.02 + LOST_S, np.full(6, 1.5))).any()


def test_a_joint_that_was_not_read_keeps_its_velocity_until_it_is() -> None:
    velocity, q = JointVelocity(), np.zeros(6)
    for t in np.arange(0.0, 0.4, 0.02):
        last = velocity.of(reading(t, np.full(6, 0.5 * t)))
    silent = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    q[:] = 0.5 * 0.42
    q[0] = 9.9
    after = velocity.of(reading(0.42, q, silent))
    assert after[0] == last[0]
    assert after[1] == pytest.approx(0.5, abs=0.01)
