"""Trains on pictures of a hopping teacher what finds keypoints, and measures it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.lab.hopper.learning.keypoint_network import KeypointNetwork, in_plane, to_pixels
from dofbot_ros.lab.hopper.learning.pictures import Pictures, Report
from dofbot_ros.lab.hopper.world.camera import SIZE

HEAT_CELLS = 0.8
"""Standard deviation of the heat that is wanted around a keypoint [cells of two pixels]."""


CPU = torch.device("cpu")


def train_keypoints(
    data: Pictures, epochs: int, seed: int, report: Report, device: torch.device = CPU
) -> KeypointNetwork:
    """A network that finds keypoints, trained on `device` and handed back on the CPU."""
    torch.manual_seed(seed)
    network = KeypointNetwork().to(device)
    cells = 0.5 + 2.0 * torch.arange(SIZE // 2, device=device)
    sigma = 2.0 * HEAT_CELLS

    def loss_of(pictures: Tensor, points: Tensor) -> Tensor:
        pixels = to_pixels(points)
        found, heat = network(pictures)
        across = torch.exp(-0.5 * ((cells - pixels[..., :1]) / sigma) ** 2)
        down = torch.exp(-0.5 * ((cells - pixels[..., 1:]) / sigma) ** 2)
        wanted = down[..., :, None] * across[..., None, :]
        wanted = wanted / wanted.sum(dim=(2, 3), keepdim=True).clamp(min=1e-6)
        spread = -(wanted * heat.clamp(min=1e-9).log()).sum(dim=(2, 3)).mean()
        loss: Tensor = nn.functional.smooth_l1_loss(found, pixels) + 0.2 * spread
        return loss

    _descend(network, data, loss_of, epochs, seed=seed, report=report)
    return network.cpu()


def keypoint_errors_mm(network: KeypointNetwork, data: Pictures) -> NDArray[np.float64]:
    """Distances of found from true keypoints (n, 5) [mm]."""
    network.eval()
    with torch.no_grad():
        parts = [in_plane(network(torch.from_numpy(part))[0]).numpy() for part in np.array_split(data.pictures, 16)]
    errors: NDArray[np.float64] = 1e3 * np.linalg.norm(np.concatenate(parts) - data.points, axis=2)
    return errors


def _descend(
    network: nn.Module,
    data: Pictures,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    epochs: int,
    *,
    seed: int,
    report: Report,
    batch: int = 64,
) -> None:
    rng = np.random.default_rng([seed, 2])
    steps = epochs * (len(data.pictures) // batch)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=max(steps, 2), pct_start=0.15)
    device = next(network.parameters()).device
    network.train()
    for step in range(steps):
        chosen = rng.integers(len(data.pictures), size=batch)
        shown, points = (torch.from_numpy(part[chosen]).to(device) for part in (data.pictures, data.points))
        loss = loss_of(shown, points)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        report("networks: gradient steps", step + 1, steps, loss.item())
    network.eval()
