"""Which gap a reading of servo 6 means, from closing the fingers on things of known width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dofbot_ros.arm.calibration import Calibration, ServoCalibration
from dofbot_ros.arm.gripper import MAX_GAP, gap_to_joint, joint_to_gap, joint_to_servo_degrees, servo_degrees_to_joint
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError, InputError

LEAST = 3
"""Closings that a result needs."""
APART_M = 0.010
"""Widths have to differ by this for the servo's scale to be told beside its zero [m]."""
TURN_DEG = 180.0
"""Of servo 6 that the vendor's table covers."""


@dataclass(frozen=True)
class Closing:
    """The fingers closed on something.

    Attributes:
        width_m: of it [m].
        ticks: what servo 6 read while they held it.
    """

    width_m: float
    ticks: float


@dataclass(frozen=True, eq=False)
class GapFit:
    """Servo 6 against the vendor's curve of the gap.

    Attributes:
        servo: with its zero, and with its scale where widths differ enough.
        held_out_mm: error of each closing's width when it was left out, shape (n,) [mm].
        stored_mm: the same with the stored servo [mm].
    """

    servo: ServoCalibration
    held_out_mm: FloatArray
    stored_mm: FloatArray


def fit_gap(stored: Calibration, closings: Sequence[Closing]) -> GapFit:
    """Fit zero, and scale if the widths tell it, of servo 6.

    Raises:
        CalibrationError: too few closings, or a servo that no DofBot has.
        InputError: a width that the fingers cannot hold.
    """
    if len(closings) < LEAST:
        raise CalibrationError(f"{len(closings)} closings, {LEAST} are needed")
    for closing in closings:
        if not 0.0 <= closing.width_m < MAX_GAP:
            raise InputError(f"the fingers hold 0 to {1e3 * MAX_GAP:g} mm, not {1e3 * closing.width_m:g}")
    servo = stored.grip_joint
    left_out = [_fitted(servo, [c for c in closings if c is not out]) for out in closings]
    held_out = [_error_mm(fitted, out) for fitted, out in zip(left_out, closings, strict=True)]
    return GapFit(
        _fitted(servo, closings), np.array(held_out), np.array([_error_mm(servo, closing) for closing in closings])
    )


def _fitted(servo: ServoCalibration, closings: Sequence[Closing]) -> ServoCalibration:
    degrees = np.array([float(joint_to_servo_degrees(gap_to_joint(c.width_m))) for c in closings])
    ticks = np.array([c.ticks for c in closings])
    widths = [c.width_m for c in closings]
    slope = servo.sign * servo.ticks_per_degree
    if max(widths) - min(widths) >= APART_M:
        slope = float(np.polyfit(degrees, ticks, 1)[0])
    zero = round(float(np.mean(ticks - slope * degrees)))
    end = zero + slope * TURN_DEG
    ends = sorted((zero, math.floor(end) if slope > 0.0 else math.ceil(end)))  # rounded into the table
    return replace(
        servo,
        zero_ticks=zero,
        ticks_per_degree=abs(slope),
        min_ticks=max(servo.min_ticks, ends[0]),
        max_ticks=min(servo.max_ticks, ends[1]),
    )


def _error_mm(servo: ServoCalibration, closing: Closing) -> float:
    degrees = (closing.ticks - servo.zero_ticks) * servo.sign / servo.ticks_per_degree
    return 1e3 * abs(joint_to_gap(float(servo_degrees_to_joint(degrees))) - closing.width_m)
