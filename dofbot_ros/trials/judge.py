"""Who says what came of a grasp: the true poses, the camera, or a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.learning.baselines import MomentsPlanner
from dofbot_ros.trials.arm import Look, TrialArm
from dofbot_ros.trials.placement import PickProtocol
from dofbot_ros.trials.strategies.strategy import Attempt

Outcome = Literal["lifted", "slipped", "missed", "pushed", "no grasp", "refused", "fault", "skipped"]
"""How a trial ended.

lifted: an object has risen far enough, and was up there still at the end. slipped: the fingers held something, but no
object was up at the end. missed: they closed on nothing. pushed: so, and an object has moved. no grasp: nothing was
found, or nothing within reach. refused: the arm refused a motion or ended it early. fault: it was in FAULT or ESTOP
then. skipped: by the person; it counts neither way.
"""

PUSHED_M = 0.006
"""An object that stands further from its place than this was pushed [m]."""

TAKEN_M = 0.020
"""A block that is seen within this distance of its place has not been taken [m]."""


@dataclass(frozen=True)
class TrialOutcome:
    """What came of a grasp.

    Attributes:
        outcome: of the trial.
        thing: which object was lifted; "" where none was, or nobody knows.
        rise_m: of the object that rose most, at the end [m]; None where nobody measured it.
    """

    outcome: Outcome
    thing: str = ""
    rise_m: float | None = None


class SuccessDetector(Protocol):
    """One way to judge."""

    name: str

    def before(self, arm: TrialArm, look: Look) -> None:
        """Take note of the scene before anything moves."""
        ...

    def after(self, arm: TrialArm, attempt: Attempt) -> TrialOutcome:
        """Say what came of it, once the object, if any, was held up for long enough. The arm ends where it was."""
        ...


class TruthJudge:
    """By the true poses: a simulation's.

    Args:
        lift: an object has to rise by this much [m].
    """

    name = "truth"

    def __init__(self, lift: float) -> None:
        self._lift = lift
        self._start: Mapping[str, FloatArray] = {}

    def before(self, arm: TrialArm, look: Look) -> None:  # noqa: ARG002
        """See SuccessDetector.before."""
        self._start = self._poses(arm)

    def after(self, arm: TrialArm, attempt: Attempt) -> TrialOutcome:
        """See SuccessDetector.after."""
        moved = {name: pose[:3, 3] - self._start[name][:3, 3] for name, pose in self._poses(arm).items()}
        thing = max(moved, key=lambda name: float(moved[name][2]))
        rise = float(moved[thing][2])
        if rise >= self._lift:
            return TrialOutcome("lifted", thing, rise)
        if attempt.held:
            return TrialOutcome("slipped", rise_m=rise)
        pushed = max(float(np.linalg.norm(way)) for way in moved.values()) > PUSHED_M
        return TrialOutcome("pushed" if pushed else "missed", rise_m=rise)

    def _poses(self, arm: TrialArm) -> Mapping[str, FloatArray]:
        poses = arm.truth()
        if not poses:
            raise InputError("nobody tells the true poses of objects here: --judge camera or person")
        return poses


class CameraJudge:
    """By the camera: the arm takes what it holds out of view, and what is missing from the table has been lifted.

    Marked blocks are missed by name. Where none is known, objects are patches that differ from the table: one is
    missing when the area of all has shrunk by half of the smallest one's.
    """

    name = "camera"

    def __init__(self) -> None:
        self._before: Look

    def before(self, arm: TrialArm, look: Look) -> None:  # noqa: ARG002
        """See SuccessDetector.before."""
        self._before = look

    def after(self, arm: TrialArm, attempt: Attempt) -> TrialOutcome:
        """See SuccessDetector.after."""
        if not attempt.held:
            return TrialOutcome("missed")
        arm.follow(attempt.carry)
        look = arm.look()
        arm.follow(attempt.carry.reversed())
        gone = [name for name, pose in self._before.blocks.items() if not _near(look, pose)]
        if gone:
            return TrialOutcome("lifted", gone[0]) if gone[0] not in look.blocks else TrialOutcome("slipped")
        if self._before.blocks:
            return TrialOutcome("slipped")
        before, after = _areas(arm, self._before), _areas(arm, look)
        return TrialOutcome("lifted" if before and sum(before) - sum(after) > 0.5 * min(before) else "slipped")


class PersonJudge:
    """By a person who watches.

    Args:
        ask: whether it was lifted and held; None to skip the trial. Raises KeyboardInterrupt to stop.
        protocol: what is asked for.
    """

    name = "person"

    def __init__(self, ask: Callable[[str], bool | None], protocol: PickProtocol) -> None:
        self._ask = ask
        self._question = f"Has an object risen by {1e3 * protocol.lift:.0f} mm, and is it up there still?"

    def before(self, arm: TrialArm, look: Look) -> None:
        """See SuccessDetector.before."""

    def after(self, arm: TrialArm, attempt: Attempt) -> TrialOutcome:  # noqa: ARG002
        """See SuccessDetector.after."""
        lifted = self._ask(self._question)
        if lifted is None:
            return TrialOutcome("skipped")
        if lifted:
            return TrialOutcome("lifted")
        return TrialOutcome("slipped" if attempt.held else "missed")


def _near(look: Look, pose: FloatArray) -> bool:
    return any(float(np.linalg.norm(seen[:3, 3] - pose[:3, 3])) < TAKEN_M for seen in look.blocks.values())


def _areas(arm: TrialArm, look: Look) -> list[float]:
    """Of the patches that differ from the table [m^2]."""
    view = TopDownView(size=128)
    image = view.rectify(look.image, arm.view.intrinsics, arm.view.T_base_camera)
    return [patch.score for patch in MomentsPlanner().candidates(image, view)]
