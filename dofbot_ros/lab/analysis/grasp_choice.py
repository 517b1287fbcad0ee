"""Which of a grasp network's outputs is the grasp that the planner chooses, and what surrounds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.model_io import load_model
from dofbot_ros.grasp.detection.planner import NetworkPlanner
from dofbot_ros.grasp.detection.view import nearest_rotation


def chosen_grasp(run: Path, picture: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Rotation, row and column of the best grasp, by the map and the ranking network of a run.

    Args:
        run: folder with model.onnx, and ranker.onnx where there is one.
        picture: the view, RGB (size, size, 3).

    Raises:
        InputError: there is no such run, or nothing to grasp in the view.
    """
    model = load_model(run)
    view = model.info.view
    found = NetworkPlanner(model).candidates(picture, view)
    if not found:
        raise InputError("the planner finds nothing to grasp in this view")
    best = found[0].pinch
    row, column = (min(max(round(v), 0), view.size - 1) for v in view.to_pixel(best.x, best.y))
    return nearest_rotation(best.yaw, model.info.network.rotations), row, column
