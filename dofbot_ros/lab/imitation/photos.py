"""Imitates the hands of photos and videos: crop, cut-out, angles, and a picture of both beside each other."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from dofbot_ros.core.clock import Clock
from dofbot_ros.core.statistics import bootstrap_mean
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.lab.imitation.hand import Hand
from dofbot_ros.lab.imitation.imitator import NO_NETWORK, Imitator
from dofbot_ros.lab.imitation.landmarks import angles_from_landmarks
from dofbot_ros.lab.imitation.mask import CROP_PX, HandCutout
from dofbot_ros.lab.imitation.refine import Fit, Refined, refine
from dofbot_ros.lab.imitation.seen import find_hand, hand_of_photo, photos_of
from dofbot_ros.lab.imitation.sheet import overlap_picture
from dofbot_ros.lab.imitation.silhouette import hard
from dofbot_ros.teleop.config import TeleopConfig
from dofbot_ros.teleop.input.mediapipe_detector import MediapipeDetector
from dofbot_ros.vision.cameras.capture import CaptureConfig, open_source
from dofbot_ros.vision.cameras.frame_files import read_image
from dofbot_ros.vision.film import Film

PLACED_STEPS = 60
"""Of the fit of a placement alone."""


@dataclass(frozen=True, eq=False)
class Imitated:
    """One picture's hand and what imitates it.

    Attributes:
        cutout: crop, silhouette and landmarks.
        angles: [rad] (dof,).
        placement: of the hand in the crop, see silhouette.distances.
        overlap: IoU before the wrist.
    """

    cutout: HandCutout
    angles: FloatArray
    placement: FloatArray
    overlap: float


def imitate(imitator: Imitator, cutout: HandCutout, *, place: bool = True) -> Imitated:
    """Imitate a photo's hand.

    Args:
        imitator: network and method. Methods that refine find angles and placement together, since nobody's hand has
            the proportions of the simulated one.
        cutout: the hand.
        place: fit the placement of methods that do not refine; otherwise the hand is shown as the crop has it.
    """
    model, steps = imitator.model, 2 * imitator.steps if imitator.refined else PLACED_STEPS if place else 0
    fit: Fit = "both" if imitator.refined else "placement"
    starts = []
    if imitator.network is not None and imitator.method not in NO_NETWORK:
        with torch.no_grad():
            starts.append(imitator.network(torch.from_numpy(cutout.silhouette)[None].float()))
    if imitator.refined or not starts:
        # From both beginnings: a network that has seen capsules only may err on a photo, landmarks in the dark.
        starts.append(angles_from_landmarks(model, torch.from_numpy(cutout.landmarks).float()[None]))
    found = _fitted(model, torch.cat(starts), cutout, steps, fit)
    best = int(found.overlap.argmax())
    return Imitated(cutout, found.angles[best].numpy(), found.placement[best].numpy(), float(found.overlap[best]))


def placed_baseline(model: Hand, cutout: HandCutout) -> float:
    """IoU before the wrist of the angles that landmarks tell, with a placement fitted."""
    read = angles_from_landmarks(model, torch.from_numpy(cutout.landmarks).float()[None])
    return float(_fitted(model, read, cutout, PLACED_STEPS, "placement").overlap)


def _fitted(model: Hand, starts: Tensor, cutout: HandCutout, steps: int, fit: Fit) -> Refined:
    """From each beginning (n, dof)."""
    target, weight = (torch.from_numpy(part).expand(len(starts), -1, -1) for part in (cutout.silhouette, cutout.weight))
    return refine(model, starts, target, steps, fit=fit, weight=weight)


def evaluate_photos(
    imitator: Imitator, folder: Path, report: Callable[[int, float], None] | None = None
) -> dict[str, Any]:
    """Imitate every photo of a folder.

    Returns:
        `mean_iou` with `interval` and `baseline_iou` (placement fitted), all before the wrist and against this
        package's own cut-outs; `no_hand`, names of photos without one; `photos`, how many there are.

    Raises:
        InputError: the folder holds no photos.
    """
    files = photos_of(folder)
    found: list[Imitated] = []
    baseline: list[float] = []
    without: list[str] = []
    for number, file in enumerate(files):
        hand = hand_of_photo(read_image(file))
        if hand is None:
            without.append(file.name)
        else:
            found.append(imitate(imitator, hand))
            baseline.append(placed_baseline(imitator.model, hand))
        if report is not None and found:
            report(number + 1, float(np.mean([each.overlap for each in found])))
    overlaps = [one.overlap for one in found]
    return {
        "mean_iou": float(np.mean(overlaps)) if overlaps else math.nan,
        "interval": list(bootstrap_mean(overlaps, np.random.default_rng(0))) if overlaps else None,
        "baseline_iou": float(np.mean(baseline)) if baseline else math.nan,
        "no_hand": without,
        "photos": len(files),
    }


def follow(
    imitator: Imitator, source: str, out: Path, clock: Clock, report: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Imitate a video, a folder or a camera until it ends; where no hand is seen the last pose is held.

    Methods that do not refine show the hand as the crop has it: to fit its placement would take most of the time.

    Args:
        imitator: network and method.
        source: as cameras are named: a device, a video file, a folder.
        out: folder for imitation.mp4 (crop, silhouette, hand, overlap) and angles.jsonl.
        clock: stamps a camera's frames.
        report: told how many frames are done.

    Returns:
        `frames`, `no_hand` (frames), `mean_iou`, `p95_ms`, `video`.
    """
    camera = open_source(CaptureConfig(video_device=source, framerate=math.inf), clock)
    out.mkdir(parents=True, exist_ok=True)
    detector = MediapipeDetector(TeleopConfig())
    photos = Path(source).is_dir()
    overlaps, took, frames, without = [], [], 0, 0
    held = (0.5 * (imitator.model.lower + imitator.model.upper)).numpy()
    try:
        with (out / "angles.jsonl").open("w", encoding="utf-8") as file, Film(out / "imitation.mp4", 15.0) as film:
            while (frame := camera.read()) is not None:
                begin = time.perf_counter()
                stamp_s = frames / 30.0 + 1.0
                hand = hand_of_photo(frame.image) if photos else find_hand(frame.image, detector, stamp_s)
                one = None if hand is None else imitate(imitator, hand, place=False)
                took.append(1e3 * (time.perf_counter() - begin))
                frames += 1
                if one is None:
                    without += 1
                else:
                    held = one.angles
                    overlaps.append(one.overlap)
                    film.add(side_by_side(imitator.model, one)[..., ::-1])
                line = {"frame": frames, "hand": one is not None, "angles": [round(float(a), 4) for a in held]}
                file.write(json.dumps(line) + "\n")
                if report is not None:
                    report(frames)
    finally:
        detector.close()
        camera.close()
    return {
        "frames": frames,
        "no_hand": without,
        "mean_iou": float(np.mean(overlaps)) if overlaps else math.nan,
        "p95_ms": float(np.quantile(took, 0.95)) if took else math.nan,
        "video": str(out / "imitation.mp4"),
    }


def side_by_side(model: Hand, one: Imitated) -> ImageArray:
    """Crop, its silhouette, the hand, and both over each other, BGR (168, 672, 3)."""
    angles, placement = torch.from_numpy(one.angles)[None], torch.from_numpy(one.placement)[None]
    fine = hard(model, angles, CROP_PX, placement)[0].numpy()
    shown = hard(model, angles, placement=placement)[0].numpy()
    target = one.cutout.silhouette

    def grey(inside: Any) -> Any:
        enlarged = cv2.resize((~inside).astype(np.uint8) * 255, (CROP_PX, CROP_PX), interpolation=cv2.INTER_NEAREST)
        return cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR)

    both = cv2.resize(overlap_picture(target, shown), (CROP_PX, CROP_PX), interpolation=cv2.INTER_NEAREST)
    return np.hstack([one.cutout.crop[..., ::-1], grey(target), grey(fine), both])
