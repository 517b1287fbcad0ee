"""What a camera saw of targets from several arm poses: points, pixels, and what the servos read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError

IndexArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Observations:
    """Points of targets seen by one camera from several arm poses.

    Attributes:
        read: joint angles that the servos reported at each view, by the nominal calibration, shape (v, 5) [rad].
        view: index of the view of each point, rising, shape (n,).
        target: index of the target of each point, shape (n,).
        points: in the target's frame, shape (n, 3) [m].
        pixels: where they were seen, shape (n, 2) [px].
        side, load: of the joints at each view, see ArmGeometry.joints, shape (v, 5) or none for 0.
    """

    read: FloatArray
    view: IndexArray
    target: IndexArray
    points: FloatArray
    pixels: FloatArray
    side: FloatArray | None = None
    load: FloatArray | None = None

    def __post_init__(self) -> None:
        n = len(self.pixels)
        if not (len(self.view) == len(self.target) == len(self.points) == n):
            raise InputError(f"{n} pixels do not pair with {len(self.points)} points of {len(self.view)} views")
        if not all(np.all(np.isfinite(a)) for a in (self.read, self.points, self.pixels)):
            raise InputError("observations hold a number that is not finite")

    def of_views(self, views: Sequence[int]) -> Observations:
        """Only those views, numbered anew."""
        new = np.full(len(self.read), -1)
        new[list(views)] = np.arange(len(views))
        keep = np.flatnonzero(new[self.view] >= 0)
        keep = keep[np.argsort(new[self.view[keep]], kind="stable")]
        side, load = (None if a is None else a[list(views)] for a in (self.side, self.load))
        seen = self.target[keep], self.points[keep], self.pixels[keep]
        return Observations(self.read[list(views)], new[self.view[keep]], *seen, side, load)


def joined(first: Observations, second: Observations) -> Observations:
    """The views of both, one after the other; both have sides and loads, or neither."""
    pairs = ((first.side, second.side), (first.load, second.load))
    extra = [None if a is None or b is None else np.vstack([a, b]) for a, b in pairs]
    return Observations(
        np.vstack([first.read, second.read]),
        np.concatenate([first.view, second.view + len(first.read)]),
        np.concatenate([first.target, second.target]),
        np.concatenate([first.points, second.points]),
        np.concatenate([first.pixels, second.pixels]),
        *extra,
    )
