"""Plays a recorded motion on an arm: everything goes through the daemon, hence through its governor."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dofbot_ros.core.clock import Clock
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import ARM_JOINTS, GRIP, FloatArray
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.motion_events import Event, MotionEvent
from dofbot_ros.driver.snapshot import Snapshot
from dofbot_ros.errors import CommandRefusedError, DofbotError, InputError
from dofbot_ros.record.motion import RecordedMotion
from dofbot_ros.safety.states import ArmState

CONNECT_S = 5.0
MOVE_S = 20.0
"""No move to the start, and no coming to rest, takes longer [s]."""
SETTLE_S = 0.3
"""Servos reach what they were told this much after they were told it [s]."""
MAX_LAG_S = 0.5


@dataclass(frozen=True)
class ReplayResult:
    """How a replay went.

    Attributes:
        duration_s: of the replay [s].
        points: joint positions that were sent.
        told: how many of them had been commands; the others are where the arm was.
        clamped: points that the governor changed.
        clamped_by: of these, how many by which limit, and where.
        rms_error_rad, max_error_rad: of the arm joints, against where they were in the recording at the same moment
            (against what they were told, where the recording does not say) [rad].
        lag_s: by how much the arm came later than in the recording, on the whole [s].
        rms_error_without_lag_rad: the error that is left when that is taken out [rad].
    """

    duration_s: float
    points: int
    told: int
    clamped: int
    clamped_by: dict[str, dict[str, int]]
    rms_error_rad: float
    max_error_rad: float
    lag_s: float
    rms_error_without_lag_rad: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


class Replay:
    """One motion on one arm, stepped in the caller's thread.

    Args:
        daemon: of the arm; not connected yet.
        clock: of its backend.
        motion: to play.
        speed: of the recording; 1 as it was.

    Attributes:
        time_s: how far it is, in the recording's time [s].
    """

    def __init__(self, daemon: ArmDaemon, clock: Clock, motion: RecordedMotion, speed: float = 1.0) -> None:
        if not 0.0 < speed < math.inf:
            raise InputError(f"a speed must be positive and finite, got {speed}")
        self._daemon, self._clock, self._motion, self._speed = daemon, clock, motion, speed
        self._rate = Rate(clock, daemon.config.control_rate_hz)
        self._ended: dict[int, MotionEvent] = {}
        self.time_s = 0.0

    def go_to_start(self) -> None:
        """Connect, switch torque on, and move softly from where the arm is to where the recording starts.

        Raises:
            DofbotError: there is no arm, or it does not get there; with the reason.
        """
        self._step_until(lambda s: s.state is not ArmState.DISCONNECTED, CONNECT_S, "connected")
        self._daemon.set_torque(True)
        soft_until = self._clock.now() + self._daemon.config.soft_start_s
        if self._motion.gaps:
            self._daemon.gripper(self._motion.gaps[0][1])
        number = self._daemon.move_joints(self._motion.wanted(0.0), "start of the recording")
        self._step()
        self._step_until(lambda s: s.state is not ArmState.ACTIVE, MOVE_S, "at the start of the recording")
        ended = self._ended.get(number)
        if ended is None or not ended.succeeded:
            reason = self._daemon.snapshot().reason if ended is None else ended.reason
            raise CommandRefusedError(f"the arm does not get to the start of the recording: {reason}")
        # A slow start is for the move there; the recording is to be played as it was.
        self._step_until(lambda _: self._clock.now() >= soft_until, MOVE_S, "ready")
        self._settle()

    def play(self, after_cycle: Callable[[], None] = lambda: None) -> ReplayResult:
        """Play the recording and come to rest.

        Args:
            after_cycle: called once a control period, to show progress.

        Raises:
            CommandRefusedError: the arm went into FAULT or ESTOP on the way, or away; with the reason.
        """
        times: list[float] = []
        measured: list[FloatArray] = []
        told, points, clamped = 0, 0, 0
        clamped_by: dict[str, Counter[str]] = defaultdict(Counter)
        gaps = list(self._motion.gaps[1:])
        begun = self._clock.now()
        while (now := self._clock.now()) - begun <= self._motion.duration_s / self._speed:
            self.time_s = (now - begun) * self._speed
            try:
                self._daemon.stream(self._motion.wanted(self.time_s), now, ARM_JOINTS)
                while gaps and gaps[0][0] <= self.time_s:
                    self._daemon.gripper(gaps.pop(0)[1])
            except CommandRefusedError as refused:
                snapshot = self._step()
                why = f"{snapshot.state.value}: {snapshot.reason}" if snapshot.reason else str(refused)
                raise CommandRefusedError(f"the replay ended after {self.time_s:.1f} s: {why}") from refused
            snapshot = self._step()
            points += 1
            told += bool(self._motion.told(self.time_s).any())
            clamped += bool(snapshot.limited)
            for reason in snapshot.limited:
                limit, _, where = reason.partition(": ")
                # "velocity limit: joint1, joint2"; "workspace: forearm too near the table: by 2.1 mm"
                clamped_by[limit].update(where.split(":")[0].split(", "))
            reading = snapshot.reading
            if reading is not None and reading.fresh[:GRIP].all() and reading.stamp_s >= begun:
                times.append((reading.stamp_s - begun) * self._speed)
                measured.append(reading.position[:GRIP])
            after_cycle()
        duration_s = self._clock.now() - begun
        self._settle()
        errors = _errors(self._motion, np.array(times), np.array(measured).reshape(-1, GRIP), self._speed)
        return ReplayResult(
            duration_s,
            points,
            told,
            clamped,
            {limit: dict(where.most_common()) for limit, where in clamped_by.items()},
            *errors,
        )

    def _step(self) -> Snapshot:
        self._rate.wait()
        snapshot = self._daemon.step()
        self._ended |= {event.motion: event for event in snapshot.events if event.event is Event.ENDED}
        return snapshot

    def _settle(self) -> None:
        self._daemon.stop()
        self._step()
        self._step_until(lambda s: s.state is not ArmState.ACTIVE, MOVE_S, "at rest")
        rest_until = self._clock.now() + SETTLE_S
        self._step_until(lambda _: self._clock.now() >= rest_until, MOVE_S, "at rest")

    def _step_until(self, done: Callable[[Snapshot], bool], at_most_s: float, what: str) -> None:
        limit = self._clock.now() + at_most_s
        while not done(snapshot := self._step()):
            if self._clock.now() > limit:
                raise DofbotError(
                    f"the arm is not {what} within {at_most_s:g} s: {snapshot.reason or snapshot.state.value}"
                )


def _errors(motion: RecordedMotion, times: FloatArray, measured: FloatArray, speed: float) -> tuple[float, ...]:
    """rms and largest error [rad], lag [s] and the rms error without it [rad]; nan when nothing was measured."""
    if len(times) == 0:
        return (float("nan"),) * 4

    def error(lag_s: float) -> FloatArray:
        then = times - lag_s * speed
        return measured - (motion.measured(then)[:, :GRIP] if motion.has_states else motion.wanted(then))

    lags = np.arange(0.0, MAX_LAG_S, 0.01)
    rms = [float(np.sqrt(np.mean(error(lag) ** 2))) for lag in lags]
    best = int(np.argmin(rms))
    return rms[0], float(np.abs(error(0.0)).max()), float(lags[best]), rms[best]
