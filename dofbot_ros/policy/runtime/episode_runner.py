"""Runs of a policy, from start to stop: to the ready pose, then the policy; what the arm is told in each period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np

from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.policy.runtime.controller import End, PolicyController
from dofbot_ros.safety.states import ArmState

APPROACH_SPEED = 0.8
"""Of the furthest joint on the way to the ready pose [rad/s]."""

SHORTEST_APPROACH_S = 1.0
AT_READY = 0.10
"""An arm with no joint further than this from the ready pose has arrived [rad]."""

APPROACH_SLACK_S = 20.0
"""So much later than planned the arm may arrive there [s]."""

COMMANDABLE = (ArmState.ACTIVE.value, ArmState.HOLD.value)


class Phase(str, Enum):
    """Where a session is."""

    IDLE = "idle"
    APPROACHING = "approaching"
    RUNNING = "running"


@dataclass(frozen=True)
class MoveCommand:
    """Move to `position` [rad] (6,) within `seconds` and rest there."""

    position: list[float]
    seconds: float


@dataclass(frozen=True)
class StreamCommand:
    """Be at `position` [rad] (6,) one period from now."""

    position: FloatArray


@dataclass(frozen=True)
class HaltCommand:
    """Brake and hold."""


Command: TypeAlias = MoveCommand | StreamCommand | HaltCommand


class EpisodeRunner:
    """Decides what to command; its owner passes commands to the arm, and joints and detections to the controller.

    Args:
        controller: the policy.

    Attributes:
        phase: where it is.
        ended: why the last run ended; "" before the first, and while one goes on.
        runs, reached: how many began, and how many reached their goal.
        started_s: when the run began [s].
    """

    def __init__(self, controller: PolicyController) -> None:
        self.controller = controller
        self.phase = Phase.IDLE
        self.ended = ""
        self.runs = self.reached = 0
        self.started_s = 0.0
        self._place: tuple[float, ...] = ()
        self._ready: list[float] = []
        self._order: MoveCommand | None = None
        self._deadline_s = 0.0
        self._primed = False

    def start(self, now_s: float, arm: str, place: Sequence[float] = ()) -> None:
        """Begin a run.

        Args:
            now_s: on the arm's clock [s].
            arm: its state.
            place: of the goal in base_link [m], as PolicyController.start() takes it.

        Raises:
            CommandRefusedError: one is under way, the arm obeys nobody, or something is not known.
            InputError: no goal of this task.
        """
        if self.phase is not Phase.IDLE:
            raise CommandRefusedError(f"a run is under way ({self.phase.value}): stop it first")
        if why := unwilling(arm):
            raise CommandRefusedError(why)
        self.controller.start(now_s, place)
        self._place, self._ready = tuple(place), self.controller.ready_pose()
        away = self._away()
        seconds = max(SHORTEST_APPROACH_S, away / APPROACH_SPEED)
        self._order = MoveCommand(self._ready, seconds) if away > AT_READY else None
        self._primed = False
        self._deadline_s = now_s + seconds + APPROACH_SLACK_S
        self.phase, self.ended, self.started_s = Phase.APPROACHING, "", now_s
        self.runs += 1

    def use(self, robot: Robot) -> None:
        """Drive `robot` from the next run on; a run that is under way ends on the arm that it began with."""
        if self.phase is Phase.IDLE and robot is not self.controller.robot:
            self.controller.use(robot)

    def stop(self, why: str) -> HaltCommand | None:
        """End the run that is under way, if any."""
        if self.phase is Phase.IDLE:
            return None
        self.phase, self.ended = Phase.IDLE, why
        return HaltCommand()

    def cycle(self, now_s: float, arm: str) -> Command | None:
        """One period: what the arm is to be told.

        Args:
            now_s: on the arm's clock [s].
            arm: its state; "" when it says nothing.
        """
        if self.phase is Phase.IDLE:
            return None
        if why := unwilling(arm):
            return self.stop(why)
        if self.phase is Phase.APPROACHING:
            return self._approach(now_s, arm)
        return self._run(now_s)

    def _approach(self, now_s: float, arm: str) -> Command | None:
        if self._order is not None:
            order, self._order = self._order, None
            return order
        if now_s > self._deadline_s:
            return self.stop("the arm has not come to the pose where runs begin: see the driver's last refusal")
        if not self._primed:
            if self._away() > AT_READY or arm != ArmState.HOLD.value:
                return None
            self._primed = True
            # A stream takes its velocity from the point before: with this one the arm is not late from the first on.
            return StreamCommand(np.array(self._ready))
        try:
            self.controller.start(now_s, self._place, self._ready)
        except DofbotError as error:
            return self.stop(str(error))
        self.phase, self.started_s = Phase.RUNNING, now_s
        return self._run(now_s)

    def _run(self, now_s: float) -> Command | None:
        step = self.controller.step(now_s)
        if step.command is not None:
            return StreamCommand(step.command)
        end = step.end or End.TIMED_OUT
        self.reached += end is End.REACHED
        return self.stop(": ".join(filter(None, (end.value, step.detail))))

    def _away(self) -> float:
        return max(abs(q - r) for q, r in zip(self.controller.measured, self._ready, strict=True))


def unwilling(arm: str) -> str:
    """Why an arm in this state obeys nobody, "" when it does."""
    if arm in COMMANDABLE:
        return ""
    if arm == ArmState.IDLE.value:
        return "the arm is IDLE: its torque is off, call enable_torque first"
    return f"the arm is {arm}" if arm else "the arm says nothing"
