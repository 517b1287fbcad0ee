"""One trial: look, plan, grasp, lift, put down, look again, as often as the task of the trial asks for it."""

from __future__ import annotations

from typing import Protocol, TypeVar

from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.trials.arm import Look, Pictures, TrialArm
from dofbot_ros.trials.protocol import NoGraspError
from dofbot_ros.trials.strategies.strategy import Attempt, put_down

R_co = TypeVar("R_co", covariant=True)
"""What came of a trial, a dataclass."""


class TrialTask(Protocol[R_co]):
    """What one trial is about: what stands on the table, what is grasped, what counts as a success.

    The methods are called in the order in which they stand here; `plan` to `again` once for each attempt.
    """

    def set_up(self) -> bool:
        """Put the objects there, or have them put there. Returns False to skip the trial."""
        ...

    def begin(self, look: Look, begin_s: float) -> None:
        """Take note of the scene before anything moves.

        Args:
            look: at the scene.
            begin_s: when the trial began, on the arm's clock [s].

        Raises:
            NoGraspError: the scene does not allow this trial.
        """
        ...

    def plan(self, look: Look) -> None:
        """Plan the next attempt.

        Args:
            look: the newest.

        Raises:
            NoGraspError: there is nothing to be grasped, or nothing within reach.
        """
        ...

    def pick(self) -> Attempt:
        """Grasp and lift what was planned.

        Raises:
            CommandRefusedError: the arm refused a motion or ended it early.
        """
        ...

    def lifted(self, attempt: Attempt) -> None:
        """Take note of the grasp while the object, if there is one, is up; raises as pick()."""
        ...

    def refused(self, error: CommandRefusedError) -> None:
        """Take note that the arm refused a motion of this attempt, or ended it early."""
        ...

    def again(self, look: Look) -> bool:
        """Whether another attempt is to be made, seen from the look after this one."""
        ...

    def ended(self, error: NoGraspError | None) -> R_co:
        """What came of the trial.

        Args:
            error: why it ended before its time; None where it did not.
        """
        ...

    def skipped(self) -> R_co:
        """What came of a trial that was not set up."""
        ...


def run_trial(arm: TrialArm, task: TrialTask[R_co]) -> tuple[R_co, Pictures | None]:
    """Run one trial. One that fails is a record, not an error; a skipped one has no pictures.

    Raises:
        DofbotError: the arm or the camera cannot go on.
    """
    arm.prepare()
    if not task.set_up():
        return task.skipped(), None
    begin_s = arm.now_s()
    first = look = arm.look()
    failure: NoGraspError | None = None
    try:
        task.begin(first, begin_s)
        again = True
        while again:
            _attempt(arm, task, look)
            look = arm.look()
            again = task.again(look)
    except NoGraspError as error:
        failure = error
    return task.ended(failure), Pictures(first.image, look.image)


def _attempt(arm: TrialArm, task: TrialTask[R_co], look: Look) -> None:
    """Grasp once; whatever comes of it, the arm stands upright again with open fingers."""
    try:
        task.plan(look)
        attempt = task.pick()
        task.lifted(attempt)
        put_down(arm, attempt)
    except CommandRefusedError as error:
        task.refused(error)
        arm.prepare()
