"""Activation maximisation: the input that excites a feature of a layer most (Erhan et al., Visualizing Higher-Layer
Features of a Deep Network, 2009), found by gradient ascent at growing resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.errors import InputError
from dofbot_ros.lab.analysis.network import InputSpec, Network, activations, recording

SHARES = (0.5, 0.75, 1.0)
"""Resolutions through which a picture grows, as shares of the network's own."""

LAST_STAGE = 3
"""So many times as many steps are made at the network's own resolution as at each of the others."""

RATE = 0.3
"""Of Adam, on logits of the input between its bounds."""

SMOOTHNESS = 0.05
"""Weight of the mean squared step between neighbouring pixels, in units of the input's range, against the activation in
units of its first value: filters answer to noise too, but people do not see what it means."""

STARTS = 64
"""Patterns of noise of which each search begins with the best."""


@dataclass(frozen=True, eq=False)
class Maximum:
    """Inputs that excite features most.

    Attributes:
        features: which of the layer's.
        inputs: one a feature, as the network takes them, (k, ...).
        before: activations of the inputs that the search began with, (k,).
        after: of those that it found, (k,).
    """

    features: tuple[int, ...]
    inputs: Tensor
    before: NDArray[np.float64]
    after: NDArray[np.float64]

    @property
    def rose(self) -> NDArray[np.bool_]:
        """Whether each activation rose, (k,)."""
        return np.asarray(self.after > self.before)


def response(activation: Tensor) -> Tensor:
    """How strongly each feature answers, (n, features): its mean over rows and columns."""
    return activation if activation.ndim == 2 else activation.flatten(2).mean(dim=2)


def maximize(
    network: Network,
    layer: str,
    features: Sequence[int],
    *,
    steps: int = 40,
    seed: int = 0,
    others: Sequence[Tensor] = (),
    report: Callable[[int, int], None] | None = None,
) -> Maximum:
    """Search for the inputs that excite `features` of `layer` most, within the bounds of what the network can be given.

    Args:
        network: with a description of its inputs.
        layer: its name.
        features: channels of a convolution, or units.
        steps: of gradient ascent at each resolution, LAST_STAGE times as many at the last.
        seed: of the noise that it begins with.
        others: the network's inputs after the first, (1, ...) each; they stay as they are.
        report: told how many steps are done, of how many.

    Raises:
        InputError: no such layer or feature, or the network's inputs are not described.
    """
    if not network.inputs:
        raise InputError(f"what {network.name} takes is not described: give NetworkAnalyzer its inputs")
    spec, chosen = network.inputs[0], tuple(features)
    n = len(chosen)
    held = [other.expand(n, *other.shape[1:]) for other in others]
    shares = SHARES if spec.is_picture and spec.multiple < min(spec.shape[1:]) else (1.0,)
    sizes = [_size(spec, share) for share in shares]
    rng = torch.Generator().manual_seed(seed)
    logits = _starts(network, layer, chosen, sizes, held=held, rng=rng)
    start = _value(spec, _resized(logits, sizes[-1]) if spec.is_picture else logits)
    before = _measured(network, layer, chosen, (start, *held))
    scale = torch.from_numpy(np.abs(before)).float().clamp_min(1e-3)
    best, best_value = start, before.copy()
    for stage, size in enumerate(sizes):
        logits = _resized(logits, size) if spec.is_picture else logits
        logits = logits.detach().requires_grad_(True)
        optimiser = torch.optim.Adam([logits], lr=RATE, eps=1e-20)  # gradients are as small as pixels are many
        last = stage == len(sizes) - 1
        for step in range(LAST_STAGE * steps if last else steps):
            optimiser.zero_grad()
            shown = _value(spec, logits)
            with recording(network, [layer]) as found:
                network.module(shown, *held)
            excited = response(found[layer])[torch.arange(n), list(chosen)]
            (_roughness(spec, logits.sigmoid()) * SMOOTHNESS - excited / scale).sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if report is not None:
                report(stage * steps + step + 1, (len(sizes) - 1 + LAST_STAGE) * steps)
        with torch.no_grad():
            reached = _value(spec, _resized(logits, sizes[-1]) if spec.is_picture else logits)
        value = _measured(network, layer, chosen, (reached, *held))
        better = torch.from_numpy(value > best_value)
        best = torch.where(better.view(-1, *(1 for _ in spec.shape)), reached, best)
        best_value = np.maximum(value, best_value)
    return Maximum(chosen, best.detach(), before, best_value)


def best_of(network: Network, layer: str, inputs: Sequence[Tensor], batch: int = 64) -> NDArray[np.float64]:
    """The strongest response of each feature of a layer to real inputs (n, ...), (features,)."""
    best: NDArray[np.float64] | None = None
    for first in range(0, len(inputs[0]), batch):
        part = [one[first : first + batch] for one in inputs]
        found = response(activations(network, [layer], part)[layer]).amax(dim=0).double().numpy()
        best = found if best is None else np.maximum(best, found)
    if best is None:
        raise InputError("there are no real inputs to compare with")
    return best


def _measured(network: Network, layer: str, features: tuple[int, ...], inputs: Sequence[Tensor]) -> NDArray[np.float64]:
    found = response(activations(network, [layer], inputs)[layer])
    return np.asarray(found[torch.arange(len(features)), list(features)].double().numpy())


def _starts(
    network: Network,
    layer: str,
    features: tuple[int, ...],
    sizes: list[tuple[int, ...]],
    *,
    held: Sequence[Tensor],
    rng: torch.Generator,
) -> Tensor:
    """For each feature the one of STARTS patterns of noise that excites it most: a unit that is off has no gradient."""
    spec = network.inputs[0]
    patterns = torch.randn((STARTS, *sizes[0]), generator=rng) * torch.logspace(-1.0, 0.5, STARTS).view(
        -1, *(1 for _ in spec.shape)
    )
    if spec.is_picture:
        # Coarse ones too: later layers answer to blobs, not to single pixels.
        coarse = nn.functional.avg_pool2d(patterns[::2], 4) * 4.0
        patterns[::2] = _resized(coarse, sizes[0])
    shown = _value(spec, _resized(patterns, sizes[-1]) if spec.is_picture else patterns)
    held = [part[:1].expand(STARTS, *part.shape[1:]) for part in held]
    found = response(activations(network, [layer], (shown, *held))[layer])
    _check(network, layer, features, found)
    return patterns[found[:, list(features)].argmax(dim=0)]


def _check(network: Network, layer: str, features: tuple[int, ...], found: Tensor) -> None:
    wrong = [feature for feature in features if not 0 <= feature < found.shape[1]]
    if wrong:
        raise InputError(f"layer {layer} of {network.name} has features 0 to {found.shape[1] - 1}, got {wrong}")


def _size(spec: InputSpec, share: float) -> tuple[int, ...]:
    if not spec.is_picture:
        return spec.shape
    grain = spec.multiple
    return (spec.shape[0], *(max(grain, round(share * extent / grain) * grain) for extent in spec.shape[1:]))


def _resized(logits: Tensor, size: tuple[int, ...]) -> Tensor:
    return nn.functional.interpolate(logits, size=size[1:], mode="bilinear", align_corners=False)


def _value(spec: InputSpec, logits: Tensor) -> Tensor:
    """Inputs within their bounds."""
    low, high = spec.bounds()
    if spec.planes:
        planes = list(spec.planes)
        free = [k for k in range(spec.shape[0]) if k not in planes]
        level = logits[:, planes].mean(dim=(2, 3), keepdim=True).expand(-1, -1, *logits.shape[2:])
        parts = dict(zip(free, logits[:, free].unbind(1), strict=True)) | dict(
            zip(planes, level.unbind(1), strict=True)
        )
        logits = torch.stack([parts[k] for k in range(spec.shape[0])], dim=1)
    return low + (high - low) * logits.sigmoid()


def _roughness(spec: InputSpec, shares: Tensor) -> Tensor:
    """Mean squared difference of neighbours, (n,)."""
    if not spec.is_picture:
        return torch.zeros(len(shares))
    across, down = shares.diff(dim=3).square(), shares.diff(dim=2).square()
    return across.mean(dim=(1, 2, 3)) + down.mean(dim=(1, 2, 3))
