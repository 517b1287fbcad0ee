from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from dofbot_ros.core.types import ImageArray, ToolPose
from dofbot_ros.teleop.config import ReachConfig
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.retargeting.pipeline import TeleopStatus
from dofbot_ros.teleop.sessions import figures
from dofbot_ros.teleop.sessions.overlay import GREEN, RED, Colour, draw_overlay

from ..synthetic_operator import OPEN, RECORDING, Operator, recorded

FOLLOWING = TeleopStatus(True, Reason.START, None, 0.0, False, ToolPose(0.2, 0.0, 0.1, 2.0))
HOLDING = TeleopStatus(False, Reason.HAND_LOST, Reason.HAND_LOST, 0.0, False, None)


def drawn(status: TeleopStatus, observation: Observation | None, size: tuple[int, int] = (480, 640)) -> ImageArray:
    image = np.full((*size, 3), 128, dtype=np.uint8)
    out = draw_overlay(image, observation, status, latency_s=0.02, reach=ReachConfig())
    assert (image == 128).all(), "the frame itself must stay as it is"
    return out


def share(image: ImageArray, colour: Colour) -> float:
    return float((np.abs(image.astype(int) - colour).max(axis=2) < 30).mean())


def test_following_is_green_and_holding_is_red() -> None:
    seen = Operator().at(-0.5, 0.0, 0.0, 1.0)
    following, holding = drawn(FOLLOWING, seen), drawn(HOLDING, seen)
    assert share(following, GREEN) > 10 * share(holding, GREEN)
    assert share(holding, RED) > 10 * share(following, RED)


def test_the_skeleton_lies_on_the_hand() -> None:
    seen = Operator(noise=0.0).at(-0.5, 0.0, 0.0, 1.0)
    assert seen.hand is not None
    with_hand, without = drawn(FOLLOWING, seen), drawn(FOLLOWING, None)
    changed = np.argwhere((with_hand != without).any(axis=2))[:, ::-1]
    low, high = seen.hand.image[:, :2].min(axis=0), seen.hand.image[:, :2].max(axis=0)
    assert np.abs(changed.min(axis=0) - low).max() < 30
    assert np.abs(changed.max(axis=0) - high).max() < 40


@pytest.mark.parametrize("size", [(480, 640), (64, 64), (1080, 1920), (384, 512)])
def test_any_size_and_any_landmark_can_be_drawn(size: tuple[int, int]) -> None:
    wild = recorded(OPEN).image * 1e9
    wild[3] = np.nan
    hand = Landmarks(wild, recorded(OPEN).world, 0.9, None)
    status = replace(FOLLOWING, target=ToolPose(9.0, -9.0, 1e9, 0.0), progress=0.5, clamped=True)
    assert drawn(status, Observation(0.0, size[1], size[0], hand), size).shape == (*size, 3)


@pytest.mark.slow
def test_the_figures_are_drawn_from_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["figures", str(RECORDING), str(tmp_path)])
    assert figures.main() == 0
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == ["teleop_arm.png", "teleop_motion.png", "teleop_overlay.png", "teleop_signs.png"]
    for path in tmp_path.iterdir():
        image = cv2.imread(str(path))
        assert image.shape[1] == 960
        assert image.std() > 5
