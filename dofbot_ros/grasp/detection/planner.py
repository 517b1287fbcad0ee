"""From a view to grasps, best first: what the network, or a baseline, proposes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.grasp.detection.crop import close_ups
from dofbot_ros.grasp.detection.model_io import GraspModel, Logits
from dofbot_ros.grasp.detection.view import TopDownView, rotation_yaw
from dofbot_ros.grasp.planning.planar_plan import PlanarGrasp

APART_PIXELS = 3
"""Candidates nearer to a better one than this, at a neighbouring rotation, are the same grasp."""


@dataclass(frozen=True)
class Candidate:
    """A grasp that is proposed.

    Attributes:
        pinch: where and along which line.
        score: the higher the better; of networks that learnt from failures too, the logit that it holds.
        peak: what the network's map says there.
    """

    pinch: PlanarGrasp
    score: float
    peak: float = math.nan

    @property
    def chance(self) -> float:
        """How likely it is to hold, 0..1, by its score."""
        return 0.5 * (1.0 + math.tanh(0.5 * self.score))


class GraspPlanner(Protocol):
    """Anything that proposes grasps."""

    name: str

    def candidates(self, image: ImageArray, view: TopDownView) -> list[Candidate]:
        """Grasps for a view, best first; none where there is nothing to grasp."""
        ...


PEAKS = 10
"""Highest places of the map that the ranking network looks at."""

RANKER_SHARE = 0.6
"""Weight of the ranking network's logit against the map's."""


class NetworkPlanner:
    """Proposes the peaks of the network's map, in the order of the ranking network where there is one.

    The arm looks the same in a mirror, so the map is the mean of what the network makes of the view and of its mirror
    image. It is smoothed over neighbouring pixels, because a grasp has to hold although nothing hits a pixel exactly.
    The ranking network sees each peak as it is and, with the fingers changing places, in the mirror.

    Args:
        model: the network.
        count: how many candidates at most.
        smoothing: standard deviation [pixels]; 0 for none.
    """

    name = "cnn"

    def __init__(self, model: GraspModel, count: int = PEAKS, smoothing: float = 1.0) -> None:
        self.model = model
        self._count = count
        self._smoothing = smoothing

    def score(self, image: ImageArray) -> Logits:
        """How well a grasp is expected to do, (rotations, size, size): the higher the better."""
        seen, mirrored = self.model.logits(np.stack([image, image[:, ::-1]]))
        # A mirror turns a closing line at +yaw into one at -yaw: rotation k becomes rotation -k.
        rotations = len(seen)
        back = mirrored[-np.arange(rotations) % rotations, :, ::-1]
        score = np.ascontiguousarray(0.5 * (seen + back))
        if self._smoothing > 0.0:
            for plane in score:
                cv2.GaussianBlur(plane, (0, 0), self._smoothing, dst=plane, borderType=cv2.BORDER_REPLICATE)
        return score

    def candidates(self, image: ImageArray, view: TopDownView) -> list[Candidate]:
        """Peaks that are apart from each other, best first."""
        return self.rank(image, view, self.peaks(self.score(image), view))

    def rank(self, image: ImageArray, view: TopDownView, peaks: list[Candidate]) -> list[Candidate]:
        """The best of what peaks() gave, as the ranking network orders it."""
        ranker = self.model.ranker
        if ranker is None or not peaks:
            return peaks[: self._count]
        pinches = [candidate.pinch for candidate in peaks]
        turned = [replace(pinch, yaw=pinch.yaw + math.pi) for pinch in pinches]
        both = np.concatenate([close_ups(image, view, pinches), close_ups(image, view, turned, mirrored=True)])
        found = ranker.logits(both).reshape(2, len(peaks)).mean(axis=0)
        scored = [
            replace(candidate, score=RANKER_SHARE * float(logit) + (1.0 - RANKER_SHARE) * candidate.peak)
            for candidate, logit in zip(peaks, found, strict=True)
        ]
        return sorted(scored, key=lambda candidate: candidate.score, reverse=True)[: self._count]

    def peaks(self, score: Logits, view: TopDownView) -> list[Candidate]:
        """The highest places, apart from each other, in what score() gave, highest first."""
        logits = score.copy()
        rotations = len(logits)
        found = []
        for _ in range(max(self._count, PEAKS)):
            rotation, row, column = (int(v) for v in np.unravel_index(int(logits.argmax()), logits.shape))
            peak = float(logits[rotation, row, column])
            if not math.isfinite(peak):
                break
            x, y = view.to_table(row, column)
            found.append(Candidate(PlanarGrasp(x, y, rotation_yaw(rotation, rotations), view.height), peak, peak))
            rows = slice(max(0, row - APART_PIXELS), row + APART_PIXELS + 1)
            columns = slice(max(0, column - APART_PIXELS), column + APART_PIXELS + 1)
            for near in (-1, 0, 1):
                logits[(rotation + near) % rotations, rows, columns] = -np.inf
        return found
