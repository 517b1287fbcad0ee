"""One grasp trial: look, plan, grasp, lift, hold, let the judge say what came of it, and put the object back."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.safety.states import ArmState
from dofbot_ros.trials.arm import Look, Pictures, TrialArm
from dofbot_ros.trials.judge import Outcome, SuccessDetector, TrialOutcome
from dofbot_ros.trials.placement import PickProtocol, PlacedObject, Placement
from dofbot_ros.trials.strategies.strategy import NoGraspError, PickStrategy, put_down


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


class PickTrial:
    """Runs grasp trials on one arm.

    Args:
        arm: where they are run.
        strategy: who plans and grasps.
        judge: who says what came of it.
        protocol: what counts.
        set_up: puts the objects there, or has them put there; False to skip the trial.
    """

    def __init__(
        self,
        arm: TrialArm,
        strategy: PickStrategy,
        judge: SuccessDetector,
        protocol: PickProtocol,
        set_up: Callable[[Placement], bool],
    ) -> None:
        self._arm = arm
        self._strategy = strategy
        self._judge = judge
        self._protocol = protocol
        self._set_up = set_up

    def run(self, placement: Placement) -> tuple[PickRecord, Pictures | None]:
        """One trial. One that fails is a record, not an error; a skipped one has no pictures.

        Raises:
            DofbotError: the arm or the camera cannot go on.
        """
        facts: dict[str, Any] = {
            "condition": placement.condition,
            "number": placement.number,
            "objects": placement.objects,
            "judge": self._judge.name,
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        self._arm.prepare()
        if not self._set_up(placement):
            return PickRecord(**facts, outcome="skipped"), None
        begin_s = self._arm.now_s()
        look = self._arm.look()
        self._judge.before(self._arm, look)
        try:
            judgement = self._attempt(look, placement.target, begin_s, facts)
        except NoGraspError as error:
            judgement, facts["reason"] = TrialOutcome("no grasp"), str(error)
        except CommandRefusedError as error:
            broken = self._arm.state in (ArmState.FAULT.value, ArmState.ESTOP.value)
            judgement, facts["reason"] = TrialOutcome("fault" if broken else "refused"), str(error)
        self._arm.prepare()
        pictures = Pictures(look.image, self._arm.look().image)
        rise_mm = None if judgement.rise_m is None else 1e3 * judgement.rise_m
        return PickRecord(**facts, outcome=judgement.outcome, thing=judgement.thing, rise_mm=rise_mm), pictures

    def _attempt(self, look: Look, target: str, begin_s: float, facts: dict[str, Any]) -> TrialOutcome:
        begun = time.perf_counter()
        facts["plan"] = self._strategy.plan(self._arm, look, target)
        facts["plan_ms"] = 1e3 * (time.perf_counter() - begun)
        attempt = self._strategy.pick(self._arm)
        facts["gap_mm"] = 1e3 * attempt.gap_m
        self._arm.rest(self._protocol.hold_s)
        facts["arm_s"] = self._arm.now_s() - begin_s
        judgement = self._judge.after(self._arm, attempt)
        # What comes after the judge's word changes nothing about it.
        with suppress(CommandRefusedError):
            put_down(self._arm, attempt)
        return judgement
