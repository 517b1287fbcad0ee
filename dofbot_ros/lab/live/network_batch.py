"""Many small networks of one shape side by side, each with a mask of its own: trained and measured all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


@dataclass
class NetworkBatch:
    """Networks of one shape side by side: weights (networks, in, out) and biases (networks, 1, out) of each layer."""

    weights: list[Tensor]
    biases: list[Tensor]

    def copy(self) -> NetworkBatch:
        """The same weights, apart from these."""
        return NetworkBatch([w.clone() for w in self.weights], [b.clone() for b in self.biases])

    def logits(self, points: Tensor, masks: list[Tensor]) -> Tensor:
        """Answers (networks, n) to points (n, inputs); masks as weights."""
        value = points.expand(len(self.weights[0]), *points.shape)
        for k, (weight, bias, mask) in enumerate(zip(self.weights, self.biases, masks, strict=True)):
            value = torch.baddbmm(bias, value, weight * mask)
            value = value.relu() if k < len(self.weights) - 1 else value
        return value[..., 0]


def fresh_batch(layers: tuple[int, ...], seeds: Sequence[int]) -> NetworkBatch:
    """Networks with weights as He et al. (2015) draw them, each from a generator of its own."""
    weights, biases = [], []
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    for inputs, outputs in pairwise(layers):
        drawn = [torch.randn(inputs, outputs, generator=generator) for generator in generators]
        weights.append(torch.stack(drawn) * (2.0 / inputs) ** 0.5)
        biases.append(torch.zeros(len(seeds), 1, outputs))
    return NetworkBatch(weights, biases)


def joined(parts: list[NetworkBatch]) -> NetworkBatch:
    """All networks of several batches as one."""
    weights = [torch.cat(same).clone() for same in zip(*(part.weights for part in parts), strict=True)]
    biases = [torch.cat(same).clone() for same in zip(*(part.biases for part in parts), strict=True)]
    return NetworkBatch(weights, biases)


def train(batch: NetworkBatch, masks: list[Tensor], points: Tensor, labels: Tensor, *, steps: int, rate: float) -> None:
    """Let each network learn the points (n, inputs) with labels (n,), in place, by Adam on all of them."""
    variables = [*batch.weights, *batch.biases]
    for variable in variables:
        variable.requires_grad_(True)
    optimiser = torch.optim.Adam(variables, lr=rate)
    wanted = labels.expand(len(batch.weights[0]), -1)
    for _ in range(steps):
        optimiser.zero_grad()
        # Summed over the networks: each learns as if it were alone.
        loss = nn.functional.binary_cross_entropy_with_logits(batch.logits(points, masks), wanted, reduction="none")
        loss.mean(dim=1).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    for variable in variables:
        variable.requires_grad_(False)


@torch.no_grad()
def accuracy_of(batch: NetworkBatch, masks: list[Tensor], points: Tensor, labels: Tensor) -> NDArray[np.float64]:
    """Share of the points that each network tells right, (networks,)."""
    right = (batch.logits(points, masks) > 0.0) == (labels > 0.5)
    return np.asarray(right.double().mean(dim=1).numpy())


def keep_largest(batch: NetworkBatch, masks: list[Tensor], share: float) -> list[Tensor]:
    """Of each network the `share` of all its links that are largest, among those that the masks have left."""
    sizes = torch.cat([(w.abs() * m).flatten(1) for w, m in zip(batch.weights, masks, strict=True)], dim=1)
    kept = max(1, round(share * sizes.shape[1]))
    least = sizes.topk(kept, dim=1).values[:, -1]
    return [((w.abs() * m) >= least[:, None, None]).float() * m for w, m in zip(batch.weights, masks, strict=True)]


def shuffled(masks: list[Tensor], generator: torch.Generator) -> list[Tensor]:
    """Masks with as many links in each layer of each network, at random places."""
    found = []
    for mask in masks:
        flat = mask.flatten(1)
        order = torch.rand(flat.shape, generator=generator).argsort(dim=1)
        found.append(flat.gather(1, order).reshape(mask.shape))
    return found
