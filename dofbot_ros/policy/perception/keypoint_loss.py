"""What the pose network is taught by: pictures in other light, and the losses of its first look and of its close-up."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.policy.perception.keypoint_data import KeypointData
from dofbot_ros.policy.perception.keypoint_network import HIDDEN_BELOW, STRIDE, PoseNetwork, scaled
from dofbot_ros.policy.perception.keypoints import BLOCK

NEAR_PX = 1.2
"""Standard deviation of a close-up's centre about the block in training [px]: what the first look misses it by."""

LOST, REACH_PX = 0.15, 6.0
"""Share of close-ups that are taken somewhere else, and how far off the block counts as not in them [px]."""

SPREAD_CELLS = 0.7
"""Standard deviation of the heat that is wanted around a keypoint [cells]."""


def augmented(rng: np.random.Generator, pictures: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Pictures (n, rows, width, 3) with brightness, contrast and tint that no light of the simulation has.

    Args:
        rng: draws what is changed.
        pictures: RGB, 0..255.
        device: where the network is.

    Returns:
        Shape (n, 3, rows, width), 0..255.
    """
    n = len(pictures)
    tint = rng.uniform(0.75, 1.25, (n, 1, 1, 1)) * rng.uniform(0.92, 1.08, (n, 3, 1, 1))
    gain = torch.from_numpy(tint).float().to(device)
    offset = torch.from_numpy(rng.uniform(-20.0, 20.0, (n, 1, 1, 1))).float().to(device)
    given = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float()
    return (gain * given + offset).clamp(0.0, 255.0).contiguous(memory_format=torch.channels_last)


def look_loss(
    pixels: Tensor, heat: Tensor, data: KeypointData, chosen: NDArray[np.int64]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of a first look at the pictures `chosen` (n,) of the data, and its parts by name.

    Args:
        pixels: of KEYPOINTS as found, (n, 7, 2).
        heat: logarithms of their heat maps, (n, 7, rows / 2, width / 2).
        data: what is true.
        chosen: numbers of the pictures.
    """
    device = pixels.device
    wanted = torch.from_numpy(data.pixels[chosen]).to(device)
    height, width = heat.shape[2:]
    inside = ((wanted > -0.5) & (wanted < torch.tensor([STRIDE * width, STRIDE * height], device=device) - 0.5)).all(
        dim=2
    )
    weight = inside.float()
    # What is hidden is worth a guess and no more.
    weight[:, BLOCK] *= 2.0 * torch.from_numpy(data.shown[chosen]).to(device).clamp(0.1, 1.0)
    cells = (wanted - 0.5 * (STRIDE - 1)) / STRIDE
    du = torch.arange(width, device=device) - cells[..., :1]
    dv = torch.arange(height, device=device) - cells[..., 1:]
    target = (-0.5 / SPREAD_CELLS**2 * (du[:, :, None, :] ** 2 + dv[:, :, :, None] ** 2)).exp()
    target = target / target.sum(dim=(2, 3), keepdim=True).clamp_min(1e-6)
    spread = (weight * -(target * heat).sum(dim=(2, 3))).mean()
    away = nn.functional.smooth_l1_loss(pixels, wanted, reduction="none", beta=0.5).sum(dim=2)
    place = (weight * away).mean()
    return spread + place, {"heat": spread.detach(), "place": place.detach()}


def closeup_loss(
    network: PoseNetwork, rng: np.random.Generator, data: KeypointData, chosen: NDArray[np.int64]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of close-ups of the pictures `chosen` (n,), and its parts by name.

    Windows lie somewhere near the block, turned anyhow: the few true pictures show it in every way it can lie.
    """
    device = network.closeup.grid.device
    n = len(chosen)
    true = torch.from_numpy(data.pixels[chosen, BLOCK]).to(device)
    jitter = NEAR_PX * rng.standard_normal((n, 2))
    lost = rng.random(n) < LOST
    jitter[lost] += 30.0 * rng.standard_normal((int(lost.sum()), 2))
    centre = true + torch.from_numpy(jitter).float().to(device)
    turn = torch.from_numpy(rng.uniform(-math.pi, math.pi, n)).float().to(device)
    offset, yaw, sight = network.closeup(scaled(augmented(rng, data.pictures[chosen], device)), centre, turn)
    away = true - centre
    cos, sin = turn.cos(), turn.sin()
    wanted = torch.stack([cos * away[:, 0] + sin * away[:, 1], cos * away[:, 1] - sin * away[:, 0]], dim=1)
    there = (away.abs().amax(dim=1) < REACH_PX) & (torch.from_numpy(data.shown[chosen]).to(device) >= HIDDEN_BELOW)
    seen = there.float()
    angle = 4.0 * (torch.from_numpy(data.yaw[chosen]).to(device) - turn)
    missed = nn.functional.smooth_l1_loss(offset, wanted, reduction="none", beta=0.3).sum(dim=1)
    turned = (yaw - torch.stack([angle.cos(), angle.sin()], dim=1)).square().sum(dim=1)
    place, spin = (seen * missed).mean(), (seen * turned).mean()
    told = nn.functional.binary_cross_entropy_with_logits(sight, seen)
    return place + spin + 0.5 * told, {"offset": place.detach(), "yaw": spin.detach(), "sight": told.detach()}
