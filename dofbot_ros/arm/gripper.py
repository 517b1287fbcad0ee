"""The four-bar gripper: gap between the fingers, angle of the cranks, angle of servo 6.

The finger tips stay parallel. The cranks are 30 mm long and turn from square to the tool (open) to along it (closed),
so that closing moves the tips 30 mm outward. Servo 6 is related to the gap by the vendor's table ("Precautions for DIY
Robotic Arm"), which is a measured curve: no formula fits it better than 0.5 mm.
"""

from __future__ import annotations

import math
from bisect import bisect_right

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError

MAX_GAP = 0.060
"""Gap of the open fingers, cranks square to the tool [m]."""

CRANK = 0.030
"""Crank length: how far the tips travel along the tool [m]."""

OPEN_TIP_DISTANCE = 0.157
"""Joint 4 to the finger tips along the tool, fingers open [m]."""

CLOSED = math.pi / 2
"""Crank angle of the closed fingers; 0 is open [rad]."""

# Below 57 degrees the table says "60 to 64 mm": the servo turns and next to nothing happens. The cranks are given the
# first 0.1 rad for that stretch, 0.3 mm of gap, so that every servo position still has a crank angle of its own.
_PLATEAU = 0.1
_TABLE_DEG = np.array([0.0, 57.0, 80.0, 95.0, 105.0, 115.0, 125.0, 134.0, 143.0, 152.0, 160.0, 168.0, 176.0, 180.0])
_TABLE_GAP = np.array([60.0, 60.0, 55.0, 50.0, 45.0, 40.0, 35.0, 30.0, 25.0, 20.0, 15.0, 10.0, 5.0, 0.0]) * 1e-3
_TABLE_JOINT = np.arccos(_TABLE_GAP / MAX_GAP)
_TABLE_JOINT[1] = _PLATEAU
# A hand can push the servo past the ends of the table; there it is continued straight, so that every position that can
# be read has an angle of its own, and an arm that holds where it was found does not move.
_BEYOND_DEG = 90.0
_SLOPES = np.diff(_TABLE_JOINT)[[0, -1]] / np.diff(_TABLE_DEG)[[0, -1]]
_TABLE_DEG = np.concatenate([[-_BEYOND_DEG], _TABLE_DEG, [_TABLE_DEG[-1] + _BEYOND_DEG]])
_TABLE_JOINT = np.concatenate(
    [[_TABLE_JOINT[0] - _BEYOND_DEG * _SLOPES[0]], _TABLE_JOINT, [_TABLE_JOINT[-1] + _BEYOND_DEG * _SLOPES[1]]]
)
_DEG, _JOINT = tuple(_TABLE_DEG.tolist()), tuple(_TABLE_JOINT.tolist())

_ROUNDING = 1e-6
"""A gap this far outside the range is rounding, and is brought to its end [m]."""


def gap_to_joint(gap: float) -> float:
    """Crank angle [rad] of a gap [m].

    Raises:
        InputError: the gap is not within 0..0.060 m.
    """
    if not -_ROUNDING <= gap <= MAX_GAP + _ROUNDING:
        raise InputError(f"a gap of {gap:.4f} m is not one of this gripper: it opens 0 to {MAX_GAP:.3f} m")
    return math.acos(min(max(gap / MAX_GAP, 0.0), 1.0))


def joint_to_gap(q: float) -> float:
    """Gap [m] of a crank angle [rad]; 0 where the fingers would be pressed past closed."""
    return max(MAX_GAP * math.cos(q), 0.0)


def tip_distance(q: float) -> float:
    """Joint 4 to the finger tips along the tool [m] at a crank angle [rad]."""
    return OPEN_TIP_DISTANCE + CRANK * math.sin(q)


def servo_degrees_to_joint(degrees: float | FloatArray) -> FloatArray:
    """Crank angle [rad] of servo 6's angle [deg]: the vendor's table, straight between its points in crank angle.

    Strictly rising, with joint_to_servo_degrees as its inverse; it goes on straight for 90 degrees beyond 0..180.
    """
    return np.asarray(np.interp(degrees, _TABLE_DEG, _TABLE_JOINT))


def joint_to_servo_degrees(q: float | FloatArray) -> FloatArray:
    """Servo 6's angle [deg] of a crank angle [rad]: the inverse of servo_degrees_to_joint."""
    return np.asarray(np.interp(q, _TABLE_JOINT, _TABLE_DEG))


def plain_joint(degrees: float) -> float:
    """servo_degrees_to_joint of one number, bit for bit, without numpy's price for it."""
    return _between(degrees, _DEG, _JOINT)


def plain_servo_degrees(q: float) -> float:
    """joint_to_servo_degrees of one number, bit for bit, without numpy's price for it."""
    return _between(q, _JOINT, _DEG)


def _between(x: float, xs: tuple[float, ...], ys: tuple[float, ...]) -> float:
    """numpy.interp of one number."""
    if x <= xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[-1]
    i = bisect_right(xs, x) - 1
    return (ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i]) * (x - xs[i]) + ys[i]
