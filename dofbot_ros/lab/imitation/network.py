"""ImitationNetwork: from a silhouette to the hand's joint angles."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dofbot_ros.lab.imitation.hand import Hand
from dofbot_ros.lab.imitation.silhouette import SIZE


class ImitationNetwork(nn.Module):
    """Convolutions down to 7x7, then two layers; angles stay within the hand's limits.

    Args:
        model: of the hand.
    """

    def __init__(self, model: Hand) -> None:
        super().__init__()

        def layer(inputs: int, outputs: int, stride: int) -> nn.Sequential:
            convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())

        self.layers = nn.Sequential(
            layer(1, 16, 2), layer(16, 32, 2), layer(32, 48, 1), layer(48, 64, 2), layer(64, 64, 1), nn.Flatten(),
            nn.Linear(64 * (SIZE // 8) ** 2, 256), nn.ReLU(), nn.Linear(256, model.dof),
        )  # fmt: skip
        self.lower: Tensor
        self.upper: Tensor
        self.register_buffer("lower", model.lower)
        self.register_buffer("upper", model.upper)

    def forward(self, silhouettes: Tensor) -> Tensor:
        """Angles (n, dof) [rad] of silhouettes (n, 56, 56) or (n, 1, 56, 56), 0..1."""
        share = torch.sigmoid(self.layers(silhouettes.reshape(-1, 1, SIZE, SIZE).float() - 0.5))
        return self.lower + share * (self.upper - self.lower)
