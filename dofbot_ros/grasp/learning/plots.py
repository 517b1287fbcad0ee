"""Pictures of a training run: loss curves, and what the network makes of views it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.grasp.detection.overlay import draw_grasp
from dofbot_ros.grasp.detection.view import rotation_yaw
from dofbot_ros.grasp.learning.dataset import GraspData

SCALE = 5
"""Pixels of the picture for a pixel of a view."""

HALF = 12.0
"""Half the length of a closing line: 30 mm in the shipped view [pixels of a view]."""

HELD, FAILED, CHOSEN = (60, 220, 60), (230, 60, 60), (255, 255, 255)


def loss_curves(log: Sequence[dict[str, Any]], path: Path) -> None:
    """Training and validation loss over the epochs."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    epochs = [line["epoch"] for line in log]
    for name, label in (("train_loss", "training"), ("val_loss", "validation")):
        axes.plot(epochs, [line[name] for line in log], label=label)
    best = min(log, key=lambda line: float(line["val_loss"]))
    axes.plot(best["epoch"], best["val_loss"], "o", color="black", label=f"kept: epoch {best['epoch']}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)


def predictions(data: GraspData, logits: np.ndarray[Any, np.dtype[np.float32]], path: Path) -> None:
    """Views with the grasp that was tried (green held, red failed), the best one found (white), and the heat map.

    Args:
        data: n views.
        logits: (n, rotations, size, size).
        path: of the picture.
    """
    cells = []
    for image, action, success, scores in zip(data.images, data.actions, data.success, logits, strict=True):
        rotation, row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        picture = _enlarge(image)
        tried, found = (rotation_yaw(int(k), data.rotations) for k in (action[2], rotation))
        draw_grasp(picture, (action[0], action[1]), tried, HELD if success else FAILED, half=HALF, scale=SCALE)
        draw_grasp(picture, (float(row), float(column)), found, CHOSEN, half=HALF, scale=SCALE)
        cells.append(np.vstack([picture, heat_map(image, scores)]))
    rows = [np.hstack(cells[i : i + 6]) for i in range(0, len(cells) // 6 * 6, 6)] or [np.hstack(cells)]
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def heat_map(image: ImageArray, logits: np.ndarray[Any, np.dtype[np.float32]]) -> ImageArray:
    """The best rotation's probability at each pixel, laid over the enlarged view, RGB."""
    best = logits.max(axis=0)
    spread = np.exp(0.5 * (best - best.max()))
    heat = cv2.applyColorMap(_enlarge(np.rint(255 * spread).astype(np.uint8)), cv2.COLORMAP_INFERNO)
    mixed = 0.35 * _enlarge(image) + 0.65 * cv2.cvtColor(heat, cv2.COLOR_BGR2RGB)
    return np.asarray(np.rint(mixed), np.uint8)


def _enlarge(image: ImageArray) -> ImageArray:
    return np.asarray(cv2.resize(image, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_NEAREST), np.uint8)
