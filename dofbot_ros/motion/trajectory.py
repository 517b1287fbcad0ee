"""A joint trajectory that is checked whole before it starts, then sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.core.types import JOINT_NAMES, N_JOINTS, FloatArray
from dofbot_ros.errors import CommandRefusedError


@dataclass(frozen=True)
class MotionLimits:
    """What a motion may not exceed, per joint, each of shape (6,).

    Attributes:
        lower, upper: joint positions [rad].
        velocity: [rad/s].
        acceleration: [rad/s^2].
    """

    lower: FloatArray
    upper: FloatArray
    velocity: FloatArray
    acceleration: FloatArray


@dataclass(frozen=True)
class Sample:
    """One moment of a motion: position [rad] and velocity [rad/s], each of shape (6,) or (n, 6)."""

    position: FloatArray
    velocity: FloatArray


class Trajectory:
    """Cubic Hermite pieces through the knots: position and velocity are continuous, no knot is overshot.

    Where no velocities are given they are those of Fritsch and Carlson's monotone interpolation (SIAM J. Numer.
    Anal. 17, 1980), with rest at the end, so that a curve stays between its neighbouring knots.

    Args:
        times: [s] shape (n,), strictly increasing from >= 0; the motion begins at 0 where the arm is.
        positions: [rad] shape (n, 6).
        velocities: [rad/s] shape (n, 6), or None.
        start: where and how fast the arm is commanded to be now; the first knot when times[0] is 0.

    Raises:
        CommandRefusedError: shapes, order or numbers that are no trajectory.
    """

    def __init__(self, times: ArrayLike, positions: ArrayLike, velocities: ArrayLike | None, start: Sample) -> None:
        t = np.asarray(times, dtype=np.float64)
        q = np.asarray(positions, dtype=np.float64)
        v = None if velocities is None else np.asarray(velocities, dtype=np.float64)
        _check_shapes(t, q, v)
        if t[0] <= 0.0:
            gap = np.abs(q[0] - start.position)
            if gap.max() > 0.05:
                raise CommandRefusedError(
                    f"the trajectory starts {gap.max():.3f} rad away from where {JOINT_NAMES[int(gap.argmax())]} is: "
                    "start it at the present position, or give the first point a time after 0"
                )
            t, q, v = t[1:], q[1:], None if v is None else v[1:]
            if len(t) == 0:
                raise CommandRefusedError("the trajectory has no point after time 0")
        self._t = np.concatenate([[0.0], t])
        self._q = np.vstack([start.position, q])
        self._v = _monotone_slopes(self._t, self._q, start.velocity) if v is None else np.vstack([start.velocity, v])

    @property
    def duration_s(self) -> float:
        """Time of the last knot [s]."""
        return float(self._t[-1])

    def sample(self, time_s: ArrayLike) -> Sample:
        """Position and velocity at `time_s`, a scalar or shape (n,); at rest on the last knot after the end."""
        s = np.clip(np.asarray(time_s, dtype=np.float64), 0.0, self._t[-1])
        i = np.clip(np.searchsorted(self._t, s, side="right") - 1, 0, len(self._t) - 2)
        h = (self._t[i + 1] - self._t[i])[..., None]
        u = (s - self._t[i])[..., None] / h
        q0, q1, m0, m1 = self._q[i], self._q[i + 1], h * self._v[i], h * self._v[i + 1]
        position = (
            q0 + u * (m0 + u * ((-3 * q0 + 3 * q1 - 2 * m0 - m1) + u * (2 * q0 - 2 * q1 + m0 + m1)))
        )  # fmt: skip
        velocity = (m0 + u * (2 * (-3 * q0 + 3 * q1 - 2 * m0 - m1) + u * 3 * (2 * q0 - 2 * q1 + m0 + m1))) / h
        over = (np.asarray(time_s) > self._t[-1])[..., None]
        return Sample(position, np.where(over, 0.0, velocity))

    def check(self, limits: MotionLimits) -> None:
        """Refuse the whole trajectory when any moment of it leaves `limits`.

        Positions, velocities and accelerations are compared at their exact extremes within each cubic piece.

        Raises:
            CommandRefusedError: naming joint, time, value and limit.
        """
        h = np.diff(self._t)[:, None]
        q0, q1, m0, m1 = self._q[:-1], self._q[1:], h * self._v[:-1], h * self._v[1:]
        a, b, c = 2 * q0 - 2 * q1 + m0 + m1, -3 * q0 + 3 * q1 - 2 * m0 - m1, m0
        u = _interior_extremes(a, b, c)
        q = q0 + u * (c + u * (b + u * a))
        v = (c + u * (2 * b + 3 * a * u)) / h
        acceleration = np.stack([2 * b, 2 * b + 6 * a]) / h**2
        slack = 1e-9
        outside = np.maximum(q - limits.upper, limits.lower - q)
        if outside.max() > slack:
            _, k, j = np.unravel_index(outside.argmax(), outside.shape)
            raise CommandRefusedError(
                f"{JOINT_NAMES[j]} would reach {q[:, k, j][outside[:, k, j].argmax()]:.3f} rad before "
                f"{self._t[k + 1]:.2f} s; its limits are {limits.lower[j]:.3f}..{limits.upper[j]:.3f} rad"
            )
        for value, limit, what, unit, power in (
            (np.abs(v), limits.velocity, "a velocity", "rad/s", 1.0),
            (np.abs(acceleration), limits.acceleration, "an acceleration", "rad/s^2", 0.5),
        ):
            ratio = value / limit
            if ratio.max() > 1.0 + 1e-6:
                _, k, j = np.unravel_index(ratio.argmax(), ratio.shape)
                stretch = ratio.max() ** power
                raise CommandRefusedError(
                    f"{JOINT_NAMES[j]} would need {what} of {value.max(axis=0)[k, j]:.2f} {unit} before "
                    f"{self._t[k + 1]:.2f} s; the limit is {limit[j]:.2f}: stretch the times by {stretch:.2f}"
                )


def _check_shapes(t: FloatArray, q: FloatArray, v: FloatArray | None) -> None:
    if t.ndim != 1 or len(t) == 0:
        raise CommandRefusedError("the trajectory has no points")
    for name, array in (("positions", q), ("velocities", v)):
        if array is not None and array.shape != (len(t), N_JOINTS):
            raise CommandRefusedError(f"{name} have shape {array.shape}; expected ({len(t)}, {N_JOINTS})")
        if array is not None and not np.isfinite(array).all():
            raise CommandRefusedError(f"{name} hold a number that is not finite")
    if not np.isfinite(t).all() or t[0] < 0 or (np.diff(t) <= 0).any():
        raise CommandRefusedError(f"times must be finite and strictly increasing from 0, got {t.tolist()[:8]}")


def _monotone_slopes(t: FloatArray, q: FloatArray, v_start: FloatArray) -> FloatArray:
    """Knot velocities (n, 6): weighted harmonic mean of the neighbouring slopes, zero where they change sign."""
    h = np.diff(t)[:, None]
    slope = np.diff(q, axis=0) / h
    v = np.zeros_like(q)
    v[0] = v_start
    before, after, h0, h1 = slope[:-1], slope[1:], h[:-1], h[1:]
    w0, w1 = 2 * h1 + h0, h1 + 2 * h0
    same = before * after > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (w0 + w1) * before * after / (w0 * after + w1 * before)
    v[1:-1] = np.where(same, mean, 0.0)
    return v


def _interior_extremes(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Parameters in [0, 1] where a cubic piece a u^3 + b u^2 + c u or its slope may be extreme, shape (5, n, 6)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.maximum(4 * b * b - 12 * a * c, 0.0))
        candidates = np.stack([(-2 * b - root) / (6 * a), (-2 * b + root) / (6 * a), -b / (3 * a)])
        # Where a vanishes the position is a parabola with its extreme here, and the first two candidates are void.
        candidates[2] = np.where(np.abs(a) < 1e-12, -c / (2 * b), candidates[2])
    inside = np.where(np.isfinite(candidates) & (candidates > 0) & (candidates < 1), candidates, 0.0)
    return np.concatenate([np.zeros_like(a)[None], np.ones_like(a)[None], inside])
