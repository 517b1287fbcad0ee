"""How a trajectory that starts a little beside the arm takes the difference back."""

from __future__ import annotations

import math

import numpy as np

from dofbot_ros.core.types import FloatArray


def fade(t: FloatArray, join_s: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A quintic from 1 at time 0 to 0 at `join_s`, at rest at both ends, and its derivatives, at times t (n,) [s]."""
    x = np.clip(t / join_s, 0.0, 1.0)
    return (
        1.0 - x**3 * (10.0 - x * (15.0 - 6.0 * x)),
        -30.0 * x**2 * (1.0 - x) ** 2 / join_s,
        -60.0 * x * (1.0 - x) * (1.0 - 2.0 * x) / join_s**2,
    )


def fade_extremes(join_s: float, gap: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Largest velocity [rad/s] and acceleration [rad/s^2] of gaps (6,) [rad] that fade."""
    return 1.875 * gap / join_s, 10.0 / math.sqrt(3.0) * gap / join_s**2
