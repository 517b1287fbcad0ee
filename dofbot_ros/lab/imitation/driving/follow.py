"""Follows the hand in a camera or a recording with an arm, frame by frame, always the newest one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.lab.imitation.driving.drive import HandDrive
from dofbot_ros.lab.imitation.imitator import Imitator
from dofbot_ros.lab.imitation.mask import cut_out, upright_landmarks
from dofbot_ros.teleop.input.landmarks import Detector, Landmarks
from dofbot_ros.teleop.input.latest_frame import NewestFrames


@dataclass(frozen=True, eq=False)
class Looked:
    """What a frame showed.

    Attributes:
        stamp_s: when it was captured [s].
        bends: of thumb to little finger, 0 straight to 1 bent, (5,); None where no hand was seen.
    """

    stamp_s: float
    bends: FloatArray | None


def finger_bends(imitator: Imitator, image: ImageArray, hand: Landmarks) -> FloatArray:
    """How far thumb to little finger are bent, 0 straight to 1 bent, (5,), of a hand in `image` (h, w, 3) RGB."""
    if imitator.method == "landmarks":
        world, _ = upright_landmarks(hand)
        silhouettes = torch.zeros(1, 1, 1)  # not looked at: cutting the hand out takes most of a frame's time
    else:
        cutout = cut_out(image, hand)
        world, silhouettes = cutout.landmarks, torch.from_numpy(cutout.silhouette)[None].float()
    angles = imitator.angles(silhouettes, torch.from_numpy(world).float()[None])
    bends: FloatArray = imitator.model.bend(angles)[0].double().numpy()
    return bends


def follow_hand(
    imitator: Imitator,
    frames: NewestFrames,
    detector: Detector,
    drive: HandDrive,
    report: Callable[[Looked], None] = lambda _: None,
) -> dict[str, Any]:
    """Let the arm follow until the frames end, or are closed.

    Args:
        imitator: tells finger angles; `landmarks` is the quickest, and reads bent fingers best.
        frames: of a camera or a recording at its own pace.
        detector: finds the hand; closed by the caller, as the frames are.
        drive: of the arm.
        report: told after each frame.

    Returns:
        HandDrive's counts, and `dropped`, frames that came while another was looked at.
    """
    while (frame := frames.read()) is not None:
        hand = detector.detect(frame.image, frame.stamp_s).hand
        bends = None if hand is None else finger_bends(imitator, frame.image, hand)
        drive.observe(frame.stamp_s, bends)
        report(Looked(frame.stamp_s, bends))
    return {**drive.finish(), "dropped": frames.dropped}
