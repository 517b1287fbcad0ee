"""A small network that learns to tell two kinds of points apart, and is watched while it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from dofbot_ros.config.ranges import Checked, Count, Positive
from dofbot_ros.errors import InputError
from dofbot_ros.lab.live.data_sets import DataSet
from dofbot_ros.lab.live.recorder import Frame, Recorder

Activation = Literal["tanh", "relu"]
LARGEST = 4096
"""Most units of a layer."""


@dataclass(frozen=True)
class LearnConfig(Checked):
    """How a network learns.

    Attributes:
        layers: units of each layer, the inputs first, one output last.
        activation: tanh or relu.
        steps: of Adam, each on all points.
        learning_rate: of Adam.
        frames: that are taken, evenly over the steps.
        seed: of the weights.
        watched: points that frames tell of.
    """

    layers: tuple[int, ...] = (2, 5, 5, 5, 5, 1)
    activation: Activation = "tanh"
    steps: Count = 300
    learning_rate: Positive = 0.02
    frames: Count = 75
    seed: int = 0
    watched: Count = 24

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if len(self.layers) < 2 or self.layers[-1] != 1 or not all(1 <= n <= LARGEST for n in self.layers):
            yield f"layers begin with the inputs and end with one output: 2,5,5,1; got {self.layers}"


def learn(data: DataSet, config: LearnConfig) -> Iterator[Frame]:
    """Train and yield frames; the first before anything is learned, the last at the end.

    Raises:
        InputError: the network takes another number of inputs than the points have.
    """
    inputs = data.points.shape[1]
    if config.layers[0] != inputs:
        raise InputError(f"{data.name} has points of {inputs} numbers: layers begin with {inputs}, got {config.layers}")
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    layers = [_linear(a, b, generator) for a, b in pairwise(config.layers)]
    points, labels = torch.from_numpy(data.points), torch.from_numpy(data.labels)
    between = torch.tanh if config.activation == "tanh" else torch.relu
    optimiser = torch.optim.Adam([p for layer in layers for p in layer.parameters()], lr=config.learning_rate)
    recorder = Recorder(layers, between, torch.sigmoid, points[: config.watched])
    shown = {round(k * config.steps / max(1, config.frames - 1)) for k in range(config.frames)} | {config.steps}
    for step in range(config.steps + 1):
        optimiser.zero_grad()
        logits = _logits(layers, between, points)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels)
        if step in shown:
            right = ((logits > 0.0) == (labels > 0.5)).float().mean()
            yield recorder.frame(step, loss.item(), right.item())
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def _logits(layers: list[nn.Linear], between: object, value: Tensor) -> Tensor:
    for layer in layers[:-1]:
        value = between(layer(value))  # type: ignore[operator]
    answer: Tensor = layers[-1](value)
    return answer[:, 0]


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """With weights as Glorot and Bengio (2010) draw them, from a generator of its own."""
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        bound = (6.0 / (inputs + outputs)) ** 0.5
        layer.weight.copy_(bound * (2.0 * torch.rand(layer.weight.shape, generator=generator) - 1.0))
        layer.bias.zero_()
    return layer
