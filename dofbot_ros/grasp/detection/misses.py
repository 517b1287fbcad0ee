"""What grasps that held nothing tell of the next: where, and along which line, the fingers should not close again."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.grasp.detection.planner import Candidate
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.planning.planar_plan import PlanarGrasp

NEAR_M = 0.05
"""An object that the fingers have squeezed out, or pushed, is within this of where they closed [m]."""

ALIKE_RAD = math.radians(20.0)
"""Closing lines less apart than this fail alike: less than the steps of a network with eight rotations [rad]."""

PLACE_M = 0.02
"""Where nothing was touched, grasps nearer than this are at the same place [m]."""

CHANGED_LEVELS = 10.0
CHANGED_M2 = 5e-5
"""A change is a difference of so many grey levels of 255, over such an area: more than noise and compression make."""


LESS = 2.5
"""What a miss takes off the logit of a grasp like it: 95 % become 61 %."""


@dataclass(frozen=True)
class Miss:
    """A grasp that held nothing.

    Attributes:
        pinch: where the fingers closed.
        touched: whether something there looks otherwise since.
    """

    pinch: PlanarGrasp
    touched: bool

    def like(self, pinch: PlanarGrasp) -> bool:
        """Whether the grasp `pinch` is likely to hold nothing, too.

        What was touched is there, and was squeezed out: flat sides that are not parallel slide apart along this line.
        Where nothing was touched there is nothing to hold: a print, or something that is not where it seems.
        """
        away = math.dist((pinch.x, pinch.y), (self.pinch.x, self.pinch.y))
        if not self.touched:
            return away < PLACE_M
        return away < NEAR_M and abs(math.remainder(pinch.yaw - self.pinch.yaw, math.pi)) < ALIKE_RAD


class Misses:
    """Grasps that held nothing, one after the other, on one table."""

    def __init__(self) -> None:
        self._misses: list[Miss] = []
        self._last: tuple[PlanarGrasp, ImageArray] | None = None

    def add(self, pinch: PlanarGrasp, before: ImageArray) -> None:
        """Take note of a grasp that held nothing, and of the view before it, RGB (size, size, 3)."""
        self._last = pinch, before

    def look(self, view: TopDownView, after: ImageArray) -> None:
        """See what has changed since the last of them; the hand is not in the view."""
        if self._last is not None:
            pinch, before = self._last
            self._misses.append(Miss(pinch, touched(pinch, view, before, after)))
            self._last = None

    def clear(self) -> None:
        """Forget them: something was held."""
        self._misses.clear()
        self._last = None

    def ordered(self, candidates: list[Candidate]) -> list[Candidate]:
        """The same grasps, the likeliest first when each counts less for every miss that it is like."""
        return sorted(candidates, key=self._score, reverse=True)

    def _score(self, candidate: Candidate) -> float:
        return candidate.score - LESS * sum(miss.like(candidate.pinch) for miss in self._misses)


def touched(pinch: PlanarGrasp, view: TopDownView, before: ImageArray, after: ImageArray) -> bool:
    """Whether the view looks otherwise within NEAR_M of a grasp; other light on all of it is not a change."""
    row, column = view.to_pixel(pinch.x, pinch.y)
    rows, columns = np.ogrid[: view.size, : view.size]
    near = (rows - row) ** 2 + (columns - column) ** 2 <= (NEAR_M / view.resolution) ** 2
    change = after.astype(np.float32) - before
    change = cv2.GaussianBlur(change - np.median(change, axis=(0, 1)), (0, 0), 1.0)
    return (
        float(np.count_nonzero(near & (np.abs(change).max(axis=2) > CHANGED_LEVELS))) * view.resolution**2 > CHANGED_M2
    )
