"""Measures how well a hand imitates generated targets: overlap, pixels, angles, what its fingers show."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dofbot_ros.core.statistics import bootstrap_mean
from dofbot_ros.lab.imitation.hand import Hand
from dofbot_ros.lab.imitation.imitator import Imitator
from dofbot_ros.lab.imitation.landmarks import angles_from_landmarks, noisy_landmarks
from dofbot_ros.lab.imitation.silhouette import hard, iou

TARGET_SEEDS = 1_000_000
"""Added to the seed: targets are other poses than those of trainings."""


CLEAR = (0.4, 0.6)
"""Share of its bend below which a finger is straight, and beyond which it is bent; between both it is neither."""


def generated_targets(model: Hand, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Angles (n, dof) [rad], silhouettes (n, 56, 56) and noisy landmarks (n, 21, 3) [m] of poses by their seed."""
    generator = torch.Generator().manual_seed(TARGET_SEEDS + seed)
    angles = model.sample(count, generator)
    return angles, hard(model, angles), noisy_landmarks(model, angles, generator)


def evaluate_imitation(
    imitator: Imitator, targets: int, seed: int, report: Callable[[int, float], None] | None = None
) -> dict[str, Any]:
    """Imitate generated targets, one at a time.

    Args:
        imitator: network and method.
        targets: how many.
        seed: of the targets.
        report: told how many are done, and their mean overlap.

    Returns:
        `mean_iou`; `interval` of it (bootstrap, 95 %); `baseline_iou`, of the landmarks' angles; `xor_px`, wrong pixels
        of 3,136; `joint_rms_rad`; `finger_state_accuracy`, share of targets of which each finger that is clearly bent
        or straight is so in the imitation, too; `ms_per_image` with `p95_ms`; `method`, `dof`, `targets`, `seed`.
    """
    model = imitator.model
    angles, silhouettes, landmarks = generated_targets(model, targets, seed)
    baseline = iou(hard(model, angles_from_landmarks(model, landmarks)), silhouettes)
    found, took = [], []
    overlaps: list[float] = []
    for i in range(targets):
        begin = time.perf_counter()
        found.append(imitator.angles(silhouettes[i : i + 1].float(), landmarks[i : i + 1]))
        took.append(1e3 * (time.perf_counter() - begin))
        overlaps.append(float(iou(hard(model, found[-1]), silhouettes[i : i + 1])))
        if report is not None:
            report(i + 1, float(np.mean(overlaps)))
    reached = torch.cat(found)
    wrong = (hard(model, reached) ^ silhouettes).flatten(1).sum(dim=1).float()
    share = model.bend(angles)
    clear = (share < CLEAR[0]) | (share > CLEAR[1])
    states = (((model.bend(reached) > 0.5) == (share > 0.5)) | ~clear).all(dim=1).float()
    return {
        "mean_iou": float(np.mean(overlaps)),
        "interval": list(bootstrap_mean(overlaps, np.random.default_rng(seed))),
        "baseline_iou": float(baseline.mean()),
        "xor_px": float(wrong.mean()),
        "joint_rms_rad": float((reached - angles).square().mean().sqrt()),
        "finger_state_accuracy": float(states.mean()),
        "ms_per_image": float(np.mean(took)),
        "p95_ms": float(np.quantile(took, 0.95)),
        "method": imitator.method,
        "dof": model.dof,
        "targets": targets,
        "seed": seed,
    }
