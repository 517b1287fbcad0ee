"""Which inputs drive an output: saliency, integrated gradients and Grad-CAM, by captum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.errors import InputError, UsageError, one_of, optional_packages
from dofbot_ros.lab.analysis.network import Network

Method = Literal["saliency", "integrated_gradients", "grad_cam"]
METHODS: tuple[Method, ...] = get_args(Method)

Target = int | str | tuple[int, ...] | None
"""Which output: its name, its number in the flat answer, its index in a map; None: the largest."""

COMPLETE = 0.05
"""Integrated gradients take more steps until their sum is within this share of what it should be."""

SMALL = 0.05
"""Changes below this share of the largest among the samples count as this share: nothing is divided by zero."""

PICTURES, VECTORS = 64, 8192
"""Inputs that are given to the network at once."""

FEWEST_STEPS, MOST_STEPS, MOST_PICTURE_STEPS = 64, 1024, 256


@dataclass(frozen=True, eq=False)
class Attribution:
    """What drives an output.

    Attributes:
        method: how it was found.
        target: number of the output in the flat answer, of each sample, (n,).
        inputs: share of every number of every input, (n, ...) each; for Grad-CAM one map (n, 1, rows, columns).
        error: of completeness, relative, the worst of the samples: the shares of integrated gradients add up to the
            output less the baseline's (Sundararajan et al., Axiomatic Attribution for Deep Networks, 2017); nan for
            other methods.
        steps: along the path from the baseline; 0 for other methods.
    """

    method: Method
    target: NDArray[np.int64]
    inputs: tuple[Tensor, ...]
    error: float = float("nan")
    steps: int = 0


def attribute(
    network: Network,
    inputs: Sequence[Tensor],
    method: Method = "integrated_gradients",
    target: Target = None,
    *,
    layer: str | None = None,
    baseline: Sequence[Tensor] | None = None,
) -> Attribution:
    """Attribute an output to the inputs.

    Args:
        network: that answers.
        inputs: (n, ...) each.
        method: saliency: absolute gradients (Simonyan et al., 2013); integrated_gradients; grad_cam (Selvaraju et al.,
            2017), of a convolution.
        target: which output.
        layer: whose map Grad-CAM shows; the network's last convolution with rows and columns by default.
        baseline: what stands for nothing, (1, ...) or (n, ...) each; grey pictures and zeros by default.

    Raises:
        InputError: no such method, output or layer.
        DependencyError: captum is not installed.
    """
    if method not in METHODS:
        raise UsageError(one_of("method", method, METHODS))
    with optional_packages("lab", "attribution"):
        from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Saliency
    given = tuple(part.detach().clone().requires_grad_(True) for part in inputs)
    which = chosen_output(network, given, target)
    answer = _answering(network, which)
    if method == "saliency":
        return Attribution(method, which, _tuple(Saliency(answer).attribute(given)))
    if method == "grad_cam":
        module = network.layer(layer) if layer is not None else last_convolution(network)
        cam = LayerGradCam(answer, module).attribute(given, relu_attributions=True)
        if not isinstance(cam, Tensor) or cam.ndim != 4:
            raise InputError(
                f"Grad-CAM shows where in a picture: layer {layer} of {network.name} has no rows and columns"
            )
        rows_columns = tuple(given[0].shape[2:])
        heat = LayerAttribution.interpolate(cam.detach(), rows_columns, "bilinear")
        return Attribution(method, which, (heat,))
    nothing = tuple(baseline) if baseline is not None else neutral(network, given)
    nothing = tuple(part.expand_as(whole) for part, whole in zip(nothing, given, strict=True))
    with torch.no_grad():
        wanted = answer(*given) - answer(*nothing)
    steps, most = FEWEST_STEPS, MOST_PICTURE_STEPS if given[0].ndim == 4 else MOST_STEPS
    while True:
        shares = _tuple(
            IntegratedGradients(answer, multiply_by_inputs=True).attribute(
                given,
                nothing,
                n_steps=steps,
                method="gausslegendre",
                internal_batch_size=max(PICTURES if given[0].ndim == 4 else VECTORS, len(given[0])),
            )
        )
        total = sum(share.flatten(1).sum(dim=1) for share in shares)
        floor = SMALL * wanted.abs().max().clamp_min(1e-6)
        missing = float(((total - wanted).abs() / wanted.abs().clamp_min(float(floor))).max())
        if missing <= COMPLETE or steps >= most:
            return Attribution(method, which, shares, missing, steps)
        steps *= 2


def chosen_output(network: Network, inputs: Sequence[Tensor], target: Target) -> NDArray[np.int64]:
    """Number of the wanted output in the flat answer to each of n inputs, (n,).

    Raises:
        InputError: there is no such output.
    """
    with torch.no_grad():
        output = network.module(*inputs)
        answer = network.answer(*inputs)
    n, size = answer.shape
    if target is None:
        return np.asarray(answer.argmax(dim=1).numpy())
    if isinstance(target, str):
        if target not in network.outputs:
            raise UsageError(one_of(f"output of {network.name}", target, network.outputs or ("numbers",)))
        target = network.outputs.index(target)
    if isinstance(target, tuple):
        shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else (size,)
        if len(target) != len(shape) or any(not 0 <= k < extent for k, extent in zip(target, shape, strict=True)):
            raise InputError(f"{network.name} answers {shape}: there is no output {target}")
        target = int(np.ravel_multi_index(target, shape))
    if not 0 <= target < size:
        raise InputError(f"{network.name} has outputs 0 to {size - 1}, got {target}")
    return np.full(n, target)


def neutral(network: Network, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What stands for nothing: of pictures their own mean colour, of vectors zeros."""
    del network
    return tuple(
        part.mean(dim=(2, 3), keepdim=True).expand_as(part) if part.ndim == 4 else torch.zeros_like(part)
        for part in inputs
    )


def last_convolution(network: Network) -> nn.Module:
    """The last module of convolutions that is registered.

    Raises:
        InputError: there is none.
    """
    found = [module for module in network.module.modules() if isinstance(module, nn.Conv2d)]
    if not found:
        raise InputError(f"Grad-CAM shows where in a picture: {network.name} has no convolutions")
    return found[-1]


def _answering(network: Network, which: NDArray[np.int64]) -> Callable[..., Tensor]:
    """The chosen output (n,) of inputs; of more samples than were chosen for, steps are repeated sample by sample."""
    index = torch.from_numpy(which)

    def answer(*inputs: Tensor) -> Tensor:
        told = network.answer(*inputs)
        # captum gives all samples at one step of the path, then all at the next.
        rows = index.repeat(len(told) // len(index))
        return told.gather(1, rows[:, None])[:, 0]

    return answer


def _tuple(found: Any) -> tuple[Tensor, ...]:
    parts = found if isinstance(found, tuple) else (found,)
    return tuple(part.detach().float() for part in parts)
