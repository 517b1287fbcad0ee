"""How fast joints may go so that they can still stop in time: one formula for the governor and for its model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from dofbot_ros.core.types import FloatArray

Numbers = TypeVar("Numbers", float, FloatArray)


def braking_velocity(distance: FloatArray, step: FloatArray, period_s: float) -> FloatArray:
    """Largest velocity from which lowering it by `step` each period covers no more than `distance`.

    This period moves velocity * period_s, the next (velocity - step) * period_s, and so on: with
    velocity = (n + f) step the sum is ((n + 1)(n + f) - n (n + 1) / 2) step period_s, solved here for velocity.

    Args:
        distance: [rad] >= 0, shape (..., n).
        step: velocity change a period [rad/s], shape (n,).
        period_s: [s].
    """
    return _solved(distance, step, period_s, np.sqrt, np.floor)


def joint_braking_velocity(distance: float, step: float, period_s: float) -> float:
    """braking_velocity() of one joint in plain numbers, which are quicker than arrays of six in a training loop."""
    return _solved(distance, step, period_s, math.sqrt, math.floor)


def _solved(
    distance: Numbers, step: Numbers, period_s: float, sqrt: Callable[[Any], Any], floor: Callable[[Any], Any]
) -> Numbers:
    units = distance / (step * period_s)
    n = floor(-0.5 + sqrt(0.25 + 2.0 * units))
    velocity: Numbers = step * (units + 0.5 * n * (n + 1.0)) / (n + 1.0)
    return velocity
