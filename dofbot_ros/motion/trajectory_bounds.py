"""Bounds on the points of a trajectory, looked at before any arithmetic: what is beyond them is a mistake."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.core.types import N_JOINTS, FloatArray
from dofbot_ros.errors import CommandRefusedError

MAX_POINTS = 2_000
"""Points of one trajectory."""
MAX_DURATION_S = 600.0
"""Time of the last point [s]."""
MIN_INTERVAL_S = 1e-4
"""Time between two points [s]."""
MAX_POSITION = 10.0
"""No joint of this arm turns three times [rad]."""
MAX_VELOCITY = 100.0
"""Thirty times what its servos can do [rad/s]."""
MAX_ACCELERATION = 1_000.0
"""Far beyond what its servos can do [rad/s^2]."""
_LAST_STEP = 1e-3
"""Between two last points that are one [rad]."""


def checked_points(
    times: ArrayLike, positions: ArrayLike, velocities: ArrayLike | None, accelerations: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None]:
    """Times (n,) [s], positions [rad], velocities [rad/s] and accelerations [rad/s^2] (n, 6), all within bounds.

    A planner samples at a fixed step, and its last point may come next to nothing after those before: those go.

    Raises:
        CommandRefusedError: naming the bound, and the value that is beyond it.
    """
    for values in (times, positions, velocities, accelerations):
        check_count(values)
    t = _numbers("times", times)
    if t.ndim != 1 or len(t) == 0:
        raise CommandRefusedError("the trajectory has no points")
    q = _joints("positions", positions, len(t), MAX_POSITION, "rad")
    v = None if velocities is None else _joints("velocities", velocities, len(t), MAX_VELOCITY, "rad/s")
    if accelerations is not None and v is None:
        raise CommandRefusedError("accelerations are given without velocities: give both, or velocities alone")
    a = None
    if accelerations is not None:
        a = _joints("accelerations", accelerations, len(t), MAX_ACCELERATION, "rad/s^2")
        soon = (t[-1] - t < MIN_INTERVAL_S) & (t < t[-1]) & (np.abs(q - q[-1]).max(axis=1) < _LAST_STEP)
        if soon.any() and not soon[0]:
            t, q, v, a = t[~soon], q[~soon], None if v is None else v[~soon], a[~soon]
    _check_times(t)
    return t, q, v, a


def check_count(points: object) -> None:
    """Refuse more than MAX_POINTS points before anything is copied.

    Raises:
        CommandRefusedError: there are more.
    """
    if isinstance(points, Sized) and len(points) > MAX_POINTS:
        raise CommandRefusedError(f"the trajectory has {len(points)} points; at most {MAX_POINTS} are taken")


def _check_times(t: FloatArray) -> None:
    if not np.isfinite(t).all() or t[0] < 0 or (np.diff(t) <= 0).any():
        raise CommandRefusedError(f"times must be finite and strictly increasing from 0, got {t.tolist()[:8]}")
    if t[-1] > MAX_DURATION_S:
        raise CommandRefusedError(f"the trajectory lasts {t[-1]:g} s; at most {MAX_DURATION_S:g} s are taken")
    interval = np.diff(t)
    if len(interval) and interval.min() < MIN_INTERVAL_S:
        k = int(interval.argmin())
        raise CommandRefusedError(
            f"points {k} and {k + 1} are {interval[k]:.1e} s apart; at least {MIN_INTERVAL_S:g} s are needed"
        )


def _joints(what: str, values: ArrayLike, n: int, most: float, unit: str) -> FloatArray:
    array = _numbers(what, values)
    if array.shape != (n, N_JOINTS):
        raise CommandRefusedError(f"{what} have shape {array.shape}; expected ({n}, {N_JOINTS})")
    if not np.isfinite(array).all():
        raise CommandRefusedError(f"{what} hold a number that is not finite")
    if np.abs(array).max() > most:
        k, j = np.unravel_index(np.abs(array).argmax(), array.shape)
        raise CommandRefusedError(
            f"{what} hold {array[k, j]:g} {unit} in point {k}; no joint has more than {most:g} {unit}"
        )
    return array


def _numbers(what: str, values: ArrayLike) -> FloatArray:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise CommandRefusedError(f"{what} are no table of numbers: {error}") from error
