"""Who lifts an object in a trial: the interface of all planners, and the grasps of blocks by their markers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.driver.config import HOME, DriverConfig
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.execution.pick import grasp_and_lift
from dofbot_ros.grasp.planning.block_plan import BlockMove, BlockPlanner, GraspError, PlannerConfig
from dofbot_ros.motion.timed_path import TimedPath
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.trials.arm import Look, TrialArm
from dofbot_ros.trials.protocol import SceneError, standing
from dofbot_ros.vision.markers.block_layout import BlockSet

LIFT_HEIGHTS = (0.085, 0.095, 0.075)
"""Of the tool above the table when a block has been lifted: more than 50 mm over where it was taken [m]."""

START: FloatArray = np.array(HOME[:N_ARM])
"""Where the arm stands before and after a trial, out of the camera's view [rad] (5,)."""


class NoGraspError(DofbotError):
    """Nothing that can be grasped was found, or nothing within reach; nothing has moved."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """A grasp that has been tried; the arm rests where it has lifted to, with its fingers closed.

    Attributes:
        held: whether the fingers hold something, as far as they tell.
        gap_m: where they stand [m].
        carry: from here to upright, out of the camera's view.
        lower: from here down to where an object may be let go; None where it may be let go here.
        leave: from there to upright.
    """

    held: bool
    gap_m: float
    carry: TimedPath
    lower: TimedPath | None
    leave: TimedPath


class PickStrategy(Protocol):
    """One planner. A trial asks for a plan first, so that what was planned is known however its motion ends."""

    name: str

    def check(self, arm: TrialArm) -> None:
        """See, before the first trial, that `arm` can carry out what will be planned.

        Raises:
            CommandRefusedError: it cannot, and in what.
        """
        ...

    def plan(self, arm: TrialArm, look: Look, target: str) -> dict[str, Any]:
        """Decide what to do about what the camera sees.

        Args:
            arm: upright, fingers open.
            look: what its camera shows.
            target: the object to be lifted; planners that know no names take any.

        Returns:
            The plan for the record: plain data.

        Raises:
            NoGraspError: there is nothing to be done.
        """
        ...

    def pick(self, arm: TrialArm) -> Attempt:
        """Do what was planned last: grasp and lift.

        Raises:
            CommandRefusedError: the arm refused a motion or ended it early.
        """
        ...


class ArucoPicker:
    """Takes the named block by its markers, around all others: the demo's planner, putting the block back in its place.

    Args:
        blocks: what may lie on the table.
        robot: the arm that takes them.
    """

    name = "aruco"

    def __init__(self, blocks: BlockSet, robot: Robot) -> None:
        config, limits = PlannerConfig(carry_heights=LIFT_HEIGHTS), DriverConfig().motion_limits(robot)
        self._planner = BlockPlanner(robot.kinematics, limits, Workspace(robot.kinematics), config)
        self._sizes = {block.name: block.size for block in blocks.blocks}

    def check(self, arm: TrialArm) -> None:
        """See Picker.check: every motion is planned within the arm's limits, and checked by the driver."""

    def plan(self, arm: TrialArm, look: Look, target: str) -> dict[str, Any]:  # noqa: ARG002
        """See Picker.plan."""
        try:
            blocks = {name: standing(pose, self._sizes[name]) for name, pose in look.blocks.items()}
        except SceneError as error:
            raise NoGraspError(str(error)) from error
        if target not in blocks:
            raise NoGraspError(f"{target} is not seen; {', '.join(sorted(blocks)) or 'nothing'} is")
        block = blocks.pop(target)
        try:
            self._plan = self._planner.plan(START, BlockMove(block, (block.x, block.y), tuple(blocks.values())))
        except GraspError as error:
            raise NoGraspError(str(error)) from error
        pose = self._plan.pick
        return {
            "x": block.x,
            "y": block.y,
            "yaw_deg": math.degrees(block.yaw),
            "tilt_deg": math.degrees(pose.tilt),
            "roll_deg": math.degrees(pose.roll),
        }

    def pick(self, arm: TrialArm) -> Attempt:
        """See Picker.pick."""
        plan = self._plan
        grip = grasp_and_lift(arm, [plan.reach, plan.descend], plan.lift, plan.closed_gap)
        return Attempt(grip.held, grip.gap, plan.give_up, plan.transfer, plan.leave)
