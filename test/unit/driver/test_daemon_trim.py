"""The daemon's goals lead joints that gravity holds below them: only while nothing is stopped, never past a limit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dofbot_ros.arm.gravity import Gravity
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.types import FloatArray
from dofbot_ros.motion.goal_trim import MIN_SHARE, RELEASE_RAD
from dofbot_ros.safety.states import ArmState

from .daemon_bench import TICK, holding

GRAVITY = Gravity(DRAWN.kinematics)
GIVE = np.array([0.0, 0.03, 0.03, 0.15, 0.0, 0.0])
"""Angle by which each joint gives way to gravity's greatest torque on it [rad]."""
FORWARD = [0.2, 0.7, 0.4, 0.5, 0.0]


def drooping(new_bench: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bench that holds, whose joints rest below their goals."""
    b = holding(new_bench)
    read = b.arm.read

    def droops(*args: Any) -> Any:
        reading = read(*args)
        return replace(reading, position=reading.position + GIVE * GRAVITY.shares(reading.position))

    monkeypatch.setattr(b.arm, "read", droops)
    return b


def arrived(b: Any, pose: list[float]) -> FloatArray:
    """Move there and stay a little. Returns where the arm was told to rest [rad] (6,)."""
    b.daemon.move_joints(pose)
    b.until(lambda s: s.state is ArmState.HOLD and s.motion == 0)
    b.run(1.0)
    return np.append(pose, b.arm.goals[-1][5])


def test_joints_that_hang_low_are_brought_to_their_goals(new_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    b = drooping(new_bench, monkeypatch)
    goal = arrived(b, FORWARD)
    shares = GRAVITY.shares(goal)
    assert np.abs(shares).max() > 0.5
    pulled = np.abs(shares) > MIN_SHARE
    lead = b.arm.goals[-1] - goal
    assert (np.sign(lead)[pulled] == -np.sign(shares)[pulled]).all()
    assert lead[~pulled] == pytest.approx(0.0, abs=1e-9)
    assert np.abs(b.measured() - goal).max() < RELEASE_RAD + 2.0 * TICK
    assert b.daemon.snapshot().trim == pytest.approx(lead)


def test_a_goal_at_a_joint_limit_is_not_led_past_it(new_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    b = drooping(new_bench, monkeypatch)
    limits = b.daemon.limits
    goal = arrived(b, [0.0, 1.0, 1.0, float(limits.lower[3]), 0.0])
    trim = b.daemon.snapshot().trim
    assert trim[3] < -0.005, "gravity pulls joint 4 away from its limit, so it would be led past it"
    assert b.arm.goals[-1][3] == pytest.approx(limits.lower[3], abs=1e-9)
    assert trim[1] < -0.005
    assert b.arm.goals[-1][1] - goal[1] == pytest.approx(trim[1])
    goals = np.array(b.arm.goals)
    assert (goals >= limits.lower - 1e-9).all()
    assert (goals <= limits.upper + 1e-9).all()


def test_a_stopped_arm_keeps_its_lead_and_learns_nothing(new_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    b = drooping(new_bench, monkeypatch)
    arrived(b, FORWARD)
    b.daemon.estop("button")
    b.run(0.5)
    lead, goal = b.daemon.snapshot().trim.copy(), b.arm.goals[-1].copy()
    monkeypatch.setattr(b.arm, "read", lambda *args, read=b.arm.read: _lower(read(*args)))
    b.run(1.0)
    assert b.daemon.snapshot().trim == pytest.approx(lead)
    assert b.arm.goals[-1] == pytest.approx(goal)


def _lower(reading: Any) -> Any:
    """As if the arm had sunk a little further."""
    return replace(reading, position=reading.position + 0.02 * np.sign(GRAVITY.shares(reading.position)))
