"""Recorder: what a network of linear layers looks like at one moment of its training, as one frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

MOST_UNITS = 24
"""Units of a layer that are shown: those with the strongest effect on the next layer."""

GRID = 20
"""Points along each side of the plane in which a unit's field is drawn."""

STRONGER = 1.5
"""A unit takes the place of a weaker one that is shown only when it is so many times as strong: pictures stay calm."""

DEAD = 1e-3
"""A unit whose activation varies by less over all samples tells nothing: it is dead."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A network at one moment. Layers are told from the input to the output; of wide ones, the units that are shown.

    Attributes:
        step: of the training.
        loss: at this step.
        score: share of the samples that are answered right, or another figure of success; nan where there is none.
        sizes: units of each layer.
        units: numbers of those that are shown, in each layer.
        weights: from the shown units of a layer to those of the next, (next, this).
        activations: (samples, shown).
        dead: whether a shown unit tells nothing, (shown,).
        fields: activation of each shown unit over the plane of two inputs, first row at the top, (shown, GRID, GRID);
            empty for networks of more inputs.
    """

    step: int
    loss: float
    score: float
    sizes: tuple[int, ...]
    units: tuple[NDArray[np.int64], ...]
    weights: tuple[NDArray[np.float32], ...]
    activations: tuple[NDArray[np.float32], ...]
    dead: tuple[NDArray[np.bool_], ...]
    fields: tuple[NDArray[np.float32], ...] = ()

    def flow(self, layer: int, sample: int | None) -> NDArray[np.float32]:
        """Weight times activation of the links that leave a layer, (next, this): of a sample, or their mean size.

        A link's colour is the sign of it. Of all samples together the sign is the weight's.
        """
        weight = self.weights[layer]
        if sample is None:
            return np.asarray(weight * np.abs(self.activations[layer]).mean(axis=0), np.float32)
        return np.asarray(weight * self.activations[layer][sample], np.float32)


class Recorder:
    """Takes frames of a network.

    Args:
        layers: its linear layers, in order.
        activation: what lies between them.
        last: what follows the last one.
        samples: that are watched, (n, inputs).
    """

    def __init__(
        self,
        layers: Sequence[nn.Linear],
        activation: Callable[[Tensor], Tensor],
        last: Callable[[Tensor], Tensor],
        samples: Tensor,
    ) -> None:
        self._layers, self._activation, self._last = tuple(layers), activation, last
        self.samples = samples.float()
        self._shown: list[NDArray[np.int64] | None] = [None] * (len(layers) + 1)
        self._plane = _plane() if layers[0].in_features == 2 else None

    @torch.no_grad()
    def frame(self, step: int, loss: float, score: float = math.nan) -> Frame:
        """The network as it is now."""
        values = self._values(self.samples)
        weights = [layer.weight.detach().float().cpu().numpy() for layer in self._layers]
        for k, value in enumerate(values):
            self._shown[k] = self._choose(k, value, weights)
        units = tuple(np.asarray(shown) for shown in self._shown)
        fields: tuple[NDArray[np.float32], ...] = ()
        if self._plane is not None:
            fields = tuple(
                value[:, shown].T.reshape(-1, GRID, GRID)
                for value, shown in zip(self._values(self._plane), units, strict=True)
            )
        return Frame(
            step,
            loss,
            score,
            tuple(value.shape[1] for value in values),
            units,
            tuple(weight[np.ix_(units[k + 1], units[k])] for k, weight in enumerate(weights)),
            tuple(value[:, shown] for value, shown in zip(values, units, strict=True)),
            tuple(np.ptp(value[:, shown], axis=0) < DEAD for value, shown in zip(values, units, strict=True)),
            fields,
        )

    def _values(self, inputs: Tensor) -> list[NDArray[np.float32]]:
        """Activations of every layer, the input among them, (n, units) each."""
        value = inputs.to(self._layers[0].weight.device)
        found = [value]
        for k, layer in enumerate(self._layers):
            value = layer(value)
            value = self._last(value) if k == len(self._layers) - 1 else self._activation(value)
            found.append(value)
        return [one.float().cpu().numpy() for one in found]

    def _choose(self, layer: int, value: NDArray[np.float32], weights: list[NDArray[np.float32]]) -> NDArray[np.int64]:
        size = value.shape[1]
        if size <= MOST_UNITS:
            return np.arange(size)
        strength = value.std(axis=0)
        if layer < len(weights):
            strength = strength * np.abs(weights[layer]).sum(axis=0)
        before = self._shown[layer]
        if before is not None:
            strength = strength.copy()
            strength[before] *= STRONGER
        return np.sort(np.argsort(-strength, kind="stable")[:MOST_UNITS])


def _plane() -> Tensor:
    """Points of the plane -1.1..1.1, row by row from the top, (GRID * GRID, 2)."""
    along = np.linspace(-1.1, 1.1, GRID, dtype=np.float32)
    x, y = np.meshgrid(along, along[::-1])
    return torch.from_numpy(np.column_stack([x.ravel(), y.ravel()]))
