"""How exactly marker corners are found, against drawings whose corners are known: OpenCV's filter and the edge fit."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from dofbot_ros.bench.localizer import DrawnScenes
from dofbot_ros.core.transforms import invert
from dofbot_ros.core.types import FloatArray
from dofbot_ros.vision.markers.aruco import MarkerDetector, dictionary_named
from dofbot_ros.vision.markers.block_layout import load_blocks
from dofbot_ros.vision.markers.corners import corner_weight
from dofbot_ros.vision.markers.pose_fit import project

WIDTHS_PX = (4.0, 8.0, 11.0, 16.0, 22.0, 30.0)
"""Classes of the least width of a marker in the image [px]."""


def measure(trials: int = 60, seed: int = 0) -> dict[str, Any]:
    """Compare found corners with drawn ones, on blocks in the air at any orientation.

    Returns:
        opencv_px, refined_px: root mean square distance of the corners of markers at least 16 pixels wide, with
        OpenCV's cornerSubPix and with the edge fit; markers: how many those are; by_width_px: the edge fit's distance
        for each class of least width.
    """
    blocks = load_blocks()
    scenes = DrawnScenes(blocks, lifted=True)
    placed, K = blocks.markers(), scenes.intrinsics.K
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    opencv = cv2.aruco.ArucoDetector(dictionary_named(blocks.dictionary), parameters)
    ours = MarkerDetector(blocks.dictionary)
    rows: list[tuple[float, float, float]] = []
    for k in range(trials):
        image, truth = scenes.show(seed + k)
        found, ids, _ = opencv.detectMarkers(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
        filtered = {int(i): c[0] for i, c in zip([] if ids is None else ids.ravel(), found, strict=True)}
        for marker in ours.detect(image):
            if marker.id not in placed or marker.id not in filtered:
                continue
            where = placed[marker.id]
            T_camera_block = invert(scenes.T_base_camera) @ truth[where.block.name]
            true = project(T_camera_block, where.corners) @ K[:2, :2].T + K[:2, 2]
            width = np.sqrt(corner_weight(true))
            rows.append((float(width), _mean_square(filtered[marker.id], true), _mean_square(marker.corners, true)))
    width, by_filter, by_fit = np.array(rows).T
    large = width >= 16.0
    classes = {
        f"{low:g} to {high:g}": float(np.sqrt(np.mean(by_fit[(width >= low) & (width < high)])))
        for low, high in pairwise(WIDTHS_PX)
        if np.any((width >= low) & (width < high))
    }
    return {
        "markers": int(np.count_nonzero(large)),
        "opencv_px": float(np.sqrt(by_filter[large].mean())),
        "refined_px": float(np.sqrt(by_fit[large].mean())),
        "by_width_px": classes,
    }


def _mean_square(found: FloatArray, true: FloatArray) -> float:
    return float(np.mean(np.sum((found - true) ** 2, axis=-1)))
