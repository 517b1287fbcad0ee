"""How well a calibration predicts pictures that it was not made from: k-fold cross-validation of rays on targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.calibration.fitting.bundle import Noise, solve
from dofbot_ros.calibration.observations import IndexArray, Observations
from dofbot_ros.calibration.scene import Scene
from dofbot_ros.core.transforms import invert
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError, InputError
from dofbot_ros.vision.intrinsics import UNDISTORTION

BOOTSTRAPS = 500
"""Resampled sets of views behind an interval (Efron, 1979)."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Distances between where camera rays meet a target's plane and the points that were seen there.

    Attributes:
        distances: of each point of each repetition [m], shape (n,).
        view: which view each belongs to, shape (n,).
    """

    distances: FloatArray
    view: IndexArray

    def summary(self, rng: np.random.Generator) -> dict[str, object]:
        """Median, 95th percentile and maximum [mm]; the first two with 95 % intervals from resampled views."""
        by_view = [self.distances[self.view == v] for v in np.unique(self.view)]
        figures = []
        for _ in range(BOOTSTRAPS):
            drawn = np.concatenate([by_view[i] for i in rng.integers(0, len(by_view), len(by_view))])
            figures.append(np.percentile(drawn, [50, 95]))
        low, high = np.percentile(figures, [2.5, 97.5], axis=0) * 1e3
        median, p95 = (float(1e3 * v) for v in np.percentile(self.distances, [50, 95]))
        return {
            "median_mm": median,
            "median_interval_mm": [float(low[0]), float(high[0])],
            "p95_mm": p95,
            "p95_interval_mm": [float(low[1]), float(high[1])],
            "max_mm": float(1e3 * self.distances.max()),
        }


def plane_distances(scene: Scene, x: FloatArray, seen: Observations) -> FloatArray:
    """Distance of each point from where its ray meets its target's plane, shape (n,) [m].

    Args:
        scene: all targets are flat and fixed to base_link.
        x: the calibration, shape (p,).
        seen: the points (z = 0 in the target's frame) and their pixels.
    """
    fx, fy, cx, cy, k1, k2 = scene.lens(x)
    K = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    lens = np.array([k1, k2, 0.0, 0.0, 0.0])
    rays = cv2.undistortPointsIter(seen.pixels[:, None], K, lens, np.eye(3), np.eye(3), UNDISTORTION)[:, 0]
    cameras = scene.camera_poses(x, seen)
    T_target_base = np.array([invert(scene.pose(x, target)) for target in scene.targets])
    T = T_target_base[seen.target] @ cameras[seen.view]
    direction = np.einsum("nij,nj->ni", T[:, :3, :3], np.column_stack([rays, np.ones(len(rays))]))
    origin = T[:, :3, 3]
    hit = origin - direction * (origin[:, 2] / direction[:, 2])[:, None]
    return np.asarray(np.linalg.norm(hit - seen.points, axis=1), dtype=np.float64)


def cross_validate(
    scene: Scene, seen: Observations, noise: Noise, start: FloatArray, *, folds: int = 4, shuffles: Sequence[int] = (0,)
) -> HeldOut:
    """Fit on all but one fold of the views, measure on that fold, for each fold.

    Args:
        scene: the unknowns.
        seen: all measurements.
        noise: of the corners and the servos.
        start: where each fit begins, shape (p,).
        folds: into so many parts.
        shuffles: a seed of the parts for each repetition.

    Raises:
        CalibrationError: a fold leaves a target without a view.
        InputError: fewer views than folds.
    """
    distances, views = [], []
    for kept, left in _splits(len(seen.read), folds, shuffles):
        training, test = seen.of_views(kept), seen.of_views(left)
        lost = sorted(set(test.target.tolist()) - set(training.target.tolist()))
        if lost:
            names = ", ".join(scene.targets[i].name for i in lost)
            raise CalibrationError(f"{names}: seen in too few views to leave some out")
        x = solve(scene, training, noise, start).x
        distances.append(plane_distances(scene, x, test))
        views.append(np.array(left)[test.view])
    return HeldOut(np.concatenate(distances), np.concatenate(views))


def _splits(views: int, folds: int, shuffles: Sequence[int]) -> Iterator[tuple[list[int], list[int]]]:
    if not 2 <= folds <= views:
        raise InputError(f"{views} views make no {folds} folds: at least 2, at most one a view")
    for seed in shuffles:
        order = np.random.default_rng(seed).permutation(views)
        for fold in range(folds):
            left = sorted(order[fold::folds].tolist())
            yield sorted(set(range(views)) - set(left)), left
