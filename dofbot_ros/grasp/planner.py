"""From a view to grasps, best first: what the network, or a baseline, proposes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.grasp.model_io import GraspModel
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

    Args:
        model: the network.
        count: how many candidates at most.
    """

    name = "cnn"

    def __init__(self, model: GraspModel, count: int = 10) -> None:
        self.model = model
        self._count = count

    def candidates(self, image: ImageArray, view: TopDownView) -> list[Candidate]:
        """Peaks that are apart from each other, best first."""
        logits = self.model.logits(image)
        rotations = len(logits)
        found = []
        for _ in range(self._count):
            rotation, row, column = (int(v) for v in np.unravel_index(int(logits.argmax()), logits.shape))
            score = float(logits[rotation, row, column])
            if not math.isfinite(score):
                break
            x, y = view.to_table(row, column)
            found.append(Candidate(Pinch(x, y, rotation_yaw(rotation, rotations), view.height), score))
            rows = slice(max(0, row - APART_PIXELS), row + APART_PIXELS + 1)
            columns = slice(max(0, column - APART_PIXELS), column + APART_PIXELS + 1)
            for near in (-1, 0, 1):
                logits[(rotation + near) % rotations, rows, columns] = -np.inf
        return found
