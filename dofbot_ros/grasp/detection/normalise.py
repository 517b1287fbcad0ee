"""Pixels as the grasp network takes them; numpy only, so that planning needs no torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from dofbot_ros.core.types import ImageArray

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's channels: what torchvision's weights expect."""

_SCALE = (1.0 / (255.0 * np.array(STD))).astype(np.float32).reshape(1, 3, 1, 1)
_OFFSET = (-np.array(MEAN) / STD).astype(np.float32).reshape(1, 3, 1, 1)


def network_input(images: ImageArray) -> np.ndarray[Any, np.dtype[np.float32]]:
    """RGB uint8 (n, size, size, 3) -> float32 (n, 3, size, size)."""
    return np.asarray(images.transpose(0, 3, 1, 2).astype(np.float32) * _SCALE + _OFFSET)
