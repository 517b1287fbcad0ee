"""How far a picture as a whole is shifted, turned and scaled against an earlier one, whatever moved within it.

Patches of the earlier picture are looked for around their places by normalised correlation, which light and contrast do
not change (Lewis, Fast normalized cross-correlation, 1995). One similarity for all is what most of them agree on: a
patch that is covered, or shows something that moved by itself, correlates nowhere and so has no say.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.core.types import BoolArray, FloatArray, ImageArray

WIDTH = 160
"""Pictures are compared at this width [px]: noise and compression are averaged out, and it takes 3 ms."""
HALF, REACH = 6, 7
"""Half the side of a patch, and how far it is looked for, at that width [px]."""
STRIDE = 12
"""From patch to patch [px]."""
LEAST_CONTRAST = 0.8
"""Standard deviation below which a patch shows nothing [% of its brightness]."""
TURN, SCALE = np.radians(1.0), 0.015
"""Steps in which turns [rad] and scales are tried first."""
ROUNDS = 4
"""Of halved steps after that."""
FINER = 5
"""Samples of a correlation for each pixel; odd, so that whole pixels are among them."""
BETTER, LEAST_PATCHES = 0.15, 6
"""A patch speaks for a shift that raises its correlation by more than the first; fewer patches are not looked into."""
CHANNELS = 64
"""Maps that OpenCV resizes at once."""


@dataclass(frozen=True, eq=False)
class PictureShift:
    """What comparing two pictures told.

    Attributes:
        similarity: shift along x and y [px of WIDTH], turn [rad] and relative scale about the picture's middle.
        here: correlation of each patch at its old place, -1..1, shape (n,).
        there: correlation of each patch where `similarity` puts it, shape (n,).
        moved_px: root mean square shift of the patches by `similarity`, in pixels of the whole picture.
    """

    similarity: FloatArray
    here: FloatArray
    there: FloatArray
    moved_px: float


class PatchedPicture:
    """A picture to compare others with.

    Args:
        image: grey (height, width) or RGB (height, width, 3).
    """

    def __init__(self, image: ImageArray) -> None:
        small = _small(image)
        self._factor = image.shape[1] / WIDTH
        height, margin = small.shape[0], HALF + REACH
        ys, xs = (np.arange(margin, size - margin, STRIDE) for size in (height, WIDTH))
        places = [(int(x), int(y)) for y in ys for x in xs]
        cut = {(x, y): small[y - HALF : y + HALF + 1, x - HALF : x + HALF + 1].copy() for x, y in places}
        self._patches = {at: patch for at, patch in cut.items() if float(patch.std()) > LEAST_CONTRAST}
        middle = (0.5 * WIDTH, 0.5 * height)
        self._from_middle = np.array(list(self._patches), dtype=np.float64).reshape(-1, 2) - middle

    def __len__(self) -> int:
        """Number of patches."""
        return len(self._patches)

    def compare(self, image: ImageArray, counted: BoolArray | None = None) -> PictureShift:
        """Find the similarity that most patches agree on.

        Args:
            image: of the same size.
            counted: which patches have a say, shape (n,); all by default.
        """
        small = _small(image)
        found = np.zeros((len(self), 2 * REACH + 1, 2 * REACH + 1), np.float32)
        for correlation, ((x, y), patch) in zip(found, self._patches.items(), strict=True):
            around = small[y - HALF - REACH : y + HALF + REACH + 1, x - HALF - REACH : x + HALF + REACH + 1]
            correlation[:] = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
        chosen = np.ones(len(self), np.bool_) if counted is None else counted
        if not chosen.any():
            return PictureShift(np.zeros(4), np.zeros(len(self)), np.zeros(len(self)), 0.0)
        maps: FloatArray = np.nan_to_num(found, posinf=0.0, neginf=0.0).astype(np.float64)
        here = maps[:, REACH, REACH].copy()
        if np.count_nonzero((maps.max(axis=(1, 2)) - here)[chosen] > BETTER) < LEAST_PATCHES:
            return PictureShift(np.zeros(4), here, here, 0.0)
        maps = _finer(maps)
        best = self._best(maps[chosen], self._from_middle[chosen])
        shifts = _shifts(best, self._from_middle)
        moved_px = self._factor * float(np.sqrt(np.mean(np.sum(shifts[chosen] ** 2, axis=1))))
        return PictureShift(best, here, _looked_up(maps, shifts), moved_px)

    def _best(self, maps: FloatArray, places: FloatArray) -> FloatArray:
        """The similarity (4,) of the highest sum of correlations: from a coarse grid, then by halved steps."""

        def score(similarity: FloatArray) -> float:
            return float(_looked_up(maps, _shifts(similarity, places)).sum())

        maps = np.maximum(maps, 0.0)
        total = maps.sum(axis=0)
        row, column = np.unravel_index(int(total.argmax()), total.shape)
        shift = tuple((float(at) + 0.5) / FINER - 0.5 - REACH for at in (column, row))
        starts = [
            np.array([*at, a * TURN, b * SCALE]) for at in (shift, (0.0, 0.0)) for a in (-1, 0, 1) for b in (-1, 0, 1)
        ]
        best = max(starts, key=score)
        most, steps = score(best), np.array([1.0, 1.0, TURN, SCALE])
        for _ in range(ROUNDS):
            steps = 0.5 * steps
            for i, sign in ((i, sign) for i in range(4) for sign in (-1.0, 1.0)):
                tried = best.copy()
                tried[i] += sign * steps[i]
                if (found := score(tried)) > most:
                    best, most = tried, found
        return best


def _small(image: ImageArray) -> FloatArray:
    """The picture at WIDTH, each pixel as a share of what is around it, so that no light from a side is left [%]."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    size = (WIDTH, round(WIDTH * grey.shape[0] / grey.shape[1]))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(100.0 * small / (cv2.GaussianBlur(small, (0, 0), HALF) + 1.0), np.float32)


def _shifts(similarity: FloatArray, places: FloatArray) -> FloatArray:
    """How far a similarity (4,) shifts places (n, 2) about the middle [px]."""
    x, y, turn, scale = similarity
    rows = places @ np.array([[scale, turn], [-turn, scale]])
    return np.asarray(rows + (x, y))


def _finer(maps: FloatArray) -> FloatArray:
    """The maps (n, m, m) with FINER samples a pixel, through theirs by cubics: straight lines have no new peaks."""
    side = FINER * maps.shape[1]
    stacked = np.moveaxis(maps, 0, -1)
    parts = np.array_split(stacked, range(CHANNELS, stacked.shape[-1], CHANNELS), axis=-1)
    finer = [cv2.resize(np.ascontiguousarray(p), (side, side), interpolation=cv2.INTER_CUBIC) for p in parts]
    return np.concatenate([np.moveaxis(f.reshape(side, side, -1), -1, 0) for f in finer])


def _looked_up(finer: FloatArray, shifts: FloatArray) -> FloatArray:
    """Each of the finer maps at its shift (n, 2) [px]; beyond its edge that of the edge."""
    at = np.rint((shifts + (REACH + 0.5)) * FINER - 0.5).astype(np.int64)
    column, row = np.minimum(np.maximum(at, 0), finer.shape[1] - 1).T
    return np.asarray(finer[np.arange(len(finer)), row, column])
