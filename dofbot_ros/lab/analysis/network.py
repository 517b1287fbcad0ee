"""A network to analyse: a torch module, what it takes, and what its answers mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from dofbot_ros.errors import InputError, UsageError, one_of

Kind = Literal["grasp", "ranker", "mlp", "pose", "hand", "plain"]
"""What it was trained for; plain: any other torch module."""


@dataclass(frozen=True)
class InputSpec:
    """One input of a network.

    Attributes:
        name: of the input.
        shape: of one sample: (channels, rows, columns) of pictures, (numbers,) of vectors.
        low, high: smallest and largest value that it can have, one for all or one a channel.
        planes: channels of a picture that have the same value everywhere.
        multiple: rows and columns of a picture are multiples of this.
        names: of the numbers of a vector.
    """

    name: str
    shape: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    planes: tuple[int, ...] = ()
    multiple: int = 1
    names: tuple[str, ...] = ()

    @property
    def is_picture(self) -> bool:
        """Whether it has rows and columns."""
        return len(self.shape) == 3

    def bounds(self) -> tuple[Tensor, Tensor]:
        """low and high, ready to be broadcast over samples (n, *shape)."""
        shape = (1, -1, *(1 for _ in self.shape[1:]))
        return torch.tensor(self.low).reshape(shape), torch.tensor(self.high).reshape(shape)


@dataclass(frozen=True, eq=False)
class Network:
    """A module in eval mode with its description.

    Attributes:
        name: for titles and file names.
        kind: what it was trained for.
        module: it takes one tensor an input.
        inputs: their descriptions; the first is the one that pictures show.
        outputs: names of the numbers that it answers, once they are flat; empty where they are too many to name.
        origin: what else is known of it: the view of a grasp network, the spec of a policy.
    """

    name: str
    kind: Kind
    module: nn.Module
    inputs: tuple[InputSpec, ...]
    outputs: tuple[str, ...] = ()
    origin: Any = None

    def answer(self, *inputs: Tensor) -> Tensor:
        """Everything that the network answers, flat (n, k), in the order of its outputs."""
        return flat(self.module(*inputs))

    def layer(self, name: str) -> nn.Module:
        """A module by its name.

        Raises:
            InputError: there is none of this name; the message has the nearest.
        """
        found: dict[str, nn.Module] = dict(self.module.named_modules())
        found.pop("", None)
        if name not in found:
            raise UsageError(one_of(f"layer of {self.name}", name, found))
        return found[name]


def flat(output: Any) -> Tensor:
    """Any answer of a network, (n, k): tensors of tuples, dictionaries and dataclasses one after the other.

    Raises:
        InputError: it holds no tensors.
    """
    parts = [part if part.ndim > 1 else part[:, None] for part in _tensors(output)]
    if not parts:
        raise InputError(f"the network answers {type(output).__name__}, without a tensor in it")
    return torch.cat([part.flatten(1) for part in parts], dim=1)


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif dataclasses.is_dataclass(output):
        yield from _tensors([getattr(output, field.name) for field in dataclasses.fields(output)])
    elif isinstance(output, Mapping):
        yield from _tensors(list(output.values()))
    elif isinstance(output, Sequence) and not isinstance(output, str):
        for part in output:
            yield from _tensors(part)


@contextmanager
def recording(network: Network, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """While it is open, a dictionary has the newest activations (n, ...) of the named layers, by forward hooks."""
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(_module: nn.Module, _given: Any, output: Any) -> None:
            found[name] = next(_tensors(output))

        return hook

    hooks = [network.layer(name).register_forward_hook(keep(name)) for name in names]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def activations(network: Network, names: Sequence[str], inputs: Sequence[Tensor], batch: int = 64) -> dict[str, Tensor]:
    """Activations (n, ...) of the named layers for inputs (n, ...), without gradients.

    Raises:
        InputError: no such layer, or a layer that was not run.
    """
    kept: dict[str, list[Tensor]] = {name: [] for name in names}
    with torch.no_grad(), recording(network, names) as found:
        for first in range(0, len(inputs[0]), batch):
            found.clear()
            network.module(*(part[first : first + batch] for part in inputs))
            for name in names:
                if name not in found:
                    raise InputError(f"layer {name} of {network.name} is not run when the network answers")
                kept[name].append(found[name].detach())
    return {name: torch.cat(parts) for name, parts in kept.items()}
