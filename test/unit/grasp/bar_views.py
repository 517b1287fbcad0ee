"""Small grasp data that are learnt in seconds: a bright bar, closed across its short side."""

from __future__ import annotations

import cv2
import numpy as np

from dofbot_ros.grasp.detection.view import rotation_yaw
from dofbot_ros.grasp.learning.dataset import GraspData

SIZE, ROTATIONS = 32, 2


def bars(count: int, seed: int) -> GraspData:
    """Views of one bar each with the grasp at its middle; every fourth grasp lies beside the bar and failed."""
    rng = np.random.default_rng(seed)
    images, actions, success = [], [], []
    for number in range(count):
        row, column = rng.integers(8, SIZE - 8, size=2)
        rotation = int(rng.integers(ROTATIONS))
        image = np.full((SIZE, SIZE, 3), rng.integers(20, 80), np.uint8)
        # The bar lies square to the closing line; columns run along -y, rows along -x.
        yaw = rotation_yaw(rotation, ROTATIONS) + 0.5 * np.pi
        along = 6 * np.array([-np.sin(yaw), -np.cos(yaw)])
        ends = [tuple(int(v) for v in np.rint((column, row) + sign * along)) for sign in (-1, 1)]
        cv2.line(image, ends[0], ends[1], (230, 220, 90), 4)
        fails = number % 4 == 3
        images.append(image)
        actions.append((row, (column + 9) % SIZE if fails else column, rotation))
        success.append(not fails)
    return GraspData(
        np.array(images), np.array(actions), np.array(success), np.full(count, "bar"), {"rotations": ROTATIONS}
    )
