"""A network scored on recorded grasps: hits are counted as they should be, beside baselines without learning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="the network needs the extra learn")

from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.model_io import load_model
from dofbot_ros.grasp.detection.planner import NetworkPlanner
from dofbot_ros.grasp.detection.view import nearest_rotation
from dofbot_ros.grasp.learning.dataset import GraspData, save
from dofbot_ros.grasp.learning.evaluate_dataset import _order, evaluate_dataset

from ..bar_views import bars


def chosen_by_the_network(count: int) -> GraspData:
    """Views with the grasps that the shipped network chooses in them, recorded as having held."""
    model = load_model(share_file("models", "grasp"))
    planner, view, data = NetworkPlanner(model), model.info.view, bars(count, 5)
    images = data.images if data.size == view.size else np.repeat(np.repeat(data.images, 2, axis=1), 2, axis=2)
    actions = []
    for image in images:
        best = planner.candidates(image, view)[0].pinch
        row, column = view.to_pixel(best.x, best.y)
        actions.append((round(row), round(column), nearest_rotation(best.yaw, 8)))
    held = np.ones(count, dtype=bool)
    return GraspData(images, np.array(actions), held, data.family[:count], {"rotations": 8})


def test_grasps_that_it_chose_itself_are_all_hit(tmp_path: Path) -> None:
    data = chosen_by_the_network(6)
    save(data, tmp_path / "own.npz")
    told: list[tuple[int, int]] = []
    result = evaluate_dataset(tmp_path / "own.npz", report=lambda done, of: told.append((done, of)))
    assert result["network"]["both"] == 1.0
    assert result["grasps"] == 6
    assert result["constant"]["rotation_hit"] == pytest.approx(result["commonest_rotation"])
    assert result["centroid"]["rotation_hit"] == pytest.approx(result["commonest_rotation"])
    assert np.isnan(result["order"])
    assert told[-1] == (6, 6)


def test_views_of_another_size_are_brought_to_the_networks(tmp_path: Path) -> None:
    data = chosen_by_the_network(4)
    large = replace(data, images=np.repeat(np.repeat(data.images, 2, axis=1), 2, axis=2))
    large.actions[:, :2] = 2 * large.actions[:, :2] + 1
    save(large, tmp_path / "large.npz")
    assert evaluate_dataset(tmp_path / "large.npz")["network"]["both"] == 1.0


def test_order_counts_ties_half_and_failures_alone_are_refused(tmp_path: Path) -> None:
    assert _order(np.array([3.0, 1.0, 2.0, 1.0]), np.array([True, True, False, False])) == pytest.approx(0.625)
    data = chosen_by_the_network(2)
    save(replace(data, success=np.zeros(2, dtype=bool)), tmp_path / "failed.npz")
    with pytest.raises(InputError, match="holds no grasp that held"):
        evaluate_dataset(tmp_path / "failed.npz")
