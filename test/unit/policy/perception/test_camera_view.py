"""A camera's picture is shown to a policy as training's camera would have taken it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.policy.perception.camera_view import CameraView
from dofbot_ros.policy.perception.pixels import nominal_view, shrunk
from dofbot_ros.vision.intrinsics import Intrinsics

WIDTH = 128
NOMINAL = nominal_view(640)[0]


def seen_through(intrinsics: Intrinsics) -> ImageArray:
    """A pattern on the plane at depth 1 as this camera sees it, RGB."""
    columns, rows = np.meshgrid(np.arange(intrinsics.width), np.arange(intrinsics.height))
    pixels = np.stack([columns, rows], axis=-1).reshape(-1, 1, 2).astype(np.float64)
    x, y = cv2.undistortPoints(pixels, intrinsics.K, intrinsics.distortion).reshape(-1, 2).T
    bright = 127 + 60 * np.sin(14 * x) + 60 * np.sin(11 * y + 1.0)
    grey = bright.reshape(intrinsics.height, intrinsics.width).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def test_the_camera_of_the_training_is_only_made_small() -> None:
    picture = seen_through(NOMINAL)
    assert np.array_equal(CameraView(NOMINAL, WIDTH).shown(picture), shrunk(picture, WIDTH))


@pytest.mark.parametrize(
    "intrinsics",
    [
        replace(NOMINAL, distortion=np.array([-0.25, 0.05, 0.001, -0.001, 0.0])),
        replace(
            NOMINAL, K=NOMINAL.K * np.array([[0.85], [0.85], [1.0]]) + np.array([[0, 0, 48], [0, 0, 36], [0, 0, 0]])
        ),
        NOMINAL.scaled(1280, 720),
    ],
    ids=["distorted", "wide", "other shape"],
)
def test_another_camera_shows_the_same(intrinsics: Intrinsics) -> None:
    shown = CameraView(intrinsics, WIDTH).shown(seen_through(intrinsics)).astype(float)
    wanted = shrunk(seen_through(NOMINAL), WIDTH).astype(float)
    inner = np.s_[6:-6, 8:-8]
    assert np.abs(shown - wanted)[inner].mean() < 2.0
    assert np.abs(shown - wanted)[inner].max() < 12.0


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match="its calibration is for"):
        CameraView(NOMINAL, WIDTH).shown(np.zeros((96, 128, 3), np.uint8))
