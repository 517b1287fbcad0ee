"""Finds the hopper's keypoints in a picture with a trained network, without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.model_files import open_onnx
from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.lab.hopper.world.body import KEYPOINTS

KEYPOINT_MODEL = "keypoints.onnx"


class KeypointReader:
    """The network of one folder.

    Args:
        folder: with keypoints.onnx.

    Raises:
        InputError: there is no such network.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / KEYPOINT_MODEL
        self._session = open_onnx(self._path, "keypoint network")

    def find(self, picture: ImageArray) -> NDArray[np.float32]:
        """Keypoints (5, 2) of a picture (64, 64, 3): x from the centre of mass, and height [m].

        Raises:
            InputError: the network answers something else.
        """
        (points,) = self._session.run(None, {"image": picture[None]})
        if points.shape != (1, len(KEYPOINTS), 2) or not np.isfinite(points).all():
            raise InputError(f"{self._path} is no keypoint network of the hopper: it answers {points.shape}")
        return np.asarray(points[0], np.float32)
