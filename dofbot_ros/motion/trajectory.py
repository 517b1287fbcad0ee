"""A joint trajectory that is checked whole before it starts, then sampled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import JOINT_NAMES, N_JOINTS, BoolArray, FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.joining import fade, fade_extremes
from dofbot_ros.motion.pieces import QUINTIC_SAMPLES, Pieces, monotone_slopes
from dofbot_ros.motion.trajectory_bounds import MIN_INTERVAL_S, checked_points

CHECK_STEP = 0.02
"""No joint moves further than this between two points of Trajectory.check_points [rad]."""
CHECK_CHUNK = 256
"""At most so many joint vectors are in one chunk of Trajectory.check_points."""
JOIN_S = 0.5
"""Where a trajectory with accelerations starts beside the arm, it takes this long to join it [s]."""
SAMPLED_S = 0.2
"""Points that are no further apart than this are samples of a planner's motion, with accelerations [s]."""
BETWEEN_SAMPLES = {"position": 2e-3, "velocity": 1.05, "acceleration": 2.0}
"""How far a polynomial through samples of a motion within the limits may leave them between two points: position [rad],
velocity and acceleration as factors. A trapezoid whose acceleration jumps between two points needs 1.034 and 1.74
(test_planned_trajectory.py). The governor keeps the limits themselves."""
ROUNDING = 0.01
"""Share by which the velocities and accelerations that a planner gives at its points may exceed the limits."""
_POSITION_SLACK = 1e-5
"""Past a joint limit by less is rounding [rad]."""
_CUBIC_SLACK = 1e-6
_MAX_START_GAP = 0.05
_EXCESS = {"velocity": ("a velocity of {:.2f} rad/s", 1.0), "acceleration": ("an acceleration of {:.2f} rad/s^2", 0.5)}
"""How an excess is worded, and the power of it by which the times would have to be stretched."""


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
    """Polynomial pieces through the knots: position and velocity are continuous.

    With accelerations the pieces are quintic, and acceleration is continuous too. Without, they are cubic. Where no
    velocities are given they are those of Fritsch and Carlson's monotone interpolation (SIAM J. Numer. Anal. 17, 1980),
    with rest at the end, so that a curve stays between its neighbouring knots.

    A planner starts where the arm was measured, not where it is commanded to be: the difference is taken back over
    JOIN_S, in a trajectory with accelerations.

    What is given is bounded (see trajectory_bounds), so that no trajectory takes long to make or to check.

    Args:
        times: [s] shape (n,), strictly increasing from >= 0; the motion begins at 0 where the arm is.
        positions: [rad] shape (n, 6).
        velocities: [rad/s] shape (n, 6), or None.
        start: where and how fast the arm is commanded to be now; the first knot when times[0] is 0.
        accelerations: [rad/s^2] shape (n, 6), or None; need velocities.

    Raises:
        CommandRefusedError: shapes, order or numbers that are no trajectory, or are beyond the bounds.
    """

    def __init__(
        self,
        times: ArrayLike,
        positions: ArrayLike,
        velocities: ArrayLike | None,
        start: Sample,
        accelerations: ArrayLike | None = None,
    ) -> None:
        t, q, v, a = checked_points(times, positions, velocities, accelerations)
        if not (_is_vector(start.position) and _is_vector(start.velocity)):
            raise CommandRefusedError("a trajectory needs a start of 6 finite positions and velocities")
        gap, first = np.zeros(N_JOINTS), np.zeros(N_JOINTS)
        if t[0] <= 0.0:
            gap = start.position - q[0]
            if np.abs(gap).max() > _MAX_START_GAP:
                raise CommandRefusedError(
                    f"the trajectory starts {np.abs(gap).max():.3f} rad away from where "
                    f"{JOINT_NAMES[int(np.abs(gap).argmax())]} is: "
                    "start it at the present position, or give the first point a time after 0"
                )
            first = first if a is None else a[0]
            t, q, v, a = t[1:], q[1:], None if v is None else v[1:], None if a is None else a[1:]
            if len(t) == 0:
                raise CommandRefusedError("the trajectory has no point after time 0")
        elif t[0] < MIN_INTERVAL_S:
            raise CommandRefusedError(f"the first point is at {t[0]:g} s; give it 0 or at least {MIN_INTERVAL_S:g} s")
        join_s = min(JOIN_S, float(t[-1]))
        self._t = np.concatenate([[0.0], t])
        self._joining_velocity, self._joining_acceleration = np.zeros(N_JOINTS), np.zeros(N_JOINTS)
        if v is not None and a is not None:
            w, dw, ddw = (row[:, None] * gap for row in fade(t, join_s))
            self._joining_velocity, self._joining_acceleration = fade_extremes(join_s, np.abs(gap))
            knots = (
                np.vstack([start.position, q + w]),
                np.vstack([start.velocity, v + dw]),
                np.vstack([first, a + ddw]),
            )
            self._pieces = Pieces.quintic_through(self._t, *knots)
            return
        knots_q = np.vstack([start.position, q])
        slopes = monotone_slopes(self._t, knots_q, start.velocity) if v is None else np.vstack([start.velocity, v])
        self._pieces = Pieces.cubic(self._t, knots_q, slopes)

    @property
    def duration_s(self) -> float:
        """Time of the last knot [s]."""
        return float(self._t[-1])

    def sample(self, time_s: ArrayLike) -> Sample:
        """Position and velocity at `time_s`, a scalar or shape (n,); at rest on the last knot after the end."""
        s = np.clip(time_s, 0.0, self._t[-1])
        i = np.minimum(np.searchsorted(self._t, s, side="right") - 1, len(self._t) - 2)
        u = ((s - self._t[i]) / self._pieces.lengths[i, 0])[..., None]
        over = (np.asarray(time_s) > self._t[-1])[..., None]
        return Sample(self._pieces.position(u, i), np.where(over, 0.0, self._pieces.velocity(u, i)))

    def check(self, limits: MotionLimits) -> None:
        """Refuse the whole trajectory when any moment of it leaves `limits`.

        Positions, velocities and accelerations of cubic pieces are compared at their exact extremes. Points with
        accelerations are a planner's: they may exceed the limits by ROUNDING, on average between two points too, and
        the polynomials between points that are near each other by BETWEEN_SAMPLES.

        Raises:
            CommandRefusedError: naming joint, time, value and limit.
        """
        u = self._pieces.extremes()
        q, v, a = self._pieces.position(u), self._pieces.velocity(u), self._pieces.acceleration(u)
        sampled = self._pieces.quintic & (self._pieces.lengths <= SAMPLED_S)
        slack = np.where(sampled, BETWEEN_SAMPLES["position"], _POSITION_SLACK)
        outside = np.maximum(q - limits.upper, limits.lower - q)
        if (outside > slack).any():
            _, k, j = np.unravel_index((outside - slack).argmax(), outside.shape)
            raise CommandRefusedError(
                f"{JOINT_NAMES[j]} would reach {q[:, k, j][outside[:, k, j].argmax()]:.3f} rad before "
                f"{self._t[k + 1]:.2f} s; its limits are {limits.lower[j]:.3f}..{limits.upper[j]:.3f} rad"
            )
        on_average = ((v[1] - v[0]) / self._pieces.lengths)[None]
        self._hold(v, limits.velocity, self._joining_velocity, sampled, "velocity")
        a = np.concatenate([a, on_average])
        self._hold(a, limits.acceleration, self._joining_acceleration, sampled, "acceleration")

    def _hold(self, values: FloatArray, limit: FloatArray, joining: FloatArray, sampled: BoolArray, what: str) -> None:
        """Refuse velocities or accelerations (m, n, 6) beyond their limit; the first two are at the knots."""
        words, power = _EXCESS[what]
        allowed = np.full(values.shape, 1.0 + (ROUNDING if self._pieces.quintic else _CUBIC_SLACK))
        if self._pieces.quintic:
            allowed[2:QUINTIC_SAMPLES] = np.where(sampled, BETWEEN_SAMPLES[what], allowed[2:QUINTIC_SAMPLES])
        ratio = np.abs(values) / (limit + joining)
        if (ratio > allowed).any():
            _, k, j = np.unravel_index((ratio / allowed).argmax(), ratio.shape)
            raise CommandRefusedError(
                f"{JOINT_NAMES[j]} would need {words.format(np.abs(values).max(axis=0)[k, j])} before "
                f"{self._t[k + 1]:.2f} s; the limit is {limit[j]:.2f}: stretch the times by {ratio.max() ** power:.2f}"
            )

    def check_points(self, step: float = CHECK_STEP) -> Iterator[CheckPoints]:
        """Points along the trajectory for a check against obstacles, in chunks of at most CHECK_CHUNK.

        Each knot is one of them, and between two of them no joint moves further than `step` [rad]: their number
        depends on how far the joints move, not on how long they take. A trajectory that check() has accepted has at
        most 2,000 + 600 s * 1.6 rad/s / 0.02 rad = 50,000 at the default limits, whatever its points are.

        Args:
            step: [rad].
        """
        # The slope of a cubic is a parabola: fastest at an end, or at its vertex, which is where its extremes are.
        pieces = self._pieces
        fastest = (np.abs(pieces.velocity(pieces.steepest())) * pieces.lengths).max(axis=(0, 2))
        counts = np.maximum(np.ceil(fastest / step - 1e-9), 1.0)
        ends = np.cumsum(counts)
        for first in range(0, int(ends[-1]), CHECK_CHUNK):
            index = np.arange(first, min(first + CHECK_CHUNK, int(ends[-1])))
            k = np.searchsorted(ends, index, side="right")
            u = ((index - (ends[k] - counts[k]) + 1) / counts[k])[:, None]
            yield CheckPoints(self._t[k] + (u * pieces.lengths[k])[:, 0], pieces.position(u, k))


def _is_vector(values: FloatArray) -> bool:
    return bool(np.shape(values) == (N_JOINTS,) and np.isfinite(values).all())
