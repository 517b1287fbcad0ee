"""When to send which goals: turns a 50 Hz stream of goals into fewer, longer moves that bus servos can glide through.

A goal restarts a servo's motion profile, so many goals with short times make the arm shake. Here goals go out at a
lower rate, each with a time that reaches past the next one, in whole ticks, and none for a change that the servo would
not show. Writes are not acknowledged: a servo that rests beside its goal is told again, a few times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from dofbot_ros.config.ranges import Checked, Count, Positive, Range
from dofbot_ros.core.types import BoolArray, FloatArray
from dofbot_ros.hardware.move_estimate import MoveEstimate, Ticks

LATE_S = 0.05
"""A servo that heard all its goals was read where they should have brought it at some time of so long ago [s]."""
STOOD_STILL_S = 0.2
"""After so long without a look at the goals this computer must have stood still: nobody wants them any more [s]."""
ASTRAY_TICKS = 15
"""One that is farther than this from there has missed some of them [ticks]."""
IMPLAUSIBLE_TICKS = 420
"""One that is farther than this cannot be: it would have been noticed long before, so that its sensor lies [ticks]."""
SPEED_SLACK = 1.05
"""A servo that has to catch up is asked to turn at most this much faster than the joint velocity limit."""


@dataclass(frozen=True)
class StreamConfig(Checked):
    """How goals are streamed.

    Attributes:
        write_rate_hz: goals go out at most this often [1/s].
        overlap: length of a move in intervals between goals; above 1 a servo is still moving when the next one comes.
        dead_band_ticks: a change smaller than this is not sent [ticks].
        soft_start_s: for so long after the first move since connecting or switching torque, moves are soft [s].
        soft_speed: the mean speed that a soft move has at most, by default 1 rad/s [ticks/s].
        resend_beyond_ticks: a servo at rest farther than this from its goal is told again [ticks].
        resend_after_s: how long after a move should have ended the servo counts as at rest [s].
        resends: how often at most, for one goal.
    """

    write_rate_hz: Positive = 25.0
    overlap: Annotated[float, Range(1.0)] = 1.5
    dead_band_ticks: Count = 2
    soft_start_s: float = 1.0
    soft_speed: Positive = 700.0
    resend_beyond_ticks: int = 8
    resend_after_s: float = 0.2
    resends: int = 2

    @property
    def interval_s(self) -> float:
        """Between two goals [s]."""
        return 1.0 / self.write_rate_hz


@dataclass(frozen=True)
class Move:
    """What is to be sent now: all six goals [ticks], which of them are to be sent, and the time of each [ms]."""

    goals: Ticks
    changed: BoolArray
    time_ms: Ticks


class GoalStreamer:
    """Decides what goes out, of goals that come in at any rate. Owns no clock and no port.

    Args:
        config: rates and thresholds.
        max_speed: fastest that a joint is asked to move, in angles a second: a servo that missed a goal, or was held
            back, takes its time for the way it has left.
        angles: of ticks (6,), in any unit; the ticks themselves by default.
    """

    def __init__(
        self,
        config: StreamConfig,
        max_speed: float = np.inf,
        angles: Callable[[FloatArray], FloatArray] = lambda ticks: ticks,
    ) -> None:
        self._config = config
        self._max_speed = max_speed
        self._angles = angles
        self._wanted: Ticks | None = None
        self._wanted_s = self._due_s = self._looked_s = -np.inf
        self.start(np.zeros(6, dtype=np.int64))

    def limit_speed(self, max_speed: float) -> None:
        """Ask no joint to move faster than this, in angles a second, from now on."""
        self._max_speed = max_speed

    def start(self, present: Ticks) -> None:
        """Begin anew from `present` [ticks] (6,): forget all goals, and be soft at first."""
        self.sent: Ticks = present.copy()
        """The last goals that went out [ticks], shape (6,); before the first, where the servos were."""
        self._wanted = None
        self._estimate = MoveEstimate(present)
        self.ever_sent = np.zeros(len(present), dtype=np.bool_)
        """Servos that a goal went out to since then, shape (6,)."""
        self._soft_until_s: float | None = None
        self._next_s = -np.inf
        self._rest_s = np.inf
        self._resends_left = 0

    def hold(self, time_s: float, now: float) -> None:
        """The goals that start() was given went out at `now`, for `time_s` [s], and are not sent again.

        A joint whose sensor lies moves to where it says; a goal said again with a short time would make that a jump.
        """
        every = np.ones(len(self.sent), dtype=np.bool_)
        self.ever_sent = every
        self._estimate.sent(self.sent, every, time_s, now)
        self._rest_s, self._resends_left = now + time_s + self._config.resend_after_s, self._config.resends
        self._soft_until_s = now + self._config.soft_start_s

    def want(self, goals: Ticks, duration_s: float, now: float) -> None:
        """Take new goals [ticks] (6,), to be reached in `duration_s` [s]."""
        self._wanted = goals
        self._wanted_s, self._due_s = now, now + duration_s
        self._looked_s = now

    def expected(self, now: float) -> FloatArray:
        """Where the servos should be at `now` [ticks] (6,), by the goals that went out."""
        return self._estimate.at(now)

    def arrived(self, now: float) -> BoolArray:
        """Servos that should rest at the goal that went out last (6,)."""
        return self._estimate.arrived(now)

    def left_waiting(self, now: float) -> bool:
        """Whether no newer goals have come for an interval: then nobody streams, and what was held back should go.

        But not after this computer has stood still: the servos have come to rest since, and the goals are forgotten.
        """
        if now - self._looked_s >= STOOD_STILL_S:
            self._wanted = None
        self._looked_s = now
        return self._wanted is not None and now - self._wanted_s >= self._config.interval_s

    def next_move(
        self, present: Ticks, fresh: BoolArray, now: float, *, silent: BoolArray | None = None, urgent: bool = False
    ) -> Move | None:
        """What to send at `now`, if anything; it then counts as sent.

        Args:
            present: last readings [ticks] (6,).
            fresh: which of them are of this cycle (6,).
            now: [s].
            silent: servos that do not answer; they are sent nothing, since they might obey it later (6,).
            urgent: send before the next goal is due, and also what has been sent already.
        """
        if self._wanted is None or (now < self._next_s and not urgent):
            return None
        # Urgent goals are said to all, whether they heard the one before or not.
        changed = ~self.ever_sent | (np.abs(self._wanted - self.sent) >= self._config.dead_band_ticks) | urgent
        answering = np.ones(len(present), dtype=np.bool_) if silent is None else ~silent
        changed &= answering
        if changed.any():
            self._resends_left = self._config.resends
        else:
            changed = self._unheard(present, fresh, now) & answering
            if not changed.any():
                return None
            self._resends_left -= 1
        self.sent = np.where(changed, self._wanted, self.sent)
        self.ever_sent |= changed
        time_s = self._move_times(present, fresh, now, urgent)
        self._estimate.sent(self.sent, changed, time_s, now)
        # A tenth of an interval early counts as on time, or a 50 Hz loop would serve a 25 Hz stream at 16.7 Hz.
        self._next_s = now + 0.9 * self._config.interval_s
        self._rest_s = now + float(time_s[changed].max()) + self._config.resend_after_s
        return Move(self.sent, changed, np.rint(time_s * 1000.0).astype(np.int64))

    def _unheard(self, present: Ticks, fresh: BoolArray, now: float) -> BoolArray:
        """Servos that rest beside their goal, as if the goal had been lost on the way."""
        if now < self._rest_s or self._resends_left == 0:
            return np.zeros(len(present), dtype=np.bool_)
        beside: BoolArray = fresh & (np.abs(present - self.sent) > self._config.resend_beyond_ticks)
        return beside

    def _move_times(self, present: Ticks, fresh: BoolArray, now: float, urgent: bool) -> FloatArray:
        """The move time of each servo [s] (6,): one that has much way left takes longer, and holds no other up."""
        # An urgent goal is followed by the next one as soon as it is due itself.
        interval_s = self._due_s - now if urgent else self._config.interval_s
        time_s = np.full(len(present), max(self._due_s - now, self._config.overlap * interval_s))
        if self._soft_until_s is None:
            self._soft_until_s = now + self._config.soft_start_s
        if now < self._soft_until_s:
            time_s = np.maximum(time_s, np.abs(self.sent - present) / self._config.soft_speed)
        expected = self._estimate.at(now)
        # A servo starts a little late, and its reading is a little old: it is somewhere on the last bit of its way. One
        # that was not read may have missed every goal since it was, so it is given time for the longest way that it may
        # have left, but for goals that brake.
        before = self._estimate.at(now - LATE_S)
        off = np.maximum(np.minimum(before, expected) - present, present - np.maximum(before, expected))
        begin = np.where(fresh & (off > ASTRAY_TICKS) & (off < IMPLAUSIBLE_TICKS), present, expected)
        left = self._way(begin)
        if not urgent:
            left = np.where(fresh, left, np.maximum(self._way(before), self._way(present.astype(np.float64))))
        times_s: FloatArray = np.minimum(np.maximum(time_s, left / self._max_speed), 60.0)
        return times_s

    def _way(self, begin: FloatArray) -> FloatArray:
        """From `begin` [ticks] (6,) to the goals that went out, in angles."""
        way: FloatArray = np.abs(self._angles(self.sent.astype(np.float64)) - self._angles(begin))
        return way
