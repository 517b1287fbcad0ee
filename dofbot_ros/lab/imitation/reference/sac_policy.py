"""SacPolicy: what soft actor-critic has learned, as a network from silhouettes to angles."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dofbot_ros.lab.imitation.hand import Hand
from dofbot_ros.lab.imitation.silhouette import SIZE, hard

SAC_WEIGHTS = "sac.safetensors"
WIDTH, FEATURES = 128, 128
"""Of the hidden layers, and of what the convolutions tell."""
STEPS = 20
"""Moves by which the policy comes to its angles: an episode of HandImitation-v0."""


def pair_layers() -> nn.Sequential:
    """Features (n, 128) of target and hand in two channels (n, 2, 56, 56), 0..1."""
    return nn.Sequential(
        nn.Conv2d(2, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, 2, 1),
        nn.ReLU(), nn.Flatten(), nn.Linear(32 * (SIZE // 8) ** 2, FEATURES), nn.ReLU(),
    )  # fmt: skip


class SacPolicy(nn.Module):
    """Moves the hand as the actor does in its mean, from the middle of its ranges, STEPS times.

    Args:
        model: of the hand.
    """

    def __init__(self, model: Hand) -> None:
        super().__init__()
        self._model = model
        self.features = pair_layers()
        self.latent = nn.Sequential(nn.Linear(FEATURES, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU())
        self.mean = nn.Linear(WIDTH, model.dof)

    def forward(self, silhouettes: Tensor) -> Tensor:
        """Angles (n, dof) [rad] after the last move, of silhouettes (n, 56, 56), 0..1."""
        lower, upper = self._model.lower, self._model.upper
        angles = (0.5 * (lower + upper)).expand(len(silhouettes), -1)
        for _ in range(STEPS):
            share = 0.5 * (self.act(torch.stack([silhouettes.float(), hard(self._model, angles).float()], 1)) + 1.0)
            angles = lower + share * (upper - lower)
        return angles

    def act(self, pairs: Tensor) -> Tensor:
        """Actions (n, dof), -1..1 of the ranges, of target and hand in two channels (n, 2, 56, 56), 0..1."""
        acted: Tensor = torch.tanh(self.mean(self.latent(self.features(pairs))))
        return acted
