"""The gripper's motion beside a block that stops the fingers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.core.types import GRIP
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.hardware.emulation.servo_model import ServoModelConfig
from dofbot_ros.motion.grip import GripGuard, GripMotion
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.pressing import Pressing

PERIOD_S = 0.02
LEAD = 0.12
BLOCK = 1.0
"""The fingers come no further than this [rad]."""


def _run(grip: GripMotion, start_s: float, seconds: float) -> float:
    """Let the fingers follow, up to the block. Returns the last command [rad]."""
    position = 0.0
    for step in range(round(seconds / PERIOD_S)):
        position, _ = grip.update(min(position, BLOCK), start_s + step * PERIOD_S)
    return position


@pytest.fixture
def grip() -> GripMotion:
    motion = GripMotion(OnlineMotion(PERIOD_S, [1.6], [8.0], [80.0]), LEAD)
    motion.reset(0.0)
    return motion


def test_squeezes_a_block_by_the_lead(grip: GripMotion) -> None:
    grip.go(1.5)
    assert _run(grip, 0.0, 4.0) == pytest.approx(BLOCK + LEAD, abs=1e-3)
    assert grip.stalled


@pytest.mark.parametrize("slip_steps", range(10, 18))
def test_opens_however_the_block_has_slipped_before(grip: GripMotion, slip_steps: int) -> None:
    grip.go(1.5)
    _run(grip, 0.0, 2.0)
    now_s = 2.0
    for _ in range(slip_steps):
        grip.update(BLOCK - 0.01, now_s)
        now_s += PERIOD_S
    grip.go(0.0)
    position = BLOCK + LEAD
    for _ in range(150):
        position, _ = grip.update(min(position, BLOCK - 0.01), now_s)
        now_s += PERIOD_S
    assert position == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("lost", [False, True])
def test_follows_a_block_that_gives_way_and_closes_where_it_is_lost(grip: GripMotion, lost: bool) -> None:
    grip.go(1.5)
    _run(grip, 0.0, 2.0)
    fingers, end = BLOCK, 1.5 if lost else BLOCK + 0.2
    position, now_s = BLOCK + LEAD, 2.0
    for _ in range(150):
        # The block yields slowly, to where it is narrower; or it is not there any more.
        fingers = min(fingers + 0.01, position, end)
        position, _ = grip.update(fingers, now_s)
        now_s += PERIOD_S
    assert position == pytest.approx(min(end + LEAD, 1.5), abs=GripMotion.STANDING_TRAVEL)
    assert position > end if not lost else position == pytest.approx(1.5, abs=GripMotion.STANDING_TRAVEL)


def _pressed(grip: GripMotion, start_s: float, seconds: float, fingers: Callable[[float], float]) -> float:
    """Let a block hold the fingers at `fingers(time)` [rad]. Returns its largest lead in the last second."""
    leads, now_s = [], start_s
    for _ in range(round(seconds / PERIOD_S)):
        now_s += PERIOD_S
        position, _ = grip.update(fingers(now_s), now_s)
        leads.append(position - fingers(now_s))
    return max(leads[-50:])


def test_a_block_that_wobbles_between_the_fingers_is_not_squeezed_harder(grip: GripMotion) -> None:
    grip.go(1.5)
    _run(grip, 0.0, 0.6)
    lead = _pressed(grip, 0.6, 3.0, lambda now_s: BLOCK + 0.03 * math.sin(2.0 * math.pi * 3.0 * now_s))
    assert lead < LEAD + 0.06 + 2 * GripMotion.STANDING_TRAVEL


def test_a_block_that_presses_the_fingers_apart_is_not_squeezed_harder(grip: GripMotion) -> None:
    grip.go(1.5)
    _run(grip, 0.0, 4.0)
    lead = _pressed(grip, 4.0, 3.0, lambda now_s: max(BLOCK - 0.2, BLOCK - 0.1 * (now_s - 4.0)))
    assert Pressing.HOLDING * LEAD <= lead <= LEAD + 2 * GripMotion.SLACK


def servo_ticks(fingers: np.ndarray) -> np.ndarray:
    """Where servo 6 stands [ticks] (n,) at angles of grip_joint [rad] (n,)."""
    return np.array([DEFAULT_CALIBRATION.rad_to_ticks(np.append(np.zeros(GRIP), q))[GRIP] for q in fingers])


def test_the_lead_is_less_than_the_servos_full_load_whatever_the_gap() -> None:
    ahead = DriverConfig().grip_lead + GripMotion.SLACK
    fingers = np.linspace(0.1, 0.5 * math.pi - ahead, 200)
    near, far = (servo_ticks(at) for at in (fingers, fingers + ahead))
    assert np.abs(far - near).max() < ServoModelConfig().full_load_ticks


def test_a_stream_may_lead_fingers_that_move_and_press_hard_for_a_while() -> None:
    guard, now_s = GripGuard(LEAD), 0.0
    for step in range(200):
        now_s = step * PERIOD_S
        # Slow fingers: the driver's limits let no more out than they follow.
        sent = 0.005 * step
        assert guard.limit(0.005 * step + 0.3, 0.005 * step, now_s, sent) == 0.005 * step + 0.3
    goals = [guard.limit(BLOCK + 0.3, BLOCK, now_s + k * PERIOD_S, BLOCK + 0.3) for k in range(1, 200)]
    hard = int(np.argmax(np.array(goals) < BLOCK + 0.3)) * PERIOD_S
    assert hard == pytest.approx(Pressing.HARD_S + Pressing.DELAY_S, abs=2 * PERIOD_S)
    assert goals[round(hard / PERIOD_S)] == pytest.approx(BLOCK + LEAD)


def test_without_what_was_sent_fingers_are_taken_to_follow_at_their_speed() -> None:
    guard = GripGuard(LEAD)
    goals = [guard.limit(BLOCK + 0.3, BLOCK, k * PERIOD_S) for k in range(100)]
    hard = int(np.argmax(np.array(goals) < BLOCK + 0.3)) * PERIOD_S
    # The goal leads by more than `lead` after 0.126 rad at 1.6 rad/s.
    assert hard == pytest.approx(Pressing.HARD_S + Pressing.DELAY_S + 1.05 * LEAD / 1.6, abs=2 * PERIOD_S)


def test_a_stream_is_drawn_back_by_no_more_than_it_asks_for_and_is_followed_when_it_asks_for_less() -> None:
    guard = GripGuard(LEAD)
    for k in range(200):
        guard.limit(BLOCK + 0.3, BLOCK, k * PERIOD_S)
    assert guard.limit(BLOCK + 0.13, BLOCK, 4.0) == pytest.approx(BLOCK + LEAD)
    assert guard.limit(BLOCK + 0.1, BLOCK, 4.02) == BLOCK + 0.1
    assert guard.limit(BLOCK + 0.05, BLOCK, 4.04) == BLOCK + 0.05
    assert guard.limit(BLOCK - 0.5, BLOCK, 4.06) == BLOCK - 0.5


def test_letting_go_for_a_moment_is_no_rest_for_a_servo_that_has_pressed_hard() -> None:
    guard = GripGuard(LEAD)
    for k in range(200):
        guard.limit(BLOCK + 0.3, BLOCK, k * PERIOD_S)
    assert guard.limit(BLOCK - 0.1, BLOCK, 4.0) == BLOCK - 0.1
    assert guard.limit(BLOCK + 0.3, BLOCK, 4.02) == pytest.approx(BLOCK + LEAD)
    # What was used comes back at HARD_REFILL: half a second takes a quarter of a minute.
    for k in range(1000):
        guard.limit(BLOCK, BLOCK, 4.04 + k * PERIOD_S)
    assert guard.limit(BLOCK + 0.3, BLOCK, 25.0) == BLOCK + 0.3


def test_a_block_that_wobbles_is_no_rest_for_a_servo_that_a_stream_presses() -> None:
    guard, leads = GripGuard(LEAD), []
    for k in range(300):
        fingers = BLOCK + (0.09 if k % 25 == 0 else 0.0)
        leads.append(guard.limit(BLOCK + 0.2, fingers, k * PERIOD_S) - BLOCK)
    assert max(leads[150:]) < LEAD + 0.09 + GripMotion.SLACK


def test_a_stream_follows_fingers_that_are_pressed_apart() -> None:
    guard, fingers = GripGuard(LEAD), BLOCK
    for k in range(400):
        fingers = BLOCK - 0.001 * max(0, k - 200)
        goal = guard.limit(fingers + 0.3, fingers, k * PERIOD_S)
    assert goal - fingers <= LEAD + GripMotion.SLACK + 1e-9
