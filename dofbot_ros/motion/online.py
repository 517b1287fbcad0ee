"""Motion towards a target that may change at any moment, limited in velocity, acceleration and jerk (Ruckig)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from ruckig import InputParameter, OutputParameter, Result, Ruckig, RuckigError, Synchronization

from dofbot_ros.core.types import FloatArray
from dofbot_ros.motion.trajectory import Sample

MAX_POSITION = 100.0
"""Positions and targets beyond this are cut to it [rad or m]; Ruckig fails on distances that take hours."""
_NEGLIGIBLE = 1e-12
"""Smaller numbers are taken for zero: Ruckig divides by them."""


class OnlineMotion:
    """A state (position, velocity, acceleration) that is moved one control period at a time.

    It runs in the control thread, so a period never raises for numbers: what is out of range is cut, and where no
    motion can be computed the state brakes at its acceleration limit and `failure` says why.

    Reference: Berscheid and Kroeger, "Jerk-limited real-time trajectory generation with arbitrary target states",
    RSS 2021.

    Args:
        period_s: control period [s].
        max_velocity, max_acceleration, max_jerk: [rad/s], [rad/s^2], [rad/s^3] (or m), each of shape (n,).
        synchronize: let all joints arrive together (straight in joint space, nearly).
    """

    def __init__(
        self,
        period_s: float,
        max_velocity: ArrayLike,
        max_acceleration: ArrayLike,
        max_jerk: ArrayLike,
        synchronize: bool = True,
    ) -> None:
        self._period_s = period_s
        self._max_velocity, self._max_acceleration, self._max_jerk = (
            np.array(limit, dtype=np.float64) for limit in (max_velocity, max_acceleration, max_jerk)
        )
        n = len(self._max_velocity)
        self._ruckig = Ruckig(n, period_s)
        self._input = InputParameter(n)
        self._output = OutputParameter(n)
        self._input.max_velocity = self._max_velocity.tolist()
        self._input.max_acceleration = self._max_acceleration.tolist()
        self._input.max_jerk = self._max_jerk.tolist()
        self._input.synchronization = Synchronization.Time if synchronize else Synchronization.No
        self._input.target_velocity = self._input.target_acceleration = [0.0] * n
        self.failure = ""
        """Why the last period braked instead of moving as asked; empty when it did as asked."""
        self.reset(np.zeros(n))

    @property
    def state(self) -> Sample:
        """Where the motion is now."""
        return Sample(self._position.copy(), self._velocity.copy())

    @property
    def at_rest(self) -> bool:
        """Whether nothing moves any more."""
        return bool(np.abs(self._velocity).max() < 1e-9)

    def reset(self, position: ArrayLike, velocity: ArrayLike | None = None) -> None:
        """Start anew from `position` (n,) and `velocity` (n,), each cut to its limit; rest when `velocity` is None.

        Raises:
            ValueError: a number is not finite, or the shape is not (n,).
        """
        q = self._vector("position", position)
        v = np.zeros(q.shape) if velocity is None else self._vector("velocity", velocity)
        if not (np.isfinite(q).all() and np.isfinite(v).all()):
            raise ValueError(f"a motion starts from finite numbers, got position {q.tolist()}, velocity {v.tolist()}")
        self._position = np.clip(q, -MAX_POSITION, MAX_POSITION)
        self._velocity = _cut(v, self._max_velocity)
        self._acceleration = np.zeros_like(q)
        self.failure = ""

    def limit_velocity(self, max_velocity: ArrayLike) -> None:
        """Another velocity limit [rad/s or m/s] (n,) from the next period on; a state that is faster brakes to it.

        Raises:
            ValueError: the shape is not (n,).
        """
        self._max_velocity = self._vector("velocity limit", max_velocity)
        self._input.max_velocity = self._max_velocity.tolist()

    def update(self, target: ArrayLike) -> Sample:
        """One period towards resting at `target` (n,), which is cut to +-MAX_POSITION."""
        q = self._vector("target", target)
        if not np.isfinite(q).all():
            return self._fail(f"the target {q.tolist()} holds a number that is not finite")
        self._input.current_position = self._position.tolist()
        self._input.current_velocity = self._velocity.tolist()
        self._input.current_acceleration = self._endable_acceleration().tolist()
        self._input.target_position = np.clip(q, -MAX_POSITION, MAX_POSITION).tolist()
        try:
            result = self._ruckig.update(self._input, self._output)
        except RuckigError as error:
            # Ruckig's message goes on with a listing of its whole input.
            return self._fail(f"no motion to {self._input.target_position}: {_first_line(error)}")
        state = np.array([self._output.new_position, self._output.new_velocity, self._output.new_acceleration])
        if result not in (Result.Working, Result.Finished) or not np.isfinite(state).all():
            return self._fail(f"no motion to {self._input.target_position}: {result}")
        return self._advance(*state)

    def update_velocity(self, velocity: ArrayLike) -> Sample:
        """One period towards moving at `velocity` (n,), which is cut to the limit.

        The velocity changes along the straight line from what it is to what is wanted, so all joints start, turn and
        stop in proportion, and what they move together goes in a direction between the old and the wanted one. The
        change speeds up and slows down within the jerk limit; a change of the wanted velocity may break it off.
        """
        v = self._vector("velocity", velocity)
        if not np.isfinite(v).all():
            return self._fail(f"the velocity {v.tolist()} holds a number that is not finite")
        return self._change(_cut(v, self._max_velocity))

    def halt(self) -> Sample:
        """One period towards rest, as quickly as the limits allow, all joints in proportion."""
        return self._change(np.zeros_like(self._velocity))

    def _change(self, wanted: FloatArray) -> Sample:
        """One period along the straight line from the velocity now to `wanted` (n,)."""
        dt = self._period_s
        change = wanted - self._velocity
        left_s = float(np.abs(change / self._max_acceleration).max())
        if left_s < _NEGLIGIBLE:
            return self._advance(self._position + dt * wanted, wanted, np.zeros_like(wanted))
        # In units of `full`, the largest acceleration in this direction, acceleration is at most 1.
        full = change / left_s
        jerk = float(1.0 / np.abs(full / self._max_jerk).max())
        before = max(0.0, float(self._acceleration @ full) / float(full @ full))
        # Lowered by jerk * dt each period from here on, the acceleration ends as the velocity arrives.
        units = left_s / (jerk * dt**2)
        n = math.floor(-0.5 + math.sqrt(0.25 + 2.0 * units))
        ending = jerk * dt * (units + 0.5 * n * (n + 1)) / (n + 1)
        acceleration = full * min(1.0, before + jerk * dt, ending)
        velocity = self._velocity + dt * acceleration
        return self._advance(self._position + 0.5 * dt * (self._velocity + velocity), velocity, acceleration)

    def _endable_acceleration(self) -> FloatArray:
        """The acceleration now, cut to what the jerk limit ends before the velocity passes its limit."""
        left = np.maximum(self._max_velocity - np.abs(self._velocity), 0.0)
        outward = self._acceleration * self._velocity > 0.0
        most = np.where(outward, np.minimum(self._max_acceleration, np.sqrt(2.0 * self._max_jerk * left)), np.inf)
        return np.clip(self._acceleration, -most, most)

    def _fail(self, reason: str) -> Sample:
        """One period of braking at the acceleration limit, all joints in proportion."""
        slower = self._period_s / max(float(np.abs(self._velocity / self._max_acceleration).max()), self._period_s)
        velocity = self._velocity * (1.0 - slower)
        middle = 0.5 * (self._velocity + velocity)
        sample = self._advance(self._position + self._period_s * middle, velocity, np.zeros_like(velocity))
        self.failure = reason
        return sample

    def _advance(self, position: FloatArray, velocity: FloatArray, acceleration: FloatArray) -> Sample:
        self._position = np.clip(position, -MAX_POSITION, MAX_POSITION)
        self._velocity = np.where(np.abs(velocity) < _NEGLIGIBLE, 0.0, velocity)
        self._acceleration = np.where(np.abs(acceleration) < _NEGLIGIBLE, 0.0, acceleration)
        self.failure = ""
        return self.state

    def _vector(self, what: str, values: ArrayLike) -> FloatArray:
        vector = np.array(values, dtype=np.float64)
        if vector.shape != self._max_velocity.shape:
            raise ValueError(f"the {what} has shape {vector.shape}; expected {self._max_velocity.shape}")
        return vector


def _cut(values: FloatArray, limit: FloatArray) -> FloatArray:
    """Values within +-limit, with the ones that do not matter as zeros."""
    cut = np.clip(values, -limit, limit)
    return np.where(np.abs(cut) < _NEGLIGIBLE, 0.0, cut)


def _first_line(error: RuckigError) -> str:
    return str(error).strip().splitlines()[0].strip().removesuffix(" input:")
