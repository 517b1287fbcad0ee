"""Scores a grasp network on recorded grasps: does it find the place and the closing line of those that held?"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.statistics import wilson
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.model_io import load_model
from dofbot_ros.grasp.detection.planner import NetworkPlanner
from dofbot_ros.grasp.detection.view import TopDownView, nearest_rotation, rotation_yaw
from dofbot_ros.grasp.learning.baselines import MomentsPlanner
from dofbot_ros.grasp.learning.dataset import GraspData, load

NEAR_PIXELS = 3.0
"""A place within this of the recorded one is a hit [pixels of the network's view]."""

Place = tuple[float, float, int]
"""Row, column and rotation of a grasp."""


def evaluate_dataset(
    path: Path, model: Path | None = None, report: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Compare what is proposed for each recorded view with the grasp that held there.

    Views of another size are brought to the network's, and actions with them; closing lines are compared at the
    network's rotations. An object has many good grasps and only one was recorded: the rates are no success rates.

    Args:
        path: npz of recorded grasps; those that failed serve `order` alone.
        model: a run's folder; the shipped network by default.
        report: told how many views are done, of how many.

    Returns:
        `grasps`: that held; `network`, `constant` (the median place and the commonest rotation of the file) and
        `centroid` (the middle of the largest patch, the commonest rotation): for each the rates of `pixel_hit`,
        `rotation_hit` and `both`, with `..._interval` (Wilson, 95 %); `rotation_at_place`: the network's best closing
        line at the recorded place; `commonest_rotation`: its share; `order`: probability that a grasp that held is
        rated above one that failed (nan without failures).

    Raises:
        InputError: no such file or network, or no grasp in it that held.
    """
    network = load_model(model)
    view, rotations = network.info.view, network.info.network.rotations
    data = _fitted(load(path), view.size, rotations)
    held = np.flatnonzero(data.success)
    if not len(held):
        raise InputError(f"{path} holds no grasp that held: there is nothing to compare with")
    planner, moments = NetworkPlanner(network), MomentsPlanner()
    truth = data.actions[held]
    commonest = int(np.bincount(truth[:, 2]).argmax())
    constant = (*(float(v) for v in np.median(truth[:, :2], axis=0)), commonest)
    found: dict[str, list[Place]] = {"network": [], "constant": [], "centroid": []}
    at_place: list[int] = []
    rating = np.empty(len(data))
    for k, image in enumerate(data.images):
        score = planner.score(image)
        row, column, rotation = (int(v) for v in data.actions[k])
        rating[k] = score[rotation, row, column]
        if data.success[k]:
            best = planner.rank(image, view, planner.peaks(score, view))[0].pinch
            found["network"].append((*view.to_pixel(best.x, best.y), nearest_rotation(best.yaw, rotations)))
            found["constant"].append((constant[0], constant[1], commonest))
            found["centroid"].append((*_centroid(moments, image, view), commonest))
            at_place.append(int(score[:, row, column].argmax()))
        if report is not None:
            report(k + 1, len(data))
    rates = {name: _rates(places, truth) for name, places in found.items()}
    right = int((np.array(at_place) == truth[:, 2]).sum())
    return {
        "grasps": len(held),
        "near_pixels": NEAR_PIXELS,
        **rates,
        "rotation_at_place": right / len(held),
        "rotation_at_place_interval": list(wilson(right, len(held))),
        "commonest_rotation": float((truth[:, 2] == commonest).mean()),
        "order": _order(rating, data.success),
    }


def _fitted(data: GraspData, size: int, rotations: int) -> GraspData:
    """The same grasps in views of `size` pixels, at `rotations` closing lines."""
    images, actions = data.images, data.actions.copy()
    if data.size != size:
        images = np.array([cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in images], np.uint8)
        actions[:, :2] = np.clip((actions[:, :2] + 0.5) * size / data.size, 0, size - 1).astype(np.int64)
    if data.rotations != rotations:
        actions[:, 2] = [nearest_rotation(rotation_yaw(int(k), data.rotations), rotations) for k in actions[:, 2]]
    return GraspData(images, actions, data.success, data.family, data.meta)


def _centroid(moments: MomentsPlanner, image: NDArray[np.uint8], view: TopDownView) -> tuple[float, float]:
    patches = moments.candidates(image, view)
    middle = 0.5 * (view.size - 1)
    return view.to_pixel(patches[0].pinch.x, patches[0].pinch.y) if patches else (middle, middle)


def _rates(places: list[Place], truth: NDArray[np.int64]) -> dict[str, Any]:
    near = np.array(
        [
            math.dist(place[:2], (float(row), float(column))) <= NEAR_PIXELS
            for place, (row, column, _) in zip(places, truth, strict=True)
        ]
    )
    turned = np.array([place[2] for place in places]) == truth[:, 2]
    told: dict[str, Any] = {}
    for name, hit in (("pixel_hit", near), ("rotation_hit", turned), ("both", near & turned)):
        told[name] = float(hit.mean())
        told[f"{name}_interval"] = list(wilson(int(hit.sum()), len(hit)))
    return told


def _order(rating: NDArray[np.float64], success: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often a success is rated above a failure, ties counting half."""
    good, bad = rating[success], rating[~success]
    if not len(good) or not len(bad):
        return math.nan
    return float(((good[:, None] > bad).mean() + (good[:, None] >= bad).mean()) / 2.0)
