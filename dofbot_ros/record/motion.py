"""What an episode says of the arm's motion: where it was, what it was told, what the gripper was to do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.gripper import MAX_GAP, joint_to_gap
from dofbot_ros.core.types import ARM_JOINTS, GRIP_JOINT, JOINT_NAMES, N_JOINTS, BoolArray, FloatArray
from dofbot_ros.errors import CommandRefusedError, InputError
from dofbot_ros.motion.trajectory import Sample, Trajectory
from dofbot_ros.record.reader import Episode, Recorded, understood
from dofbot_ros.record.timing import times_made
from dofbot_ros.record.topics import GRIPPER, JOINT_STATES, JOINT_STREAM, JOINT_TRAJECTORY

STREAM_PAUSE_S = 0.2
"""A streamed point that no other follows within this time has been a last one: the driver's command_timeout_s."""
NOT_CARRIED_OUT = 0.5
"""A command this far from where the arm was has not been carried out: the driver's tracking_error [rad]."""
TRAJECTORY_STEP_S = 0.02
MAX_TRAJECTORY_S = 600.0
"""Longest that a trajectory is followed when no other command ends it [s]."""
MAX_DURATION_S = 4 * 3600.0
"""Longest motion that is read: beyond it stamps jump, or the file is no episode [s]."""
GAP_STEP = 0.0005
"""Smaller changes of the gripper's gap are noise [m]."""

_Points = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, eq=False)
class Curve:
    """One joint over time.

    Attributes:
        times: [s] shape (n,), strictly increasing; n may be 0.
        values: [rad] shape (n,).
    """

    times: FloatArray
    values: FloatArray

    def at(self, times: FloatArray | float) -> FloatArray:
        """Values at `times` [s] (k,), straight between those that are known; nan when none is."""
        if self.times.size == 0:
            return np.full(np.shape(times), np.nan)
        return np.asarray(np.interp(times, self.times, self.values))

    def last(self, times: FloatArray) -> FloatArray:
        """The last value that was known at each of `times` [s] (k,), those of the future left aside; nan before any."""
        i = np.searchsorted(self.times, times, side="right") - 1
        return np.asarray(np.append(self.values, np.nan)[np.where(i < 0, self.values.size, i)])

    def alive(self, times: FloatArray) -> BoolArray:
        """Whether each of `times` [s] (k,) lies between two values no further apart than STREAM_PAUSE_S."""
        if self.times.size < 2:
            return np.zeros(np.shape(times), dtype=bool)
        i = np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, self.times.size - 2)
        inside = (times >= self.times[0]) & (times <= self.times[-1])
        return np.asarray(inside & (self.times[i + 1] - self.times[i] <= STREAM_PAUSE_S))


class RecordedMotion:
    """The motion of an episode; times are seconds since its first joint state or joint command.

    Args:
        episode: to take it from.

    Attributes:
        start_s: when it begins, on the recorder's clock [s].
        duration_s: [s].
        gaps: when the gripper was told to go to which gap, ([s], [m]), in order. Where it was told nothing: the gaps
            that it had.
        has_states: whether the episode says where the arm was.

    Raises:
        InputError: nothing in it says how the arm moved, or for longer than MAX_DURATION_S.
    """

    def __init__(self, episode: Episode) -> None:
        messages = list(episode.messages(JOINT_STATES, JOINT_STREAM, JOINT_TRAJECTORY, GRIPPER))
        with understood(episode.path, "its joint states or commands"):
            made = times_made(messages)
            _check_span(episode, made)
            moments = [(float(made[i]), messages[i]) for i in np.argsort(made, kind="stable")]
            self._measured = _measured(moments)
            self._told = _told(moments, self._measured)
        self.has_states = all(self._measured[name].times.size for name in ARM_JOINTS)
        if not self.has_states and not all(self._told[name].times.size for name in ARM_JOINTS):
            found = " ".join(", ".join(sorted(episode.counts)).split())[:300] or "no message"
            raise InputError(
                f"{episode.path} does not say how the arm moved: no {JOINT_STATES} and no {JOINT_STREAM} "
                f"of {', '.join(ARM_JOINTS)} is among what it holds ({found})"
            )
        known = [c.times for curves in (self._measured, self._told) for c in curves.values() if c.times.size]
        self.start_s = float(min(times[0] for times in known))
        self.duration_s = float(max(times[-1] for times in known)) - self.start_s
        with understood(episode.path, f"its messages on {GRIPPER}"):
            gaps = _gaps(moments, self._told[GRIP_JOINT], self._measured[GRIP_JOINT])
        self.gaps = [(max(0.0, time_s - self.start_s), gap) for time_s, gap in gaps]

    def measured(self, times: ArrayLike) -> FloatArray:
        """Where all joints were [rad] at `times` [s] (n,), shape (n, 6); nan where the episode does not say."""
        return np.stack([self._measured[name].at(self._absolute(times)) for name in JOINT_NAMES], axis=-1)

    def last_measured(self, times: ArrayLike) -> FloatArray:
        """Where all joints had been read to be [rad] last at `times` [s] (n,), (n, 6); nan before known_from_s."""
        return np.stack([self._measured[name].last(self._absolute(times)) for name in JOINT_NAMES], axis=-1)

    @property
    def known_from_s(self) -> float:
        """From when on all joints have been read [s]; inf where the episode does not say where each was."""
        curves = self._measured.values()
        return max(c.times[0] if c.times.size else math.inf for c in curves) - self.start_s

    def wanted(self, times: ArrayLike) -> FloatArray:
        """Where the arm joints were to be [rad] at `times` [s] (n,), shape (n, 5).

        That is what they were told while joint commands came in and the arm carried them out. Otherwise (moved home, by
        a pose, by hand; a command that was refused) it is where they were.
        """
        commands = self._commands(times)
        if not self.has_states:
            return commands
        return np.where(self.told(times), commands, self._positions(times))

    def told(self, times: ArrayLike) -> BoolArray:
        """Which arm joints followed a joint command at `times` [s] (n,), shape (n, 5)."""
        alive = np.stack([self._told[name].alive(self._absolute(times)) for name in ARM_JOINTS], axis=-1)
        if not self.has_states:
            return alive
        near = np.abs(self._commands(times) - self._positions(times)) < NOT_CARRIED_OUT
        return np.asarray(alive & near.all(axis=-1, where=alive)[..., None])

    def _commands(self, times: ArrayLike) -> FloatArray:
        return np.stack([self._told[name].at(self._absolute(times)) for name in ARM_JOINTS], axis=-1)

    def _positions(self, times: ArrayLike) -> FloatArray:
        return self.measured(times)[..., : len(ARM_JOINTS)]

    def _absolute(self, times: ArrayLike) -> FloatArray:
        return np.asarray(times, dtype=np.float64) + self.start_s


def _check_span(episode: Episode, made: FloatArray) -> None:
    span_s = float(np.ptp(made)) if made.size else 0.0
    if span_s > MAX_DURATION_S:
        raise InputError(
            f"{episode.path}: its messages span {span_s / 3600:.1f} h, a motion has at most {MAX_DURATION_S / 3600:g}: "
            "was the clock set while it was recorded?"
        )


def _measured(moments: Iterable[tuple[float, Recorded]]) -> dict[str, Curve]:
    points: _Points = {name: [] for name in JOINT_NAMES}
    for time_s, message in moments:
        if message.topic == JOINT_STATES:
            _add(points, time_s, message.content.name, message.content.position)
    return _curves(points)


def _told(moments: Iterable[tuple[float, Recorded]], measured: Mapping[str, Curve]) -> dict[str, Curve]:
    """Streamed points, and trajectories as if they had been streamed."""
    points: _Points = {name: [] for name in JOINT_NAMES}
    commands = [(t, m) for t, m in moments if m.topic in (JOINT_STREAM, JOINT_TRAJECTORY)]
    ends = [following for _, (following, _) in pairwise(commands)] + [math.inf]
    for (time_s, message), end_s in zip(commands, ends, strict=False):
        content = message.content
        if message.topic == JOINT_STREAM:
            for point in content.points[:1]:
                _add(points, time_s, content.joint_names, point.positions)
        else:
            for at_s, positions in _sampled(content, time_s, end_s, measured):
                _add(points, at_s, content.joint_names, positions)
    return _curves(points)


def _sampled(
    message: Any, start_s: float, end_s: float, measured: Mapping[str, Curve]
) -> list[tuple[float, FloatArray]]:
    """Moments of a trajectory message, until it ends or the next command comes; none where it is no trajectory."""
    if not message.points or not set(message.joint_names) <= set(JOINT_NAMES):
        return []
    columns = [JOINT_NAMES.index(name) for name in message.joint_names]
    start = np.nan_to_num([float(measured[name].at(start_s)) for name in JOINT_NAMES])
    positions = np.tile(start, (len(message.points), 1))
    velocities = np.zeros_like(positions)
    with_velocities = any(len(point.velocities) for point in message.points)
    try:
        for row, point in enumerate(message.points):
            positions[row, columns] = point.positions
            velocities[row, columns] = point.velocities if with_velocities else 0.0
        times = [p.time_from_start.sec + 1e-9 * p.time_from_start.nanosec for p in message.points]
        at_rest = Sample(start, np.zeros(N_JOINTS))
        trajectory = Trajectory(times, positions, velocities if with_velocities else None, at_rest)
    except (CommandRefusedError, ValueError):
        return []  # the arm has not carried it out either
    last = min(trajectory.duration_s, max(0.0, end_s - start_s), MAX_TRAJECTORY_S)
    at = np.append(np.arange(0.0, last, TRAJECTORY_STEP_S), last)
    return [(start_s + t, q) for t, q in zip(at.tolist(), trajectory.sample(at).position[:, columns], strict=True)]


def _gaps(moments: Iterable[tuple[float, Recorded]], told: Curve, measured: Curve) -> list[tuple[float, float]]:
    """When the gripper was told which gap; where it was when it was told none. Only what it can do, and no noise."""
    gaps = [(time_s, float(m.content.data)) for time_s, m in moments if m.topic == GRIPPER]
    curve = told if gaps or told.times.size else measured
    gaps += [(t, joint_to_gap(q)) for t, q in zip(curve.times.tolist(), curve.values.tolist(), strict=True)]
    result: list[tuple[float, float]] = []
    for time_s, gap in sorted(gaps):
        if 0.0 <= gap <= MAX_GAP and (not result or abs(gap - result[-1][1]) >= GAP_STEP):
            result.append((time_s, gap))
    return result


def _add(points: _Points, time_s: float, names: Iterable[str], values: Iterable[float]) -> None:
    """Append what is a number and comes after what is there."""
    for name, value in zip(names, values, strict=False):
        row = points.get(name)
        if row is not None and math.isfinite(value) and (not row or time_s > row[-1][0]):
            row.append((time_s, float(value)))


def _curves(points: _Points) -> dict[str, Curve]:
    return {name: Curve(*np.array(rows, dtype=np.float64).reshape(-1, 2).T.copy()) for name, rows in points.items()}
