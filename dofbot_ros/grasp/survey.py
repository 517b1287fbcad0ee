"""A camera's image of the table -> grasps that stand out of the table and that the arm can carry out, best first."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.model_io import Logits
from dofbot_ros.grasp.pick import PickPlan, plan_pick
from dofbot_ros.grasp.pinch_plan import OutOfReachError, PinchPlanner
from dofbot_ros.grasp.planner import Candidate, NetworkPlanner
from dofbot_ros.grasp.view import TopDownView
from dofbot_ros.vision.intrinsics import Intrinsics

TABLE_PERCENTILE = 25.0
"""At least this share of the view shows bare table, however many objects lie on it [%]."""

MIN_PROMINENCE = 5.5
"""How far a grasp's score stands out of the table's where there is an object; `dofbot bench empty-table` measures it.

A bare table's best peak scores like some true grasps do: the network never saw a table without an object. But the map
of a bare table is flat, and that of an object is not.
"""


class NothingToGraspError(DofbotError):
    """The image shows nothing that the arm could grasp; the message says whether there is nothing or out of reach."""


@dataclass(frozen=True, eq=False)
class Offer:
    """A grasp that stands out of the table.

    Attributes:
        candidate: where and how.
        prominence: the network's map there above the bare table's.
        plan: the motions; None where the arm cannot carry it out.
        obstacle: why it cannot, "" where it can.
    """

    candidate: Candidate
    prominence: float
    plan: PickPlan | None
    obstacle: str = ""


@dataclass(frozen=True, eq=False)
class Survey:
    """What an image shows.

    Attributes:
        view: the square of the table.
        image: the view, RGB (size, size, 3).
        relief: how far each pixel's best closing line scores above the bare table, (size, size).
        offers: grasps that stand out, best first.
        seconds: that it took, from image to motions [s].
    """

    view: TopDownView
    image: ImageArray
    relief: FloatArray
    offers: tuple[Offer, ...]
    seconds: float

    @property
    def reachable(self) -> list[PickPlan]:
        """The grasps that the arm can carry out, best first."""
        return [offer.plan for offer in self.offers if offer.plan is not None]

    @property
    def prominence(self) -> float:
        """Of the best peak, whether it counts as a grasp or not."""
        return float(self.relief.max())

    def best(self) -> PickPlan:
        """The best grasp that the arm can carry out.

        Raises:
            NothingToGraspError: there is none, and why.
        """
        if not self.offers:
            raise NothingToGraspError(
                f"nothing on the table: no grasp stands out of it (the best by {self.prominence:.1f})"
            )
        if not self.reachable:
            raise NothingToGraspError(f"nothing within reach of {len(self.offers)} grasps: {self.offers[0].obstacle}")
        return self.reachable[0]


class Surveyor:
    """Surveys images of one table with one network for one arm.

    Args:
        planner: proposes grasps.
        pinches: plans motions, within the arm's limits and workspace.
        start: where every grasp begins and ends, (5,) [rad].
        min_prominence: what a grasp has to stand out of the table by.
    """

    def __init__(
        self,
        planner: NetworkPlanner,
        pinches: PinchPlanner,
        start: FloatArray,
        min_prominence: float = MIN_PROMINENCE,
    ) -> None:
        self.view = planner.model.info.view
        self._planner, self._pinches, self._start = planner, pinches, start
        self._min_prominence = min_prominence

    def survey(self, image: ImageArray, intrinsics: Intrinsics, T_base_camera: FloatArray) -> Survey:
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
        score = self._planner.score(seen)
        level = table_level(score)
        peaks = [c for c in self._planner.peaks(score, self.view) if c.peak - level >= self._min_prominence]
        offers = tuple(self._offer(c, c.peak - level) for c in self._planner.rank(seen, self.view, peaks))
        relief = np.asarray(score.max(axis=0) - level, np.float64)
        return Survey(self.view, seen, relief, offers, time.perf_counter() - begin)

    def _offer(self, candidate: Candidate, prominence: float) -> Offer:
        try:
            return Offer(candidate, prominence, plan_pick(self._pinches, self._start, candidate.pinch))
        except OutOfReachError as error:
            return Offer(candidate, prominence, None, str(error))


def table_level(score: Logits) -> float:
    """What a grasp of the bare table scores, from a map (rotations, size, size)."""
    return float(np.percentile(score.max(axis=0), TABLE_PERCENTILE))
