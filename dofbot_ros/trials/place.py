"""Pick and place: a block that the camera sees is taken to a free place on the table, in a few attempts at the most."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.grasp.planning.block_plan import GraspError
from dofbot_ros.trials.arm import Look, TrialArm
from dofbot_ros.trials.causes import Stage, cause_of
from dofbot_ros.trials.protocol import NoGraspError, ProtocolConfig, choose, judge, scene_seed
from dofbot_ros.trials.sight import ArmSight
from dofbot_ros.trials.strategies.markers import ArucoStrategy
from dofbot_ros.trials.strategies.strategy import Attempt


@dataclass
class PlaceRecord:
    """What came of a trial, filled in as it goes: one line of trials.jsonl.

    Attributes:
        number: 0, 1, ... in its series.
        scene_seed: of the blocks' places.
        block: which one was to be moved; "" before it is chosen.
        start: of that block as localised first, x, y [m], yaw [rad].
        target: x, y [m].
        placed: the judge's word, by the true pose; None where that is hidden.
        seen_placed: the same by the last image.
        reason: why not placed.
        setbacks: why the attempts before the last one failed.
        error_mm: distance from the target, by the true pose.
        seen_error_mm: the same by the last image.
        localisation_mm: distance of each localised block from its true place, at the first look.
        attempts: how often the block was gone for.
        missed: how often the fingers closed on nothing.
        gap_mm: where the fingers stood when they held the block.
        pick_tilt_deg, place_tilt_deg, roll_deg: of the tool in the last plan.
        block_off_mm: horizontal distance of the block as localised from its true place, before each attempt.
        not_believed: what was seen at the first look and not believed: block or marker -> why.
        stage: where the last attempt ended, as causes.Stage.
        cause: why it failed, as causes.cause_of tells it.
        cycle_s: arm time from the first look to the arm's return with the block placed, looking included.
        sight: what the look at the arm's own hand told; "" where it was not looked at.
    """

    number: int
    scene_seed: int
    block: str = ""
    start: tuple[float, float, float] | None = None
    target: tuple[float, float] | None = None
    placed: bool | None = None
    seen_placed: bool = False
    reason: str = ""
    setbacks: list[str] = field(default_factory=list)
    error_mm: float | None = None
    seen_error_mm: float | None = None
    localisation_mm: list[float] = field(default_factory=list)
    attempts: int = 0
    missed: int = 0
    gap_mm: float | None = None
    pick_tilt_deg: float | None = None
    place_tilt_deg: float | None = None
    roll_deg: float | None = None
    block_off_mm: list[float] = field(default_factory=list)
    not_believed: dict[str, str] = field(default_factory=dict)
    stage: Stage = ""
    cause: str = ""
    cycle_s: float | None = None
    sight: str = ""

    @property
    def success(self) -> bool | None:
        """Whether the block was placed; None where nobody knows."""
        return self.placed


class PlaceTask:
    """Trial `number` of a series of pick-and-place trials; see TrialTask.

    Args:
        arm: where it is run.
        strategy: plans and grasps.
        sight: aims by where the arm's hand truly is, and remembers that from trial to trial; None to aim as told.
        config: the conditions.
        seed: of the series.
        number: 0, 1, ... in the series.
    """

    def __init__(
        self,
        arm: TrialArm,
        strategy: ArucoStrategy,
        sight: ArmSight | None,
        config: ProtocolConfig,
        *,
        seed: int,
        number: int,
    ) -> None:
        self._arm = arm
        self._strategy = strategy
        self._sight = sight
        self._config = config
        self._rng = np.random.default_rng([seed, number, 1])
        self._record = PlaceRecord(number, scene_seed(seed, number))
        self._begin_s = 0.0

    def set_up(self) -> bool:
        """See TrialTask.set_up."""
        self._arm.reset_scene(self._record.scene_seed)
        return True

    def begin(self, look: Look, begin_s: float) -> None:
        """See TrialTask.begin: draws the block and its target."""
        record, self._begin_s = self._record, begin_s
        record.localisation_mm = self._localisation_errors(look)
        record.not_believed = dict(look.refused)
        if self._sight is not None and self._sight.registration is None:
            self._look_at_hand(self._sight)
        record.block, record.target = choose(self._rng, self._strategy.standing(self._corrected(look)), self._config)

    def plan(self, look: Look) -> None:
        """See TrialTask.plan."""
        record, look = self._record, self._corrected(look)
        record.attempts += 1
        self._note_belief(look)
        blocks = self._strategy.standing(look)
        if record.block in blocks and record.start is None:
            record.start = (blocks[record.block].x, blocks[record.block].y, blocks[record.block].yaw)
        aim = None if self._sight is None else partial(self._sight.aimed, missed=record.missed)
        try:
            _, plan = self._strategy.plan_move(blocks, record.block, record.target, aim)
        except GraspError as error:
            raise NoGraspError(str(error)) from error
        record.pick_tilt_deg, record.place_tilt_deg = math.degrees(plan.pick.tilt), math.degrees(plan.place.tilt)
        record.roll_deg = math.degrees(plan.pick.roll)

    def pick(self) -> Attempt:
        """See TrialTask.pick."""
        return self._strategy.pick(self._arm)

    def lifted(self, attempt: Attempt) -> None:
        """See TrialTask.lifted."""
        record, gap_mm = self._record, 1e3 * attempt.gap_m
        if attempt.held:
            record.gap_mm = gap_mm
        else:
            record.missed += 1
            record.reason, record.stage = f"the fingers closed on nothing ({gap_mm:.0f} mm)", "missed"

    def refused(self, error: CommandRefusedError) -> None:
        """See TrialTask.refused."""
        self._record.reason, self._record.stage = str(error), "refused"

    def again(self, look: Look) -> bool:
        """See TrialTask.again: until the block is seen at its target, or the attempts are used up."""
        record = self._record
        record.cycle_s = self._arm.now_s() - self._begin_s
        self._judge_seen(self._corrected(look))
        if record.seen_placed or record.attempts >= self._config.attempts:
            return False
        record.setbacks.append(record.reason)
        record.reason, record.stage = "", ""
        if self._sight is not None:
            self._look_at_hand(self._sight)
        return True

    def ended(self, error: NoGraspError | None) -> PlaceRecord:
        """See TrialTask.ended: judged by the true poses, where these are known."""
        record = self._record
        if error is not None:
            record.reason = str(error)
            record.stage = "no plan" if isinstance(error.__cause__, GraspError) else "not seen"
        if self._sight is not None:
            record.sight = self._sight.word
        self._judge_true()
        record.cause = cause_of(
            placed=record.placed,
            seen_placed=record.seen_placed,
            stage=record.stage,
            block_off_mm=record.block_off_mm,
        )
        return record

    def skipped(self) -> PlaceRecord:
        """See TrialTask.skipped."""
        return self._record

    def _look_at_hand(self, sight: ArmSight) -> None:
        try:
            sight.look_at_hand()
        except CommandRefusedError as error:
            self._record.setbacks.append(f"while the arm looked at its hand: {error}")
            self._arm.prepare()

    def _corrected(self, look: Look) -> Look:
        """The look with its blocks where they truly are, as far as the looks at the hand told."""
        return look if self._sight is None else self._sight.corrected(look)

    # -- judging -----------------------------------------------------------------------------------------------------

    def _localisation_errors(self, look: Look) -> list[float]:
        truth = self._arm.truth()
        if truth is None:
            return []
        return [1e3 * _distance(pose, truth[name]) for name, pose in look.blocks.items() if name in truth]

    def _note_belief(self, look: Look) -> None:
        record, truth = self._record, self._arm.truth()
        if truth is not None and record.block in look.blocks:
            off = look.blocks[record.block][:2, 3] - truth[record.block][:2, 3]
            record.block_off_mm.append(1e3 * float(np.linalg.norm(off)))

    def _judge_seen(self, look: Look) -> None:
        record = self._record
        if record.target is None or record.block not in look.blocks:
            record.seen_placed, record.reason = False, record.reason or f"{record.block} is not in the last image"
            record.stage = record.stage or "not seen"
            return
        verdict = judge(look.blocks[record.block], record.target, self._strategy.sizes[record.block], self._config)
        record.seen_placed, record.seen_error_mm = verdict.placed, 1e3 * verdict.error_m
        record.reason = "" if verdict.placed else record.reason or verdict.reason
        record.stage = "" if verdict.placed else record.stage or "misplaced"

    def _judge_true(self) -> None:
        record, truth = self._record, self._arm.truth()
        if truth is None:
            return
        if record.target is None:
            record.placed = False
            return
        verdict = judge(truth[record.block], record.target, self._strategy.sizes[record.block], self._config)
        record.placed, record.error_mm = verdict.placed, 1e3 * verdict.error_m
        record.reason = "" if verdict.placed else record.reason or verdict.reason


def _distance(a: FloatArray, b: FloatArray) -> float:
    return float(np.linalg.norm(a[:3, 3] - b[:3, 3]))
