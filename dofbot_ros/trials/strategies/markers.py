"""Takes blocks by their markers: plans around all others, and puts the block back or elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dofbot_ros.arm.robot import Robot
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.grasp.execution.grip import grasp_and_lift
from dofbot_ros.grasp.planning.block_plan import BlockMove, BlockPlan, BlockPlanner, GraspError, PlannerConfig
from dofbot_ros.grasp.planning.hand_geometry import StandingBlock
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.trials.arm import Look, TrialArm
from dofbot_ros.trials.protocol import NoGraspError, standing
from dofbot_ros.trials.strategies.strategy import START, Attempt
from dofbot_ros.vision.markers.block_layout import BlockSet

LIFTING = PlannerConfig(carry_heights=(0.085, 0.095, 0.075))
"""Lifts a block by more than 50 mm over where it was taken."""


class ArucoStrategy:
    """Takes the named block by its markers, around all others, and puts it back or elsewhere.

    Args:
        blocks: what may lie on the table.
        robot: the arm that takes them.
        config: distances of the planner.

    Attributes:
        planner: of its motions.
        sizes: edges of the blocks [m], by name.
    """

    name = "aruco"

    def __init__(self, blocks: BlockSet, robot: Robot, config: PlannerConfig = LIFTING) -> None:
        limits = DriverConfig().motion_limits(robot)
        self.planner = BlockPlanner(robot.kinematics, limits, Workspace(robot.kinematics), config)
        self.sizes = {block.name: block.size for block in blocks.blocks}

    def check(self, arm: TrialArm) -> None:
        """See PickStrategy.check: every motion is planned within the arm's limits, and checked by the driver."""

    def plan(self, arm: TrialArm, look: Look, target: str) -> dict[str, Any]:  # noqa: ARG002
        """See PickStrategy.plan."""
        try:
            block, plan = self.plan_move(self.standing(look), target)
        except GraspError as error:
            raise NoGraspError(str(error)) from error
        pose = plan.pick
        return {
            "x": block.x,
            "y": block.y,
            "yaw_deg": math.degrees(block.yaw),
            "tilt_deg": math.degrees(pose.tilt),
            "roll_deg": math.degrees(pose.roll),
        }

    def standing(self, look: Look) -> dict[str, StandingBlock]:
        """The blocks that are seen, by name.

        Raises:
            NoGraspError: one of them does not stand on the table, or none is believed, and why.
        """
        if not look.blocks and look.refused:
            raise NoGraspError("; ".join(f"{what}: {why}" for what, why in look.refused.items()))
        return {name: standing(pose, self.sizes[name]) for name, pose in look.blocks.items()}

    def plan_move(
        self,
        blocks: dict[str, StandingBlock],
        target: str,
        place: tuple[float, float] | None = None,
        aim: Callable[[BlockMove], tuple[BlockPlanner, BlockMove]] | None = None,
    ) -> tuple[StandingBlock, BlockPlan]:
        """Plan to take one of the blocks and to put it at `place` x, y [m], or back where it stands.

        Args:
            blocks: that are seen.
            target: the one to take.
            place: x, y [m].
            aim: what to plan, and by which planner, for a hand that is elsewhere than it is told (trials/sight.py).

        Returns:
            The block, and the motions that pick() carries out.

        Raises:
            NoGraspError: it is not among them.
            GraspError: no motion does it.
        """
        if target not in blocks:
            raise NoGraspError(f"{target} is not seen; {', '.join(sorted(blocks)) or 'nothing'} is")
        block = blocks[target]
        others = tuple(other for name, other in blocks.items() if name != target)
        move = BlockMove(block, place or (block.x, block.y), others)
        planner, move = (self.planner, move) if aim is None else aim(move)
        self._plan = planner.plan(START, move)
        return block, self._plan

    def pick(self, arm: TrialArm) -> Attempt:
        """See PickStrategy.pick."""
        plan = self._plan
        grip = grasp_and_lift(arm, [plan.reach, plan.descend], plan.lift, plan.closed_gap)
        return Attempt(grip.held, grip.gap, plan.give_up, (plan.carry, plan.lower), plan.leave)
