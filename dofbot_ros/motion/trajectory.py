"""A joint trajectory that is checked whole before it starts, then sampled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import JOINT_NAMES, N_JOINTS, FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.trajectory_bounds import MIN_INTERVAL_S, checked_points

CHECK_STEP = 0.02
"""No joint moves further than this between two points of Trajectory.check_points [rad]."""
CHECK_CHUNK = 256
"""At most so many joint vectors are in one chunk of Trajectory.check_points."""
START_PIECES = 2
"""The first pieces depend on where a trajectory starts: those that are to be checked again when it is restarted."""
_MAX_START_GAP = 0.05


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

    @classmethod
    def of(cls, robot: Robot, max_velocity: ArrayLike, max_acceleration: ArrayLike) -> MotionLimits:
        """The joint limits of `robot`, with a velocity [rad/s] and an acceleration [rad/s^2], scalars or shape (6,)."""
        velocity, acceleration = (
            np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (N_JOINTS,)))
            for value in (max_velocity, max_acceleration)
        )
        return cls(robot.lower, robot.upper, velocity, acceleration)


@dataclass(frozen=True)
class Sample:
    """One moment of a motion: position [rad] and velocity [rad/s], each of shape (6,) or (n, 6)."""

    position: FloatArray
    velocity: FloatArray


@dataclass(frozen=True)
class CheckPoints:
    """Some points along a trajectory, in their order.

    Attributes:
        times: [s] shape (n,).
        positions: [rad] shape (n, 6).
    """

    times: FloatArray
    positions: FloatArray


class Trajectory:
    """Cubic Hermite pieces through the knots: position and velocity are continuous, no knot is overshot.

    Where no velocities are given they are those of Fritsch and Carlson's monotone interpolation (SIAM J. Numer.
    Anal. 17, 1980), with rest at the end, so that a curve stays between its neighbouring knots.

    What is given is bounded (see trajectory_bounds), so that no trajectory takes long to make or to check.

    Args:
        times: [s] shape (n,), strictly increasing from >= 0; the motion begins at 0 where the arm is.
        positions: [rad] shape (n, 6).
        velocities: [rad/s] shape (n, 6), or None.
        start: where and how fast the arm is commanded to be now; the first knot when times[0] is 0.

    Raises:
        CommandRefusedError: shapes, order or numbers that are no trajectory, or are beyond the bounds.
    """

    def __init__(self, times: ArrayLike, positions: ArrayLike, velocities: ArrayLike | None, start: Sample) -> None:
        self._points = t, q, v = checked_points(times, positions, velocities)
        if not (_is_vector(start.position) and _is_vector(start.velocity)):
            raise CommandRefusedError("a trajectory needs a start of 6 finite positions and velocities")
        if t[0] <= 0.0:
            gap = np.abs(q[0] - start.position)
            if gap.max() > _MAX_START_GAP:
                raise CommandRefusedError(
                    f"the trajectory starts {gap.max():.3f} rad away from where {JOINT_NAMES[int(gap.argmax())]} is: "
                    "start it at the present position, or give the first point a time after 0"
                )
            t, q, v = t[1:], q[1:], None if v is None else v[1:]
            if len(t) == 0:
                raise CommandRefusedError("the trajectory has no point after time 0")
        elif t[0] < MIN_INTERVAL_S:
            raise CommandRefusedError(f"the first point is at {t[0]:g} s; give it 0 or at least {MIN_INTERVAL_S:g} s")
        self._t = np.concatenate([[0.0], t])
        self._q = np.vstack([start.position, q])
        self._v = _monotone_slopes(self._t, self._q, start.velocity) if v is None else np.vstack([start.velocity, v])

    @property
    def duration_s(self) -> float:
        """Time of the last knot [s]."""
        return float(self._t[-1])

    def restarted(self, start: Sample) -> Trajectory:
        """The same points at the same times from now, from another start: the arm moved on while it was checked.

        Only the first START_PIECES pieces differ, so only they need another check (`pieces=START_PIECES`).

        Raises:
            CommandRefusedError: the first point is at time 0, and the arm is no longer there.
        """
        return Trajectory(*self._points, start)

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

    def check(self, limits: MotionLimits, pieces: int | None = None) -> None:
        """Refuse the whole trajectory when any moment of it leaves `limits`.

        Positions, velocities and accelerations are compared at their exact extremes within each cubic piece.

        Args:
            limits: what the motion may not exceed.
            pieces: look only at so many from the start; at all when None.

        Raises:
            CommandRefusedError: naming joint, time, value and limit.
        """
        h, a, b, c = self._polynomials(pieces)
        u = _interior_extremes(a, b, c)
        q = self._q[: len(h)] + u * (c + u * (b + u * a))
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

    def check_points(self, pieces: int | None = None, step: float = CHECK_STEP) -> Iterator[CheckPoints]:
        """Points along the trajectory for a check against obstacles, in chunks of at most CHECK_CHUNK.

        Each knot is one of them, and between two of them no joint moves further than `step` [rad]: their number
        depends on how far the joints move, not on how long they take. A trajectory that check() has accepted has at
        most 2,000 + 600 s * 1.6 rad/s / 0.02 rad = 50,000 at the default limits, whatever its points are.

        Args:
            pieces: only so many from the start; all when None.
            step: [rad].
        """
        h, a, b, c = self._polynomials(pieces)
        # The slope of a cubic is a parabola: fastest at an end, or at its vertex where that lies between them.
        with np.errstate(divide="ignore", invalid="ignore"):
            vertex = -b / (3 * a)
        vertex = np.where((vertex > 0) & (vertex < 1), vertex, 0.0)
        fastest = np.abs(np.stack([c, c + 2 * b + 3 * a, c + vertex * (2 * b + 3 * a * vertex)])).max(axis=(0, 2))
        counts = np.maximum(np.ceil(fastest / step - 1e-9), 1.0).astype(np.int64)
        ends = np.cumsum(counts)
        for first in range(0, int(ends[-1]), CHECK_CHUNK):
            index = np.arange(first, min(first + CHECK_CHUNK, int(ends[-1])))
            k = np.searchsorted(ends, index, side="right")
            u = ((index - (ends[k] - counts[k]) + 1) / counts[k])[:, None]
            positions = self._q[k] + u * (c[k] + u * (b[k] + u * a[k]))
            yield CheckPoints(self._t[k] + (u * h[k])[:, 0], positions)

    def _polynomials(self, pieces: int | None) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Lengths h (n, 1) [s] and coefficients a, b, c (n, 6) of q0 + c u + b u^2 + a u^3, u from 0 to 1."""
        n = len(self._t) - 1 if pieces is None else min(pieces, len(self._t) - 1)
        h = np.diff(self._t[: n + 1])[:, None]
        q0, q1, m0, m1 = self._q[:n], self._q[1 : n + 1], h * self._v[:n], h * self._v[1 : n + 1]
        return h, 2 * q0 - 2 * q1 + m0 + m1, -3 * q0 + 3 * q1 - 2 * m0 - m1, m0


def _is_vector(values: FloatArray) -> bool:
    return bool(np.shape(values) == (N_JOINTS,) and np.isfinite(values).all())


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
