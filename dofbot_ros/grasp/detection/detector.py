"""A camera's image of the table -> grasps that are likely to hold and that the arm can carry out, best first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.detection.misses import Misses
from dofbot_ros.grasp.detection.planner import Candidate, NetworkPlanner
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.execution.pick import PickPlan, plan_pick
from dofbot_ros.grasp.planning.planar_plan import GraspMotionPlanner, OutOfReachError
from dofbot_ros.grasp.sight.aim import aimed
from dofbot_ros.grasp.sight.registration import Registration
from dofbot_ros.vision.intrinsics import Intrinsics

MIN_CHANCE = 0.65
"""How likely a grasp has to be to hold, where there is an object; `dofbot bench empty-table` measures it.

The networks learnt from bare tables too: what they find there is unlikely to hold.
"""


class NothingToGraspError(DofbotError):
    """The image shows nothing that the arm could grasp; the message says whether there is nothing or out of reach."""


class PlannedGrasp:
    """A grasp that is likely to hold. Its motions are planned when somebody first asks for them.

    Only the best grasp is carried out, so that an arm does not wait for the plans of the others.

    Args:
        candidate: where and how.
        plan: plans the motions, or raises OutOfReachError.
    """

    def __init__(self, candidate: Candidate, plan: Callable[[], PickPlan]) -> None:
        self.candidate = candidate
        self._plan = plan

    @cached_property
    def _outcome(self) -> PickPlan | OutOfReachError:
        try:
            return self._plan()
        except OutOfReachError as error:
            return error

    @property
    def plan(self) -> PickPlan | None:
        """The motions; None where the arm cannot carry it out."""
        return None if isinstance(self._outcome, OutOfReachError) else self._outcome

    @property
    def obstacle(self) -> str:
        """Why the arm cannot carry it out, "" where it can."""
        return str(self._outcome) if isinstance(self._outcome, OutOfReachError) else ""


@dataclass(frozen=True, eq=False)
class GraspDetection:
    """What an image shows.

    Attributes:
        view: the square of the table.
        image: the view, RGB (size, size, 3).
        map: score of each pixel's best closing line, (size, size).
        chance: how likely the best grasp is to hold, 0..1, whether it is offered or not.
        min_chance: what is offered is at least as likely.
        offers: grasps, best first.
        seconds: that it took, from image to the motions of the best grasp [s].
    """

    view: TopDownView
    image: ImageArray
    map: FloatArray
    chance: float
    min_chance: float
    offers: tuple[PlannedGrasp, ...]
    seconds: float

    @property
    def reachable(self) -> list[PickPlan]:
        """The grasps that the arm can carry out, best first."""
        return list(self._plans())

    def _plans(self) -> Iterator[PickPlan]:
        return (offer.plan for offer in self.offers if offer.plan is not None)

    def best(self) -> PickPlan:
        """The best grasp that the arm can carry out.

        Raises:
            NothingToGraspError: there is none, and why.
        """
        if not self.offers:
            raise NothingToGraspError(
                f"nothing on the table, or out of reach: the best grasp has a chance of {self.chance:.0%}, "
                f"asked for are {self.min_chance:.0%}"
            )
        if (best := next(self._plans(), None)) is None:
            raise NothingToGraspError(f"nothing within reach of {len(self.offers)} grasps: {self.offers[0].obstacle}")
        return best


class GraspDetector:
    """Surveys images of one table with one network for one arm.

    Args:
        planner: proposes grasps.
        pinches: plans motions, within the arm's limits and workspace.
        start: where every grasp begins and ends, (5,) [rad].
        min_chance: how likely a grasp has to be to hold, 0..1.

    Attributes:
        registration: what a look at the hand told; grasps are planned by it. None without one.
        misses: grasps that held nothing; what is like them is offered last.
    """

    def __init__(
        self,
        planner: NetworkPlanner,
        pinches: GraspMotionPlanner,
        start: FloatArray,
        min_chance: float = MIN_CHANCE,
    ) -> None:
        self.view = planner.model.info.view
        self.pinches = pinches
        self._planner, self._start = planner, start
        self._min_chance = min_chance
        self.registration: Registration | None = None
        self.misses = Misses()

    def detect(self, image: ImageArray, intrinsics: Intrinsics, T_base_camera: FloatArray) -> GraspDetection:
        """What `image` shows.

        Args:
            image: RGB (height, width, 3), as the camera took it.
            intrinsics: of the camera.
            T_base_camera: its optical frame in base_link (4, 4).

        Raises:
            InputError: the image does not fit the calibration, or the camera does not see the view.
        """
        begin = time.perf_counter()
        seen = self.view.rectify(image, intrinsics, T_base_camera)
        self.misses.look(self.view, seen)
        score = self._planner.score(seen)
        found = self._planner.rank(seen, self.view, self._planner.peaks(score, self.view))
        likely = [candidate for candidate in found if candidate.chance >= self._min_chance]
        offers = tuple(self._offer(candidate) for candidate in self.misses.ordered(likely))
        chance = found[0].chance if found else 0.0
        best = np.asarray(score.max(axis=0), np.float64)
        next((offer for offer in offers if offer.plan is not None), None)  # plans down to the first that can be done
        return GraspDetection(self.view, seen, best, chance, self._min_chance, offers, time.perf_counter() - begin)

    def _offer(self, candidate: Candidate) -> PlannedGrasp:
        planner, told = self.pinches, candidate.pinch
        if self.registration is not None:
            planner, told = aimed(self.registration, planner, told)
        return PlannedGrasp(candidate, lambda: replace(plan_pick(planner, self._start, told), pinch=candidate.pinch))
