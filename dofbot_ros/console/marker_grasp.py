"""Grasps a block by its markers: planned whole from where the arm stands, shown, and carried out when told to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.gripper import MAX_GAP, gap_to_joint
from dofbot_ros.arm.robot import Robot
from dofbot_ros.console.arm import SeenBlock
from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.execution.grip import grasp_and_lift, let_go
from dofbot_ros.grasp.planning.block_plan import BlockMove, BlockPlan, BlockPlanner, GraspError
from dofbot_ros.motion.arm import Arm
from dofbot_ros.motion.trajectory import MotionLimits
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.trials.protocol import NoGraspError, standing
from dofbot_ros.trials.strategies.markers import LIFTING

MOVED_RAD = 0.05
"""An arm that stands farther than this from where its plan begins needs another one [rad]."""


@dataclass(frozen=True, eq=False)
class MarkerPlan:
    """A planned grasp.

    Attributes:
        block: its name.
        start: joint angles where it begins [rad] (5,).
        motions: of arm and fingers.
    """

    block: str
    start: FloatArray
    motions: BlockPlan

    @property
    def ghost(self) -> FloatArray:
        """Joint positions (6,) [rad] where the fingers close."""
        return np.append(self.motions.descend.positions[-1], gap_to_joint(self.motions.open_gap))


def plan_grasp(robot: Robot, blocks: Sequence[SeenBlock], start: FloatArray, speed: float, wanted: str) -> MarkerPlan:
    """Plan a grasp of the block `wanted`, or where that is "" of the first that can be grasped.

    Args:
        robot: the arm.
        blocks: as seen now.
        start: joint angles of the arm now [rad] (5,).
        speed: of the joints at most [rad/s].
        wanted: name of a block.

    Raises:
        GraspError: none can be grasped, and why.
    """
    if not blocks:
        raise GraspError("no block is seen: is one in the camera's view, and the arm out of it? Home moves it away")
    limits = MotionLimits.of(robot, speed, DriverConfig().max_acceleration)
    planner = BlockPlanner(robot.kinematics, limits, Workspace(robot.kinematics), LIFTING)
    standing_blocks, troubles = {}, {}
    for block in blocks:
        try:
            standing_blocks[block.name] = standing(block.pose, block.size)
        except NoGraspError as error:
            troubles[block.name] = str(error)
    names = [wanted] if wanted else list(standing_blocks)
    for name in names:
        if name not in standing_blocks:
            troubles.setdefault(name, f"is not seen; {', '.join(sorted(standing_blocks)) or 'no block'} is")
            continue
        target = standing_blocks[name]
        others = tuple(other for other_name, other in standing_blocks.items() if other_name != name)
        try:
            plan = planner.plan(start, BlockMove(target, (target.x, target.y), others))
        except GraspError as error:
            troubles[name] = str(error)
            continue
        return MarkerPlan(name, np.array(start[:N_ARM]), plan)
    raise GraspError("; ".join(f"{name}: {why}" for name, why in troubles.items()))


def carry_out(arm: Arm, plan: MarkerPlan) -> bool:
    """Grasp and lift. Returns whether the fingers hold something; where they do not, the arm is back where it began.

    Args:
        arm: within its sequence(), so that a stop ends all of it.
        plan: to carry out.

    Raises:
        CommandRefusedError: the arm refused a motion or ended it early; it rests where it was then.
        DofbotError: the arm has moved since it was planned.
    """
    if np.abs(arm.position[:N_ARM] - plan.start).max() > MOVED_RAD:
        raise DofbotError("the arm has moved since this grasp was planned: plan again")
    motions = plan.motions
    arm.gripper(MAX_GAP)
    grip = grasp_and_lift(arm, [motions.reach, motions.descend], motions.lift, motions.closed_gap)
    if not grip.held:
        let_go(arm, (), motions.give_up)
    return grip.held


def put_back(arm: Arm, plan: MarkerPlan) -> None:
    """Put what was grasped where it was, let go, and return to where the grasp began; arguments as carry_out().

    Raises:
        CommandRefusedError: the arm refused a motion or ended it early.
    """
    let_go(arm, (plan.motions.carry, plan.motions.lower), plan.motions.leave)
