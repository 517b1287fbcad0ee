"""Picks something up and puts it back, by motions planned before the first step; the fingers tell whether it held."""

from __future__ import annotations

from dataclasses import dataclass

from dofbot_ros.arm.gripper import MAX_GAP
from dofbot_ros.arm.holding import holds
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.execution.grip import grasp_and_lift, let_go
from dofbot_ros.grasp.planning.planar_plan import GraspMotion, GraspMotionPlanner, PlanarGrasp
from dofbot_ros.motion.arm import Arm
from dofbot_ros.motion.timed_path import TimedPath


class EmptyHandError(DofbotError):
    """The fingers hold nothing; the message says since when."""


@dataclass(frozen=True, eq=False)
class PickPlan:
    """A grasp with all its motions.

    Attributes:
        pinch: where the fingers close.
        motions: from the start to the grasp, and up.
        back: from there to the start.
    """

    pinch: PlanarGrasp
    motions: GraspMotion
    back: TimedPath

    @property
    def approach(self) -> TimedPath:
        """From the start to the grasp in one motion."""
        return self.motions.reach.then(self.motions.descend)


@dataclass(frozen=True, eq=False)
class Held:
    """Something in the hand.

    Attributes:
        plan: by which it was picked up.
        gap: of the fingers that hold it [m].
    """

    plan: PickPlan
    gap: float


def plan_pick(pinches: GraspMotionPlanner, start: FloatArray, pinch: PlanarGrasp) -> PickPlan:
    """All motions of a grasp, from `start` (5,) [rad] and back to it.

    Raises:
        OutOfReachError: the arm cannot carry it out, and why.
    """
    motions = pinches.plan(start, pinch)
    return PickPlan(pinch, motions, pinches.straight(motions.lift.positions[-1], start))


def pick_up(arm: Arm, plan: PickPlan) -> Held:
    """Grasp, and lift a little.

    Raises:
        EmptyHandError: the fingers closed on nothing; the arm is back, its fingers are open.
        CommandRefusedError: the arm ended it; it rests where it was then.
    """
    arm.gripper(MAX_GAP)
    grip = grasp_and_lift(arm, [plan.approach], plan.motions.lift)
    if grip.held:
        return Held(plan, grip.gap)
    let_go(arm, (), plan.back)
    if not holds(grip.closed):
        raise EmptyHandError(f"missed: the fingers closed on nothing at {where(plan)}")
    raise _slipped(plan, grip.closed)


def bring_back(arm: Arm, held: Held) -> Held:
    """Carry what is held to where the motion began.

    Raises:
        EmptyHandError: it got lost on the way; the fingers are open again.
        CommandRefusedError: the arm ended it; it rests where it was then.
    """
    arm.regrip()
    arm.follow(held.plan.back)
    if holds(gap := arm.gap):
        return Held(held.plan, gap)
    arm.gripper(MAX_GAP)
    raise _slipped(held.plan, held.gap)


def put_back(arm: Arm, held: Held) -> None:
    """Put what is held where it was taken, let go, and return.

    Raises:
        CommandRefusedError: the arm ended it; it rests where it was then.
    """
    away = held.plan.motions.lift.then(held.plan.back)
    let_go(arm, [away.reversed()], away)


def where(plan: PickPlan) -> str:
    """The place of a grasp in words."""
    return f"x {plan.pinch.x:.3f} y {plan.pinch.y:.3f} m"


def _slipped(plan: PickPlan, gap: float) -> EmptyHandError:
    return EmptyHandError(f"slipped: the fingers had {1e3 * gap:.0f} mm between them at {where(plan)}, and lost it")
