"""Hands are cut out as they are: drawn ones whose outline is known, and the gaps between the fingers of real ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the imitation needs the extra learn")

import torch

from dofbot_ros.lab.imitation.hand import PALM_M, HandModel
from dofbot_ros.lab.imitation.mask import CROP_PX, HandCutout, cut_out
from dofbot_ros.lab.imitation.silhouette import SIZE, VIEW_M, distances
from dofbot_ros.teleop.input.landmarks import Landmarks

VIDEO = Path(__file__).resolve().parents[5] / "shared" / "data" / "hands" / "human_hand_video.mp4"
EDGE = 2 * CROP_PX
TIPS, MIDDLES = (8, 12, 16, 20), (6, 10, 14, 18)


def drawn(seed: int, wall: tuple[int, int, int], *, flip: bool = False):
    """A lit hand before a wall, RGB (336, 336, 3), its landmarks with a detector's errors, and its true pixels."""
    model, rng = HandModel(17), np.random.default_rng(seed)
    angles = model.sample(1, torch.Generator().manual_seed(seed))
    depth = -distances(model, angles, EDGE)[0].numpy()
    light = (0.75 + 0.35 * np.linspace(0, 1, EDGE))[None, :, None]
    skin = np.array([200.0, 150.0, 125.0]) * light * np.clip(0.8 + 20.0 * depth, 0.8, 1.2)[..., None]
    image = np.where((depth > 0)[..., None], skin, np.array(wall) * (2.0 - light))
    image = cv2.GaussianBlur(image, (0, 0), 1.2) + rng.normal(0.0, 5.0, image.shape)
    points = model.landmarks(angles)[0].numpy()
    pixels = (0.5 + points[:, :2] * (1.0, -1.0) / VIEW_M) * EDGE + rng.normal(0.0, 3.0, (21, 2))
    truth = depth > 0
    if flip:
        image, truth = image[:, ::-1], truth[:, ::-1]
        pixels = (EDGE - 1, 0) + pixels * (-1.0, 1.0)
    seen = Landmarks(np.column_stack([pixels, np.zeros(21)]), points * (1.0, -1.0, -1.0), 1.0)
    return np.ascontiguousarray(np.clip(image, 0, 255).astype(np.uint8)), seen, np.ascontiguousarray(truth)


def overlap(found: HandCutout, seen: Landmarks, truth) -> float:
    """IoU before the wrist with the true pixels, cropped as the picture was."""
    shown = np.repeat(truth.astype(np.uint8)[..., None] * 255, 3, axis=2)
    crop = cut_out(shown, seen).crop[..., 0]
    true = cv2.resize(np.ascontiguousarray(crop), (SIZE, SIZE), interpolation=cv2.INTER_AREA) > 127
    counts = found.weight > 0
    return float((true & found.silhouette & counts).sum() / ((true | found.silhouette) & counts).sum())


@pytest.mark.parametrize(("wall", "least"), [((150, 155, 165), 0.96), ((60, 80, 60), 0.96), ((190, 140, 118), 0.80)])
def test_a_drawn_hand_is_found_before_any_wall(wall: tuple[int, int, int], least: float) -> None:
    found = []
    for seed in range(8):
        image, seen, truth = drawn(seed, wall)
        found.append(overlap(cut_out(image, seen), seen, truth))
    assert np.mean(found) > least


def test_a_mirrored_picture_gives_the_same_hand() -> None:
    for seed in range(3):
        one, other = (cut_out(*drawn(seed, (150, 155, 165), flip=flip)[:2]) for flip in (False, True))
        assert one.mirrored is not other.mirrored
        assert (one.silhouette == other.silhouette).mean() > 0.98


@pytest.mark.slow
@pytest.mark.skipif(not VIDEO.exists(), reason="the video of a hand in ../shared/data is not here")
def test_the_wall_between_two_fingers_is_no_hand() -> None:
    pytest.importorskip("mediapipe", reason="hands are found by MediaPipe, extra teleop")
    from dofbot_ros.teleop.config import TeleopConfig
    from dofbot_ros.teleop.input.mediapipe_detector import MediapipeDetector

    video, detector = cv2.VideoCapture(str(VIDEO)), MediapipeDetector(TeleopConfig())
    between, along = [], []
    for number in range(480):
        if not video.grab() or number % 12:
            continue
        image = np.ascontiguousarray(video.retrieve()[1][..., ::-1])
        hand = detector.detect(image, number / 30.0 + 1.0).hand
        if hand is None:
            continue
        found = cut_out(image, hand)
        points = np.asarray(hand.image[:, :2], float)
        palm = points[9] - points[0]
        # The crop's landmarks: middle of the palm in the middle of the view, see _crop.
        placed = (points - points[0] - 0.53 * palm) * (PALM_M / VIEW_M * SIZE / np.linalg.norm(palm)) + 0.5 * SIZE
        if found.mirrored:
            placed[:, 0] = SIZE - placed[:, 0]
        for i in range(3):
            tips, middles = placed[[TIPS[i], TIPS[i + 1]]], placed[[MIDDLES[i], MIDDLES[i + 1]]]
            if np.linalg.norm(middles[1] - middles[0]) > 4.5 and np.linalg.norm(tips[1] - tips[0]) > 6.0:
                column, row = (0.5 * (tips + middles)).mean(axis=0).astype(int)
                between.append(bool(found.silhouette[row, column]))
        for i in (10, 11, 12):
            column, row = placed[i].astype(int)
            along.append(bool(found.silhouette[row, column]))
    detector.close()
    assert len(between) > 30
    assert np.mean(between) < 0.1
    assert np.mean(along) > 0.9
