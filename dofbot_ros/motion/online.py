"""Motion towards a target that may change at any moment, limited in velocity, acceleration and jerk (Ruckig)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from ruckig import ControlInterface, InputParameter, OutputParameter, Result, Ruckig, Synchronization

from dofbot_ros.motion.trajectory import Sample


class OnlineMotion:
    """A state (position, velocity, acceleration) that is moved one control period at a time.

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
        limits = [np.asarray(limit, dtype=np.float64).tolist() for limit in (max_velocity, max_acceleration, max_jerk)]
        n = len(limits[0])
        self._ruckig = Ruckig(n, period_s)
        self._input = InputParameter(n)
        self._output = OutputParameter(n)
        self._input.max_velocity, self._input.max_acceleration, self._input.max_jerk = limits
        self._input.synchronization = Synchronization.Time if synchronize else Synchronization.No
        self.reset(np.zeros(n))

    @property
    def state(self) -> Sample:
        """Where the motion is now."""
        return Sample(np.array(self._input.current_position), np.array(self._input.current_velocity))

    @property
    def at_rest(self) -> bool:
        """Whether nothing moves any more."""
        return bool(max(map(abs, self._input.current_velocity)) < 1e-9)

    def reset(self, position: ArrayLike, velocity: ArrayLike | None = None) -> None:
        """Start anew from `position` (n,) and `velocity` (n,), which is cut to the limit; rest when None."""
        q = np.asarray(position, dtype=np.float64)
        limit = np.asarray(self._input.max_velocity)
        v = np.zeros_like(q) if velocity is None else np.clip(np.asarray(velocity, dtype=np.float64), -limit, limit)
        self._input.current_position = q.tolist()
        self._input.current_velocity = v.tolist()
        self._input.current_acceleration = [0.0] * len(q)
        self._ruckig.reset()

    def update(self, target: ArrayLike) -> Sample:
        """One period towards resting at `target` (n,)."""
        self._input.control_interface = ControlInterface.Position
        self._input.target_position = np.asarray(target, dtype=np.float64).tolist()
        return self._step([0.0] * len(self._input.target_position))

    def update_velocity(self, velocity: ArrayLike) -> Sample:
        """One period towards moving at `velocity` (n,)."""
        self._input.control_interface = ControlInterface.Velocity
        limit = np.asarray(self._input.max_velocity)
        return self._step(np.clip(np.asarray(velocity, dtype=np.float64), -limit, limit).tolist())

    def halt(self) -> Sample:
        """One period towards rest, as quickly as the limits allow."""
        return self.update_velocity(np.zeros(len(self._input.current_position)))

    def _step(self, target_velocity: list[float]) -> Sample:
        self._input.target_velocity = target_velocity
        self._input.target_acceleration = [0.0] * len(target_velocity)
        result = self._ruckig.update(self._input, self._output)
        if result not in (Result.Working, Result.Finished):
            raise ValueError(f"no motion to {self._input.target_position}: {result}")
        self._output.pass_to_input(self._input)
        return self.state
