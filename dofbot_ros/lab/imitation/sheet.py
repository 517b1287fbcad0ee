"""Draws targets beside what imitates them, and where both differ."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dofbot_ros.lab.imitation.hand import Hand
from dofbot_ros.lab.imitation.silhouette import hard

SHOWN_PX = 168
"""Edge of a picture on the sheet [px]."""


def overlap_picture(target: NDArray[np.bool_], shown: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Both silhouettes over each other, BGR: grey where they agree, blue only the target, orange only the hand."""
    picture = np.full((*target.shape, 3), 255, np.uint8)
    picture[target & shown] = (120, 120, 120)
    picture[target & ~shown] = (200, 110, 40)
    picture[~target & shown] = (60, 150, 240)
    return picture


def draw_sheet(model: Hand, targets: Tensor, angles: Tensor, path: Path) -> None:
    """Write a picture with a column for each target: target, render, overlap.

    Args:
        model: of the hand.
        targets: silhouettes (n, 56, 56), true inside.
        angles: that imitate them [rad] (n, dof).
        path: of the PNG.
    """
    # Rendered finely for the eye; the overlap is that of the pixels that count.
    fine = (~hard(model, angles, SHOWN_PX)).numpy().astype(np.uint8) * 255
    coarse = hard(model, angles).numpy()
    columns = []
    for target, render, shown in zip(targets.numpy(), fine, coarse, strict=True):
        given = cv2.resize((~target).astype(np.uint8) * 255, (SHOWN_PX, SHOWN_PX), interpolation=cv2.INTER_NEAREST)
        both = cv2.resize(overlap_picture(target, shown), (SHOWN_PX, SHOWN_PX), interpolation=cv2.INTER_NEAREST)
        parts = [cv2.cvtColor(given, cv2.COLOR_GRAY2BGR), cv2.cvtColor(render, cv2.COLOR_GRAY2BGR), both]
        columns.append(cv2.copyMakeBorder(np.vstack(parts), 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(230, 230, 230)))
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.hstack(columns))
