"""What the backbone is taught on, without grasps: to draw the view again, to name the object, to tell how it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from dofbot_ros.grasp.detection.network import Upsampler
from dofbot_ros.grasp.pretraining.labelled_views import LabelledViews

TaskName = Literal["reconstruction", "classification", "pose"]
TASKS: tuple[str, ...] = get_args(TaskName)

CHANNELS = 40
"""Of the last map of the grasp network's backbone. Any backbone's last map has an eighth of the view's cells a side."""

PLACE_UNIT = 0.25
"""Places are learned in this share of the view's side, which makes them as large as the stretch."""


@dataclass(frozen=True)
class Known:
    """What a step of learning is given besides the backbone's features.

    Attributes:
        clean: the views as the network is given them, before colours and noise were varied (n, 3, size, size).
        family: number of each object's family (n,).
        place: as LabelledViews.place (n, 4).
    """

    clean: Tensor
    family: Tensor
    place: Tensor


class Reconstruction(nn.Module):
    """Draws the view from the backbone's features.

    Args:
        size: pixels along each side of a view.
        channels: of the backbone's last map.
    """

    score_name = "mean squared error"

    def __init__(self, size: int, channels: int = CHANNELS) -> None:
        super().__init__()
        self.size = size
        self.decoder = Upsampler(channels, 32, 3)
        self.paint = nn.Conv2d(32, 3, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, h, w) -> a view in the network's scale (n, 3, size, size)."""
        drawn: Tensor = self.paint(self.decoder(features))
        return nn.functional.interpolate(drawn, size=(self.size, self.size), mode="bilinear", align_corners=False)

    def loss(self, told: Tensor, known: Known) -> Tensor:
        """Mean squared error in the network's scale."""
        return nn.functional.mse_loss(told, known.clean)

    def score(self, told: Tensor, known: Known) -> float:
        """The same."""
        return float(self.loss(told, known))


class Classification(nn.Module):
    """Names the object's family.

    Args:
        families: how many there are.
        channels: of the backbone's last map.
    """

    score_name = "of them named right"

    def __init__(self, families: int, channels: int = CHANNELS) -> None:
        super().__init__()
        self.leave = nn.Linear(channels, families)

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, h, w) -> logits (n, families)."""
        logits: Tensor = self.leave(features.amax(dim=(2, 3)))
        return logits

    def loss(self, told: Tensor, known: Known) -> Tensor:
        """Cross-entropy."""
        return nn.functional.cross_entropy(told, known.family)

    def score(self, told: Tensor, known: Known) -> float:
        """Share of the families that are named."""
        return float((told.argmax(dim=1) == known.family).float().mean())


class Pose(nn.Module):
    """Tells where the middle of the object's outline is, and along which direction it is longer.

    Args:
        size: pixels along each side of a view.
        channels: of the backbone's last map.
    """

    score_name = "pixels off, on average"

    def __init__(self, size: int, channels: int = CHANNELS) -> None:
        super().__init__()
        self.size = size
        cells = size // 8
        self.heat = nn.Conv2d(channels, 1, 1)
        self.stretch = nn.Sequential(
            nn.Conv2d(channels, 16, 1), nn.Flatten(), nn.Linear(16 * cells * cells, 64), nn.ReLU(), nn.Linear(64, 4)
        )
        along = (torch.arange(cells) + 0.5) / cells - 0.5
        self.grid: Tensor
        self.register_buffer("grid", torch.stack(torch.meshgrid(along, along, indexing="ij")).flatten(1).T)

    def forward(self, features: Tensor) -> Tensor:
        """(n, channels, h, w) -> row and column from the view's middle in PLACE_UNIT, stretch: (n, 4)."""
        share = self.heat(features).flatten(1).softmax(dim=1)
        fine = self.stretch(features)
        # The centre of mass of the heat, and what it misses inside of a cell.
        place = share @ self.grid / PLACE_UNIT + 0.25 * fine[:, :2]
        return torch.cat([place, fine[:, 2:]], dim=1)

    def loss(self, told: Tensor, known: Known) -> Tensor:
        """Huber's, of all four."""
        return nn.functional.smooth_l1_loss(told, self._wanted(known), beta=0.1)

    def score(self, told: Tensor, known: Known) -> float:
        """How far off the places are [pixels]."""
        off = (told - self._wanted(known))[:, :2].norm(dim=1)
        return float(off.mean()) * PLACE_UNIT * self.size

    def _wanted(self, known: Known) -> Tensor:
        middle = 0.5 * (self.size - 1)
        return torch.cat([(known.place[:, :2] - middle) / (PLACE_UNIT * self.size), known.place[:, 2:]], dim=1)


Head = Reconstruction | Classification | Pose


def head_of(task: str, size: int, families: int, channels: int = CHANNELS) -> Head:
    """The head that learns `task`, for views of `size` pixels, so many families, and a backbone of so many channels."""
    if task == "reconstruction":
        return Reconstruction(size, channels)
    return Classification(families, channels) if task == "classification" else Pose(size, channels)


def known_of(views: LabelledViews, clean: Tensor) -> Known:
    """What is known of a batch."""
    return Known(clean, torch.from_numpy(views.family), torch.from_numpy(views.place.astype(np.float32)))
