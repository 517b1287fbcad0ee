"""Renders pictures of a hopping teacher, trains on them what finds keypoints or sums pictures up, and measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.errors import InputError
from dofbot_ros.lab.hopper.learning.keypoint_network import (
    FEATURES,
    KeypointNetwork,
    PictureEncoder,
    in_plane,
    to_pixels,
)
from dofbot_ros.lab.hopper.learning.student_network import KeypointFeatures
from dofbot_ros.lab.hopper.policy import HopperPolicy
from dofbot_ros.lab.hopper.world.body import KEYPOINTS
from dofbot_ros.lab.hopper.world.camera import SIZE, HopperCamera
from dofbot_ros.lab.hopper.world.env import HopperEnv

SHOWN_EVERY = 4
"""Steps between two pictures of an episode."""

ACTION_NOISE = (0.0, 0.3, 0.6)
"""Standard deviations of what is added to the teacher's actions, one for each episode: a student stumbles, too."""

HEAT_CELLS = 0.8
"""Standard deviation of the heat that is wanted around a keypoint [cells of two pixels]."""

PICTURE_SEEDS = 3_000_000
"""First seed of the episodes that are rendered."""

CPU = torch.device("cpu")

Report = Callable[[str, int, int, float], None]
"""Told what is being done, how much of it is done, of how much, and how it goes."""


@dataclass(frozen=True)
class Pictures:
    """Rendered pictures and what is true of them.

    Attributes:
        pictures: (n, 64, 64, 3).
        points: keypoints, x from the centre of mass and height [m], (n, 5, 2).
    """

    pictures: NDArray[np.uint8]
    points: NDArray[np.float32]

    def split(self) -> tuple[Pictures, Pictures]:
        """Nine tenths to learn from, and the last tenth, of other episodes, to measure on."""
        n = len(self.pictures) * 9 // 10
        return Pictures(self.pictures[:n], self.points[:n]), Pictures(self.pictures[n:], self.points[n:])


def render_pictures(teacher: Path, level: str, count: int, path: Path, *, seed: int, report: Report) -> Pictures:
    """Pictures of a hopping teacher, in a new look each; read from `path` where they are there already."""
    if path.exists():
        arrays = load_arrays(path, "set of pictures")
        if {"pictures", "points"} - set(arrays) or len(arrays["pictures"]) != count:
            raise InputError(f"{path} does not hold the {count} pictures of this run: delete it to render them anew")
        return Pictures(arrays["pictures"], arrays["points"])
    env, policy, rng = HopperEnv("source", level), HopperPolicy(teacher), np.random.default_rng([seed, 1])
    camera = HopperCamera(env.body)
    pictures = np.empty((count, SIZE, SIZE, 3), np.uint8)
    points = np.empty((count, len(KEYPOINTS), 2), np.float32)
    done, step, ended = 0, 0, True
    while done < count:
        if ended:
            seen, _ = env.reset(seed=PICTURE_SEEDS + int(rng.integers(1_000_000)))
            noise = float(rng.choice(ACTION_NOISE))
        else:
            action = policy.act(seen[None], [0])[0] + rng.normal(0.0, noise, 3).astype(np.float32)
            seen, _, fallen, cut, _ = env.step(action)
        ended, step = not ended and (fallen or cut), step + 1
        if step % SHOWN_EVERY == 0:
            camera.reset(env.ranges.draw(rng))
            pictures[done], points[done] = camera.picture(), env.body.keypoints()
            done += 1
            report("pictures", done, count, float("nan"))
    camera.close()
    with path.open("wb") as file:
        np.savez(file, pictures=pictures, points=points)
    return Pictures(pictures, points)


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


def train_encoder(data: Pictures, epochs: int, seed: int, report: Report, device: torch.device = CPU) -> PictureEncoder:
    """An encoder whose features tell keypoints linearly, trained on `device` and handed back on the CPU."""
    torch.manual_seed(seed)
    encoder, told = PictureEncoder().to(device), nn.Linear(FEATURES, 2 * len(KEYPOINTS)).to(device)
    scaled = KeypointFeatures().to(device)

    def loss_of(pictures: Tensor, points: Tensor) -> Tensor:
        loss: Tensor = nn.functional.smooth_l1_loss(told(encoder(pictures)), scaled(points.flatten(1)), beta=0.1)
        return loss

    _descend(nn.ModuleList([encoder, told]), data, loss_of, epochs, seed=seed, report=report)
    return encoder.cpu()


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
