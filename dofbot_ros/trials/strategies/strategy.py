"""What a planner of grasps is to a trial: it plans, then grasps and lifts, and tells how to put the object back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.driver.config import HOME
from dofbot_ros.grasp.execution.grip import let_go
from dofbot_ros.motion.timed_path import TimedPath
from dofbot_ros.trials.arm import Look, TrialArm

START: FloatArray = np.array(HOME[:N_ARM])
"""Where the arm stands before and after a trial, out of the camera's view [rad] (5,)."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """A grasp that has been tried; the arm rests where it has lifted to, with its fingers closed.

    Attributes:
        held: whether the fingers hold something, as far as they tell.
        gap_m: where they stand [m].
        carry: from here to upright, out of the camera's view.
        lower: from here down to where the object is to be let go, one motion after another; none where it may be let go
            here.
        leave: from there to upright.
    """

    held: bool
    gap_m: float
    carry: TimedPath
    lower: tuple[TimedPath, ...]
    leave: TimedPath


def put_down(arm: TrialArm, attempt: Attempt) -> None:
    """Let go of what is held where it is to be put, of nothing at once, and return upright.

    Raises:
        CommandRefusedError: the arm refused a motion or ended it early.
    """
    if attempt.held:
        let_go(arm, attempt.lower, attempt.leave)
    else:
        let_go(arm, (), attempt.carry)


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
