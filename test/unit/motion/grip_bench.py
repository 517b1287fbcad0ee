"""Servo 6 with a block between the fingers, in simulated time: what a grip costs the servo."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.arm.gripper import CLOSED, gap_to_joint, plain_joint, plain_servo_degrees
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.hardware.emulation.servo_model import ServoModel
from dofbot_ros.motion.grip import GripGuard, GripMotion
from dofbot_ros.motion.online import OnlineMotion

PERIOD_S = 0.02
PERIODS_A_WRITE = 2
MOVE_MS = 60
LEAD = DriverConfig().grip_lead
BLOCK = float(gap_to_joint(0.030))
"""Where a block of 30 mm stops the fingers [rad]."""
OPEN = 0.2

Block = Callable[[float], float]
"""How far the fingers can close at a time: [s] -> [rad]."""


@dataclass(frozen=True)
class Effort:
    """What a grip cost.

    Attributes:
        full_load_s: longest time at full load within any 10 s.
        hottest_c: highest temperature [deg C].
        overloaded_at_s: when the servo let go; None if it never did.
        held: mean share of the full load in the last 10 s.
        fingers: where they were last [rad].
    """

    full_load_s: float
    hottest_c: float
    overloaded_at_s: float | None
    held: float
    fingers: float


def squeeze(command: Callable[[float, float], float | None], block: Block, seconds: float, guarded: bool) -> Effort:
    """Let `command(time, measured)` close the fingers on `block`.

    Args:
        command: the next goal [rad], or None for none; with `guarded` there must always be one.
        block: what is between the fingers.
        seconds: for how long.
        guarded: as a stream does, through GripGuard and the driver's velocity and acceleration limits; else as
            command/gripper does, by GripMotion.
    """
    servo = ServoModel(_ticks(OPEN))
    limited = OnlineMotion(PERIOD_S, [1.6], [8.0], [80.0])
    grip, guard = GripMotion(limited, LEAD), GripGuard(LEAD)
    limited.reset([OPEN])
    grip.reset(OPEN)
    sent, full, loads = _ticks(OPEN), [], []
    overloaded_at_s, hottest_c = None, 0.0
    for k in range(round(seconds / PERIOD_S)):
        now_s = k * PERIOD_S
        measured = _joint(servo.position)
        goal = command(now_s, measured)
        if guarded:
            assert goal is not None
            before = float(limited.state.position[0])
            position = float(limited.update([guard.limit(goal, measured, now_s, before)]).position[0])
        else:
            if goal is not None:
                grip.go(goal)
            position, _ = grip.update(measured, now_s)
        if k % PERIODS_A_WRITE == 0 and abs(_ticks(position) - sent) >= 2:
            sent = _ticks(position)
            servo.command(sent, MOVE_MS, now_s)
        for moment_s in (now_s, now_s + 0.5 * PERIOD_S):
            wall = _ticks(block(moment_s))
            reference = servo.reference(moment_s)
            link = min(reference if servo.holding else float(servo.position), wall)
            servo.feel(link, moment_s)
            loads.append(min(1.0, abs(reference - link) / servo.config.full_load_ticks) if servo.holding else 0.0)
            full.append(loads[-1] >= 1.0)
        hottest_c = max(hottest_c, servo.temperature_c)
        if servo.health.overloaded and overloaded_at_s is None:
            overloaded_at_s = now_s
    sums = np.concatenate([[0.0], np.cumsum(full)]) * 0.5 * PERIOD_S
    window = min(len(full), round(10.0 / (0.5 * PERIOD_S)))
    full_load_s = float((sums[window:] - sums[:-window]).max())
    held = float(np.mean(loads[-round(20.0 / PERIOD_S) :]))
    return Effort(full_load_s, hottest_c, overloaded_at_s, held, _joint(servo.position))


def close_once(now_s: float, measured: float) -> float | None:
    """command/gripper, once."""
    return CLOSED if now_s == 0.0 else None


def close_every_second(now_s: float, measured: float) -> float | None:
    """command/gripper, again and again."""
    return CLOSED if abs(now_s - round(now_s)) < 1e-6 else None


def stream_closed(now_s: float, measured: float) -> float:
    """A stream, or a trajectory, whose last entry says closed."""
    return CLOSED


def policy(now_s: float, measured: float) -> float:
    """A policy that closes: always 0.2 rad ahead of the fingers, as policies may."""
    return measured + 0.2


def stream_that_lets_go_at_times(now_s: float, measured: float) -> float:
    """A stream that opens for a moment, just before the servo would be spared."""
    return CLOSED if now_s % 1.6 < 1.5 else measured - 0.01


def _ticks(joint: float) -> int:
    servo = DEFAULT_CALIBRATION.grip_joint
    return round(servo.zero_ticks + plain_servo_degrees(joint) * servo.ticks_per_degree)


def _joint(ticks: float) -> float:
    servo = DEFAULT_CALIBRATION.grip_joint
    return plain_joint((ticks - servo.zero_ticks) / servo.ticks_per_degree)


def still(now_s: float) -> float:
    """A block that stays where it is."""
    return BLOCK


def wobbling(now_s: float) -> float:
    """A block that is shaken: 0.03 rad three times a second."""
    return BLOCK + 0.03 * math.sin(2.0 * math.pi * 3.0 * now_s)


def swaying(now_s: float) -> float:
    """A block that is shaken further and more slowly: 0.08 rad once a second."""
    return BLOCK + 0.08 * math.sin(2.0 * math.pi * now_s)


def turning(now_s: float) -> float:
    """A block that turns in the hand: 30 mm wide over its faces, 42 mm over its edges, twice a turn of 16 s."""
    return math.acos(0.5 * (1.0 + 0.41 * abs(math.sin(2.0 * math.pi * now_s / 8.0))))


def turning_fast(now_s: float) -> float:
    """The same at a turn in 4 s."""
    return math.acos(0.5 * (1.0 + 0.41 * abs(math.sin(2.0 * math.pi * now_s / 2.0))))


def pressed_apart(now_s: float) -> float:
    """Fingers that something opens, slowly."""
    return BLOCK - min(0.4, 0.02 * now_s)


def knocked(now_s: float) -> float:
    """A block that is knocked by 0.12 rad for 0.1 s every 2 s."""
    return BLOCK - (0.12 if now_s % 2.0 < 0.1 else 0.0)
