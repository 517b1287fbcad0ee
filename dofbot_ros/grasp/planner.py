"""From a view to grasps, best first: what the network, or a baseline, proposes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.grasp.model_io import GraspModel, Logits
from dofbot_ros.grasp.pinch_plan import Pinch
from dofbot_ros.grasp.view import TopDownView, rotation_yaw

APART_PIXELS = 3
"""Candidates nearer to a better one than this, at a neighbouring rotation, are the same grasp."""


@dataclass(frozen=True)
class Candidate:
    """A grasp that is proposed.

    Attributes:
        pinch: where and along which line.
        score: the higher the better; comparable within one view.
    """

    pinch: Pinch
    score: float


class GraspPlanner(Protocol):
    """Anything that proposes grasps."""

    name: str

    def candidates(self, image: ImageArray, view: TopDownView) -> list[Candidate]:
        """Grasps for a view, best first; none where there is nothing to grasp."""
        ...


class NetworkPlanner:
    """Proposes the peaks of the network's map.

    The arm looks the same in a mirror, so the map is the mean of what the network makes of the view and of its mirror
    image. It is smoothed over neighbouring pixels, because a grasp has to hold although nothing hits a pixel exactly.

    Args:
        model: the network.
        count: how many candidates at most.
        smoothing: standard deviation [pixels]; 0 for none.
    """

    name = "cnn"

    def __init__(self, model: GraspModel, count: int = 10, smoothing: float = 1.0) -> None:
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
        return self.peaks(self.score(image), view)

    def peaks(self, score: Logits, view: TopDownView) -> list[Candidate]:
        """The candidates in what score() gave."""
        logits = score.copy()
        rotations = len(logits)
        found = []
        for _ in range(self._count):
            rotation, row, column = (int(v) for v in np.unravel_index(int(logits.argmax()), logits.shape))
            peak = float(logits[rotation, row, column])
            if not math.isfinite(peak):
                break
            x, y = view.to_table(row, column)
            found.append(Candidate(Pinch(x, y, rotation_yaw(rotation, rotations), view.height), peak))
            rows = slice(max(0, row - APART_PIXELS), row + APART_PIXELS + 1)
            columns = slice(max(0, column - APART_PIXELS), column + APART_PIXELS + 1)
            for near in (-1, 0, 1):
                logits[(rotation + near) % rotations, rows, columns] = -np.inf
        return found
