"""What servos truly did and were truly told, written down beside the line: what a driver is judged by, not its word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import BoolArray, FloatArray


@dataclass(frozen=True)
class GoalWrite:
    """A goal that reached a servo: when [s], its place in the log's columns, goal [ticks], move time [ms]."""

    time_s: float
    column: int
    ticks: int
    time_ms: int


@dataclass(frozen=True)
class TorqueWrite:
    """A torque switch that reached a servo, or that a servo let go by itself."""

    time_s: float
    column: int
    enabled: bool


@dataclass(frozen=True)
class Truth:
    """A log as arrays, n samples of m servos.

    Attributes:
        time_s: of each sample, never falling, shape (n,) [s].
        links: where the links truly were, shape (n, m) [ticks].
        goals: the goal registers, shape (n, m) [ticks].
        torque: whether each motor truly drove its link, shape (n, m).
        goal_writes, torque_writes: what reached the servos, in order of time.
    """

    time_s: FloatArray
    links: FloatArray
    goals: FloatArray
    torque: BoolArray
    goal_writes: tuple[GoalWrite, ...] = ()
    torque_writes: tuple[TorqueWrite, ...] = ()

    def between(self, begin_s: float, end_s: float) -> Truth:
        """What was from `begin_s` to `end_s` [s]."""
        first, last = np.searchsorted(self.time_s, (begin_s, end_s), side="left")
        return Truth(
            self.time_s[first:last],
            self.links[first:last],
            self.goals[first:last],
            self.torque[first:last],
            tuple(w for w in self.goal_writes if begin_s <= w.time_s < end_s),
            tuple(w for w in self.torque_writes if begin_s <= w.time_s < end_s),
        )


class TruthLog:
    """Collects samples and writes; take() hands them over and forgets them, so that a long run stays small."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, list[float], list[int], list[bool]]] = []
        self._goals: list[GoalWrite] = []
        self._torques: list[TorqueWrite] = []

    def sample(self, time_s: float, links: Sequence[float], goals: Sequence[int], torque: Sequence[bool]) -> None:
        """Note where every servo is at `time_s` [s]: link [ticks], goal register [ticks], whether its motor drives."""
        self._samples.append((time_s, list(links), list(goals), list(torque)))

    def goal(self, time_s: float, column: int, ticks: int, time_ms: int) -> None:
        """Note a goal that has arrived at `time_s` [s]."""
        self._goals.append(GoalWrite(time_s, column, ticks, time_ms))

    def torque(self, time_s: float, column: int, enabled: bool) -> None:
        """Note a torque switch that has arrived at `time_s` [s]."""
        self._torques.append(TorqueWrite(time_s, column, enabled))

    def truth(self) -> Truth:
        """Everything since the beginning, or since take()."""
        samples = list(self._samples)  # servos of another thread may go on writing
        width = len(samples[0][1]) if samples else 0
        shape = (len(samples), width)
        links: NDArray[np.float64] = np.array([s[1] for s in samples], dtype=np.float64).reshape(shape)
        goals: NDArray[np.float64] = np.array([s[2] for s in samples], dtype=np.float64).reshape(shape)
        torque: NDArray[np.bool_] = np.array([s[3] for s in samples], dtype=np.bool_).reshape(shape)
        times = np.array([s[0] for s in samples], dtype=np.float64)
        return Truth(times, links, goals, torque, tuple(self._goals), tuple(self._torques))

    def take(self) -> Truth:
        """As truth(), and forget it."""
        truth = self.truth()
        self._samples, self._goals, self._torques = [], [], []
        return truth
