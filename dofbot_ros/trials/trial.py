"""One trial: look, plan, pick up, put down, look again, and let the judge say what came of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.grasp.planning.block_plan import GraspError, PlannerConfig
from dofbot_ros.grasp.planning.hand_geometry import StandingBlock
from dofbot_ros.trials.arm import Look, Pictures, TrialArm
from dofbot_ros.trials.causes import Stage, cause_of
from dofbot_ros.trials.protocol import ProtocolConfig, SceneError, choose, judge, scene_seed
from dofbot_ros.trials.sight import ArmSight
from dofbot_ros.trials.strategies.strategy import ArucoStrategy, put_down
from dofbot_ros.vision.markers.block_layout import BlockSet


@dataclass
class TrialRecord:
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


class BlockTrial:
    """Runs trials on one arm.

    Args:
        arm: where they are run.
        robot: the arm that is moved.
        blocks: what may lie on the table.
        config: the conditions.
        sight: look at the arm's own hand before the first trial, and again after what failed, and aim by that.
    """

    def __init__(
        self, arm: TrialArm, robot: Robot, blocks: BlockSet, config: ProtocolConfig, *, sight: bool = True
    ) -> None:
        self._arm = arm
        self._strategy = ArucoStrategy(blocks, robot, PlannerConfig())
        self._config = config
        self._sight = ArmSight(arm, self._strategy.planner) if sight else None

    def run(self, seed: int, number: int) -> tuple[TrialRecord, Pictures]:
        """Trial `number` of the series `seed`. A trial that fails is a record, not an error.

        Raises:
            DofbotError: the arm or the camera cannot go on.
        """
        record = TrialRecord(number, scene_seed(seed, number))
        self._arm.prepare()
        self._arm.reset_scene(record.scene_seed)
        begin_s = self._arm.now_s()
        first = look = self._arm.look()
        record.localisation_mm = self._localisation_errors(first)
        record.not_believed = dict(first.refused)
        try:
            look = self._by_sight(record, first, again=False)
            rng = np.random.default_rng([seed, number, 1])
            record.block, record.target = choose(rng, self._strategy.standing(look), self._config)
            while not record.seen_placed and record.attempts < self._config.attempts:
                if record.attempts:
                    record.setbacks.append(record.reason)
                    record.reason, record.stage = "", ""
                    look = self._by_sight(record, look, again=True)
                record.attempts += 1
                self._note_belief(record, look)
                self._attempt(record, self._strategy.standing(look), record.target)
                look = self._arm.look()
                record.cycle_s = self._arm.now_s() - begin_s
                self._judge_seen(record, self._corrected(look), record.target)
        except SceneError as error:
            record.reason = str(error)
            record.stage = "no plan" if isinstance(error.__cause__, GraspError) else "not seen"
        self._judge_true(record)
        record.cause = cause_of(
            placed=record.placed,
            seen_placed=record.seen_placed,
            stage=record.stage,
            block_off_mm=record.block_off_mm,
        )
        return record, Pictures(first.image, look.image)

    def _by_sight(self, record: TrialRecord, look: Look, *, again: bool) -> Look:
        """The look with its blocks where they truly are, after one at the hand where there was none, or `again`."""
        sight = self._sight
        if sight is None:
            return look
        if again or sight.registration is None:
            try:
                sight.look_at_hand()
            except CommandRefusedError as error:
                record.setbacks.append(f"while the arm looked at its hand: {error}")
                self._arm.prepare()
        record.sight = sight.word
        return sight.corrected(look)

    def _corrected(self, look: Look) -> Look:
        return look if self._sight is None else self._sight.corrected(look)

    def _attempt(self, record: TrialRecord, blocks: dict[str, StandingBlock], target: tuple[float, float]) -> None:
        if record.block not in blocks:
            raise SceneError(f"{record.block} is not in the image any more")
        block = blocks[record.block]
        record.start = record.start or (block.x, block.y, block.yaw)
        try:
            aim = None if self._sight is None else partial(self._sight.aimed, missed=record.missed)
            _, plan = self._strategy.plan_move(blocks, record.block, target, aim)
        except GraspError as error:
            raise SceneError(str(error)) from error
        record.pick_tilt_deg, record.place_tilt_deg = math.degrees(plan.pick.tilt), math.degrees(plan.place.tilt)
        record.roll_deg = math.degrees(plan.pick.roll)
        try:
            attempt = self._strategy.pick(self._arm)
            gap_mm = 1e3 * attempt.gap_m
            if attempt.held:
                record.gap_mm = gap_mm
            else:
                record.missed += 1
                record.reason, record.stage = f"the fingers closed on nothing ({gap_mm:.0f} mm)", "missed"
            put_down(self._arm, attempt)
        except CommandRefusedError as error:
            record.reason, record.stage = str(error), "refused"
            self._arm.prepare()

    # -- judging -----------------------------------------------------------------------------------------------------

    def _localisation_errors(self, look: Look) -> list[float]:
        truth = self._arm.truth()
        if truth is None:
            return []
        return [1e3 * _distance(pose, truth[name]) for name, pose in look.blocks.items() if name in truth]

    def _note_belief(self, record: TrialRecord, look: Look) -> None:
        truth = self._arm.truth()
        if truth is not None and record.block in look.blocks:
            off = look.blocks[record.block][:2, 3] - truth[record.block][:2, 3]
            record.block_off_mm.append(1e3 * float(np.linalg.norm(off)))

    def _judge_seen(self, record: TrialRecord, look: Look, target: tuple[float, float]) -> None:
        if record.block not in look.blocks:
            record.seen_placed, record.reason = False, record.reason or f"{record.block} is not in the last image"
            record.stage = record.stage or "not seen"
            return
        verdict = judge(look.blocks[record.block], target, self._strategy.sizes[record.block], self._config)
        record.seen_placed, record.seen_error_mm = verdict.placed, 1e3 * verdict.error_m
        record.reason = "" if verdict.placed else record.reason or verdict.reason
        record.stage = "" if verdict.placed else record.stage or "misplaced"

    def _judge_true(self, record: TrialRecord) -> None:
        truth = self._arm.truth()
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
