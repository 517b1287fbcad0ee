"""A grasp trial: one object is lifted and held, a judge says what came of it, and the object is put back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.safety.states import ArmState
from dofbot_ros.trials.arm import Look, TrialArm
from dofbot_ros.trials.judge import Outcome, SuccessDetector, TrialOutcome
from dofbot_ros.trials.placement import PickProtocol, PlacedObject, Placement
from dofbot_ros.trials.protocol import NoGraspError
from dofbot_ros.trials.strategies.strategy import Attempt, PickStrategy


@dataclass(frozen=True)
class PickRecord:
    """What came of a trial: one line of trials.jsonl.

    Attributes:
        condition: its name.
        number: 0, 1, ... within the condition.
        objects: where they stood; the one to be lifted first.
        outcome: how it ended.
        judge: who said so.
        reason: why there was no grasp, or what was refused; "" otherwise.
        thing: the object that was lifted, where the judge knows.
        rise_mm: of the object that rose most, where the judge measured it.
        gap_mm: where the fingers stood after lifting; None where it did not come to that.
        plan: what the planner decided; places in base_link [m].
        plan_ms: from image to plan, wall time.
        arm_s: the arm's time from the first look to the judge's word, without what a person took.
        started: date and time, UTC.
        episode: name of the recording in the folder episodes; "" without one.
    """

    condition: str
    number: int
    objects: tuple[PlacedObject, ...]
    outcome: Outcome
    judge: str
    reason: str = ""
    thing: str = ""
    rise_mm: float | None = None
    gap_mm: float | None = None
    plan: dict[str, Any] = field(default_factory=dict)
    plan_ms: float | None = None
    arm_s: float | None = None
    started: str = ""
    episode: str = ""

    @property
    def label(self) -> str:
        """Condition and number, as Placement.label."""
        return f"{self.condition}-{self.number:03d}"

    @property
    def lifted(self) -> bool | None:
        """Whether it counts as a success; None where it does not count."""
        return None if self.outcome == "skipped" else self.outcome == "lifted"

    success = lifted


class PickTask:
    """One grasp trial: the object is lifted, held, judged, and put back; see TrialTask.

    Args:
        arm: where it is run.
        strategy: plans and grasps.
        judge: who says what came of it.
        protocol: what counts.
        placement: what it begins with.
        set_up: puts the objects there, or has them put there; False to skip the trial.
    """

    def __init__(
        self,
        arm: TrialArm,
        strategy: PickStrategy,
        judge: SuccessDetector,
        protocol: PickProtocol,
        *,
        placement: Placement,
        set_up: Callable[[Placement], bool],
    ) -> None:
        self._arm = arm
        self._strategy = strategy
        self._judge = judge
        self._hold_s = protocol.hold_s
        self._placement = placement
        self._set_up = set_up
        self._begin_s = 0.0
        self._outcome: TrialOutcome | None = None
        self._facts: dict[str, Any] = {
            "condition": placement.condition,
            "number": placement.number,
            "objects": placement.objects,
            "judge": judge.name,
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }

    def set_up(self) -> bool:
        """See TrialTask.set_up."""
        return self._set_up(self._placement)

    def begin(self, look: Look, begin_s: float) -> None:
        """See TrialTask.begin."""
        self._begin_s = begin_s
        self._judge.before(self._arm, look)

    def plan(self, look: Look) -> None:
        """See TrialTask.plan."""
        begun = time.perf_counter()
        self._facts["plan"] = self._strategy.plan(self._arm, look, self._placement.target)
        self._facts["plan_ms"] = 1e3 * (time.perf_counter() - begun)

    def pick(self) -> Attempt:
        """See TrialTask.pick."""
        return self._strategy.pick(self._arm)

    def lifted(self, attempt: Attempt) -> None:
        """See TrialTask.lifted: holds the object up and lets the judge decide."""
        self._facts["gap_mm"] = 1e3 * attempt.gap_m
        self._arm.rest(self._hold_s)
        self._facts["arm_s"] = self._arm.now_s() - self._begin_s
        self._outcome = self._judge.after(self._arm, attempt)

    def refused(self, error: CommandRefusedError) -> None:
        """See TrialTask.refused: what comes after the judge's word changes nothing about it."""
        if self._outcome is None:
            broken = self._arm.state in (ArmState.FAULT.value, ArmState.ESTOP.value)
            self._outcome = TrialOutcome("fault" if broken else "refused")
            self._facts["reason"] = str(error)

    def again(self, look: Look) -> bool:  # noqa: ARG002
        """See TrialTask.again: a grasp is tried once."""
        return False

    def ended(self, error: NoGraspError | None) -> PickRecord:
        """See TrialTask.ended."""
        if error is not None:
            self._facts["reason"] = str(error)
        outcome = self._outcome or TrialOutcome("no grasp")
        rise_mm = None if outcome.rise_m is None else 1e3 * outcome.rise_m
        return PickRecord(**self._facts, outcome=outcome.outcome, thing=outcome.thing, rise_mm=rise_mm)

    def skipped(self) -> PickRecord:
        """See TrialTask.skipped."""
        return PickRecord(**self._facts, outcome="skipped")
