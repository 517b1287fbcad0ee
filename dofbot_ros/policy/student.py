"""ImageStudent: from stacked pictures and the arm's numbers to an action, through the pose network's keypoints."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.policy.keypoint_network import PoseNetwork, Poses
from dofbot_ros.policy.keypoints import BLOCK, KEYPOINTS
from dofbot_ros.policy.pixels import WIDTH

PICTURE_NUMBERS = 2 * len(KEYPOINTS) + 2 + 2 + 1
"""What is kept of a picture: keypoints, the block from the tool, its yaw, whether it is seen."""

TOOL = KEYPOINTS.index("tool")


def picture_numbers(poses: Poses) -> Tensor:
    """What the student goes by, (n, PICTURE_NUMBERS), each about -1..1."""
    half = 0.5 * WIDTH
    places = ((poses.pixels - half) / half).flatten(1)
    away = (poses.pixels[:, BLOCK] - poses.pixels[:, TOOL]) / 10.0
    return torch.cat([places, away.clamp(-3.0, 3.0), poses.yaw, poses.shown.sigmoid()[:, None]], dim=1)


class Head(nn.Module):
    """Acts on the numbers of a few pictures and of the arm.

    Args:
        inputs: numbers.
        actions: numbers.
        width: of its two hidden layers.
    """

    def __init__(self, inputs: int, actions: int, width: int = 256) -> None:
        super().__init__()
        self.centre: Tensor
        self.scale: Tensor
        self.register_buffer("centre", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, actions)
        )

    def fit_scale(self, numbers: NDArray[np.float32]) -> None:
        """Let inputs (n, inputs) have mean 0 and standard deviation 1."""
        self.centre.copy_(torch.from_numpy(numbers.mean(axis=0)))
        self.scale.copy_(torch.from_numpy(np.maximum(numbers.std(axis=0), 1e-3)))

    def forward(self, numbers: Tensor) -> Tensor:
        """Actions (n, actions), -1..1, of numbers (n, inputs)."""
        action: Tensor = self.layers(((numbers - self.centre) / self.scale).clamp(-5.0, 5.0)).tanh()
        return action


class ImageStudent(nn.Module):
    """The policy as it is exported.

    Args:
        network: which reads pictures.
        head: which acts.
        stack: pictures in an observation.
    """

    def __init__(self, network: PoseNetwork, head: Head, stack: int) -> None:
        super().__init__()
        self.network, self.head, self.stack = network, head, stack

    def forward(self, arm: Tensor, goal: Tensor, image: Tensor) -> Tensor:
        """Actions (n, actions), -1..1.

        Args:
            arm: the state layout without the block, (n, a).
            goal: (n, g).
            image: (n, rows, width, 3 x stack), 0..255, newest last.
        """
        n, height, width, _ = image.shape
        pictures = image.view(n, height, width, self.stack, 3).permute(0, 3, 4, 1, 2)
        numbers = picture_numbers(self.network(pictures.reshape(n * self.stack, 3, height, width).float()))
        return self.head(torch.cat([numbers.view(n, self.stack * PICTURE_NUMBERS), arm, goal], dim=1))  # type: ignore[no-any-return]
