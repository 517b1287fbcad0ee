"""Plans how a block is picked up and put down; the whole motion is solved and checked before the arm moves.

The fingers' tips travel along the tool as they close: open fingers end above the block, and the arm stands still over
it while they come down its sides.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from dofbot_ros.arm.gripper import MAX_GAP, gap_to_joint
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import N_ARM, FloatArray, ToolPose
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.planning.grasp_poses import GraspPoseSampler, HoldConfig, Pick, Place
from dofbot_ros.grasp.planning.hand_geometry import (
    StandingBlock,
    distance_to_blocks,
    hand_balls,
    hand_frames,
    held_balls,
)
from dofbot_ros.motion.timed_path import TimedPath, retime
from dofbot_ros.motion.trajectory import MotionLimits
from dofbot_ros.safety.workspace import NAMES, Workspace

JOINT_STEP = 0.04
"""Distance of the poses that are checked on a motion from joint angles to joint angles [rad]."""

CLOSING_STEPS = 8


class GraspError(DofbotError):
    """No motion picks this block up and puts it there; the message says why the candidates failed."""


class _BlockedError(Exception):
    """One candidate motion does not work; the message names the obstacle."""


@dataclass(frozen=True)
class PlannerConfig:
    """Distances that the planner keeps.

    Attributes:
        open_gap: of the fingers on the way to the block, and after letting go [m].
        carry_heights: heights of the tool above the table while it carries, in order of preference [m].
        block_margin: distance kept from other blocks [m].
        holds: how blocks are held, and how hard they are squeezed; a servo that cannot reach its goal switches off
            after some seconds.
    """

    open_gap: float = MAX_GAP
    carry_heights: tuple[float, ...] = (0.058, 0.075)
    block_margin: float = 0.004
    holds: HoldConfig = field(default_factory=HoldConfig)


@dataclass(frozen=True)
class BlockMove:
    """A block and where it is to be put.

    Attributes:
        block: to be picked up.
        target: x, y of its centre at the end, in base_link [m]; its yaw is free.
        others: the other blocks on the table.
    """

    block: StandingBlock
    target: tuple[float, float]
    others: tuple[StandingBlock, ...] = ()


@dataclass(frozen=True)
class BlockPlan:
    """Motions of the arm between which the gripper acts, in this order.

    The arm comes to rest above the block and above the target, so that it goes down from where it was commanded to be.

    Attributes:
        reach: from the start to above the block, fingers open.
        descend: down to it; then they close to `closed_gap`.
        lift: up.
        carry: to above the target.
        lower: down to it; then the fingers open to `open_gap`.
        leave: up, away from the block, and back to the start.
        give_up: from the end of `lift` back to the start; used when the fingers closed on nothing.
        closed_gap, open_gap: commands for the gripper [m].
        pick, place: tool poses where it closes and opens.
        released_tilt: how far from upright the block is expected to be when let go [rad].
        clearance: smallest distance to another block on the way [m]; inf where there is none.
    """

    reach: TimedPath
    descend: TimedPath
    lift: TimedPath
    carry: TimedPath
    lower: TimedPath
    leave: TimedPath
    give_up: TimedPath
    closed_gap: float
    open_gap: float
    pick: ToolPose
    place: ToolPose
    released_tilt: float
    clearance: float


class BlockPlanner:
    """Plans pick-and-place motions of one arm.

    Args:
        kinematics: of the arm.
        limits: position, velocity and acceleration limits of its joints.
        workspace: where the arm may be.
        config: the margins that are kept.
    """

    def __init__(
        self,
        kinematics: Kinematics,
        limits: MotionLimits,
        workspace: Workspace,
        config: PlannerConfig | None = None,
    ) -> None:
        self.config = config or PlannerConfig()
        self.kinematics = kinematics
        self.limits = limits
        self._workspace = workspace
        self._holds = GraspPoseSampler(kinematics, self.config.holds)

    def raised(self, by: float, drop: float = 0.0) -> BlockPlanner:
        """This planner for a hand that is `by` [m] lower than commanded, and that releases blocks `drop` [m] higher."""
        holds = self.config.holds
        higher = replace(
            holds,
            pad_clearance=holds.pad_clearance + by,
            told_clearance=holds.told_clearance + by,
            drop=holds.drop + drop,
        )
        config = replace(self.config, holds=higher)
        return BlockPlanner(self.kinematics, self.limits, self._workspace, config)

    def plan(self, start: FloatArray, move: BlockMove) -> BlockPlan:
        """The best motion that keeps all margins.

        Args:
            start: where the arm is commanded to be, and returns to, (5,) [rad].
            move: which block is taken where.

        Raises:
            GraspError: there is none.
        """
        q0 = np.asarray(start, dtype=np.float64)[:N_ARM]
        failures: Counter[str] = Counter()
        for pick, place in self._holds.ranked(move.block, move.target):
            for height in self.config.carry_heights:
                try:
                    return self._connect(q0, move, (pick, place), height)
                except _BlockedError as reason:
                    failures[str(reason)] += 1
        where = f"from x {move.block.x:.3f} y {move.block.y:.3f} to x {move.target[0]:.3f} y {move.target[1]:.3f} m"
        if not failures:
            raise GraspError(f"no tilt of the tool reaches both ends {where}: they must be 0.15 to 0.27 m from joint 1")
        counts = ", ".join(f"{reason} ({count} times)" for reason, count in failures.most_common(3))
        raise GraspError(f"none of {sum(failures.values())} ways {where} is free: {counts}")

    def _connect(self, q0: FloatArray, move: BlockMove, ends: tuple[Pick, Place], height: float) -> BlockPlan:
        """The motion through one pick and one place pose, solved and checked.

        Raises:
            _BlockedError: it cannot be reached, or a margin is not kept.
        """
        pick, place = ends
        up, rise = self._column(pick, height), self._column(place, height)
        reach, carry, leave = joint_line(q0, up[-1]), joint_line(up[-1], rise[-1]), joint_line(rise[-1], q0)
        closed_gap = max(0.0, move.block.size - self.config.holds.squeeze)
        open_, closed, told = (gap_to_joint(gap) for gap in (self.config.open_gap, move.block.size, closed_gap))
        placed = StandingBlock(*move.target, math.atan2(move.target[1], move.target[0]), move.block.size)
        # The fingers stop on the block, the command goes on; without a block, they follow it.
        fingers = np.linspace(open_, told, CLOSING_STEPS)
        carried = np.concatenate([up, carry, rise[::-1]])
        clearance = min(
            self._check(reach, open_, (*move.others, move.block)),
            self._check(up, open_, move.others),
            self._check(np.repeat(up[:1], CLOSING_STEPS, axis=0), fingers, move.others),
            self._check(carried, closed, move.others),
            self._check(carried, told, move.others),
            self._check_held(carried, move, pick),
            self._check(np.repeat(rise[:1], CLOSING_STEPS, axis=0), fingers, move.others),
            self._check(rise, open_, move.others),
            self._check(leave, open_, (*move.others, placed)),
        )
        return BlockPlan(
            reach=self._timed(reach),
            descend=self._timed(up[::-1]),
            lift=self._timed(up),
            carry=self._timed(carry),
            lower=self._timed(rise[::-1]),
            leave=self._timed(rise, leave),
            give_up=self._timed(reach[::-1]),
            closed_gap=closed_gap,
            open_gap=self.config.open_gap,
            pick=pick.pose,
            place=place.pose,
            released_tilt=place.released_tilt,
            clearance=clearance,
        )

    def _timed(self, *paths: FloatArray) -> TimedPath:
        """The paths one after another, at rest between them."""
        first, *rest = (retime(path, self.limits) for path in paths)
        for path in rest:
            first = first.then(path)
        return first

    def _column(self, end: Pick | Place, height: float) -> FloatArray:
        pose = end.pose
        path = self._holds.bands.column(pose.x, pose.y, (pose.z, height), end.band, pose.roll)
        if path is None:
            raise _BlockedError(f"the tool cannot rise to {height:.3f} m")
        return path

    def _check(self, path: FloatArray, grip: float | FloatArray, blocks: tuple[StandingBlock, ...]) -> float:
        """Distance of the arm to `blocks` [m] on a path (n, 5) with grip_joint at `grip` [rad].

        Raises:
            _BlockedError: a margin is not kept.
        """
        q = np.column_stack([path, np.broadcast_to(grip, len(path))])
        room = self._workspace.clearances(q)
        if room.min() < 0.0:
            raise _BlockedError(NAMES[int(room.argmin()) % room.shape[-1]])
        return self._distance(hand_balls(self.kinematics, q), blocks)

    def _check_held(self, path: FloatArray, move: BlockMove, pick: Pick) -> float:
        """Distance of the block in the hand to the others [m]; raises as _check."""
        axes = hand_frames(self.kinematics, path)[1]
        centres = self.kinematics.link_points(path)[:, 3] + axes @ pick.centre
        return self._distance(held_balls(centres, axes, move.block.size), move.others)

    def _distance(self, balls: tuple[FloatArray, FloatArray], blocks: tuple[StandingBlock, ...]) -> float:
        if not blocks:
            return math.inf
        distance = distance_to_blocks(*balls, blocks)
        if distance.min() < self.config.block_margin:
            near = blocks[int(distance.argmin())]
            raise _BlockedError(f"the block at x {near.x:.3f} y {near.y:.3f}")
        return float(distance.min())


def joint_line(start: FloatArray, end: FloatArray) -> FloatArray:
    """Joint angles (n, 5) [rad] straight from `start` to `end` (5,)."""
    n = max(2, math.ceil(float(np.abs(end - start).max()) / JOINT_STEP) + 1)
    return np.linspace(start, end, n)
