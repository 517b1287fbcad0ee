"""A picture of what a pose network finds.

python -m dofbot_ros.policy.perception.keypoint_plot RUN docs/images/policy_keypoints.jpg
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.core.types import ImageArray
from dofbot_ros.policy.perception.keypoint_data import FRAMES_A_WORLD, render_data
from dofbot_ros.policy.perception.keypoint_measure import found
from dofbot_ros.policy.perception.keypoint_train import load_network
from dofbot_ros.policy.perception.keypoints import BLOCK
from dofbot_ros.sim.randomization import load_domain, load_level

ENLARGED = 4
A_ROW = 3
TRUE, FOUND = (255, 255, 255), (255, 60, 60)
"""Colours of what is true and of what the network finds."""


def drawn(run: Path, seed: int = 40) -> ImageArray:
    """Three pictures each of source, target, `wide` and typical desks: true keypoints as white rings, found ones as red
    crosses with a line along a side of the block, which is left out where the network says that the block is hidden."""
    network = load_network(run)
    source = load_domain("source")
    worlds = (source, load_domain("target"), load_level("wide"))
    shown = [render_data(ranges, A_ROW, (seed, i)) for i, ranges in enumerate(worlds)]
    desks = render_data(source, A_ROW * FRAMES_A_WORLD, (seed, len(shown)), desk="typical")
    shown.append(desks.part(slice(None, None, FRAMES_A_WORLD)))
    rows = []
    for data in shown:
        seen = found(network, data.pictures)
        row = []
        for i in range(A_ROW):
            large = cv2.resize(data.pictures[i], None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_NEAREST)
            for true, there in zip(data.pixels[i], seen.pixels[i], strict=True):
                cv2.circle(large, _at(true), 7, TRUE, 1, cv2.LINE_AA)
                cv2.drawMarker(large, _at(there), FOUND, cv2.MARKER_CROSS, 9, 1, cv2.LINE_AA)
            if seen.shown[i] > 0.5:
                side = 5.0 * np.array([np.cos(seen.yaw[i]), np.sin(seen.yaw[i])])
                block = seen.pixels[i, BLOCK]
                cv2.line(large, _at(block - side), _at(block + side), FOUND, 1, cv2.LINE_AA)
            row.append(large)
        rows.append(np.hstack(row))
    return np.asarray(np.vstack(rows), np.uint8)


def _at(pixel: ArrayLike) -> tuple[int, int]:
    u, v = ENLARGED * (np.asarray(pixel) + 0.5) - 0.5
    return round(float(u)), round(float(v))


if __name__ == "__main__":
    cv2.imwrite(sys.argv[2], cv2.cvtColor(drawn(Path(sys.argv[1])), cv2.COLOR_RGB2BGR))
