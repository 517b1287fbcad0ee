"""The grasp itself: closes the fingers, lifts, tells by the fingers whether something is held, lets go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dofbot_ros.arm.gripper import MAX_GAP
from dofbot_ros.arm.holding import holds
from dofbot_ros.motion.arm import Arm
from dofbot_ros.motion.timed_path import TimedPath


@dataclass(frozen=True)
class Grip:
    """How the fingers stand after an object has been grasped and lifted.

    Attributes:
        told: the gap that they were told to close to [m].
        closed: where they stood before the arm lifted [m].
        gap: where they stand now [m].
    """

    told: float
    closed: float
    gap: float

    @property
    def held(self) -> bool:
        """Whether they hold something, as far as they tell."""
        return holds(self.gap, self.told)


def grasp_and_lift(arm: Arm, approach: Sequence[TimedPath], lift: TimedPath, told: float = 0.0) -> Grip:
    """Move to an object, close the fingers, lift.

    Args:
        arm: at rest where `approach` begins, fingers open.
        approach: to the grasp; the arm comes to rest after each of these paths.
        lift: from there up.
        told: the gap to close to [m]; at 0 the fingers go on closing while the arm lifts: an object that is held by its
            edges turns in the hand as it leaves the table, and they have to come after it.

    Raises:
        CommandRefusedError: the arm refused a motion or ended it early; it rests where it was then.
    """
    for path in approach:
        arm.follow(path)
    arm.gripper(told)
    closed = arm.gap
    if told <= 0.0:
        arm.regrip()
    arm.follow(lift)
    return Grip(told, closed, arm.gap)


def let_go(arm: Arm, lower: Sequence[TimedPath], leave: TimedPath, gap: float = MAX_GAP) -> None:
    """Move along `lower`, open the fingers to `gap` [m], move along `leave`; raises as grasp_and_lift."""
    for path in lower:
        arm.follow(path)
    arm.gripper(gap)
    arm.follow(leave)
