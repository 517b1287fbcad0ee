"""Layers as tables and pictures: their order, weights, activations, and what an attribution says of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.errors import InputError
from dofbot_ros.lab.analysis import figures
from dofbot_ros.lab.analysis.attribution import Attribution
from dofbot_ros.lab.analysis.given import to_picture
from dofbot_ros.lab.analysis.network import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_MAPS = 36
"""Features in one figure."""

_CONVOLUTIONS = nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d
_COUNTS = ("out_channels", "out_features", "num_features")


def is_convolution(module: nn.Module) -> bool:
    """Whether it is a convolution of any number of dimensions."""
    return isinstance(module, _CONVOLUTIONS)


def feature_count(network: Network, layer: str) -> int:
    """Features of a layer: its own, or those of the last layer with weights that is registered before it ends.

    Raises:
        InputError: no such layer, or none before it has features.
    """
    network.layer(layer)
    names = [name for name, _ in network.module.named_modules()]
    end = max(k for k, name in enumerate(names) if name == layer or name.startswith(f"{layer}."))
    for name in reversed(names[: end + 1]):
        module = network.module.get_submodule(name)
        found = [getattr(module, key) for key in _COUNTS if isinstance(getattr(module, key, None), int)]
        if found:
            return int(found[0])
    raise InputError(f"layer {layer} of {network.name} has no features, and no layer before it has")


def describe_layers(network: Network) -> list[tuple[str, str, str, float]]:
    """Name, kind, shape and size of the activation of each layer, in the order in which they run on one sample.

    Raises:
        InputError: what the network takes is not described.
    """
    if not network.inputs:
        raise InputError(f"what {network.name} takes is not described: give NetworkAnalyzer its inputs")
    rows: list[tuple[str, str, str, float]] = []
    leaves = [(name, module) for name, module in network.module.named_modules() if name and not list(module.children())]

    def keep(name: str) -> Any:
        def hook(module: nn.Module, _given: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                shape = "x".join(str(extent) for extent in output.shape[1:])
                rows.append((name, type(module).__name__, shape, float(output[0].numel())))

        return hook

    hooks = [module.register_forward_hook(keep(name)) for name, module in leaves]
    try:
        with torch.no_grad():
            network.module(*(torch.zeros(1, *spec.shape) for spec in network.inputs))
    finally:
        for hook in hooks:
            hook.remove()
    return rows


def layer_table(network: Network) -> str:
    """A line a layer, in the order in which they run: name, kind, shape of the activation, parameters."""
    lines = []
    for name, kind, shape, _ in describe_layers(network):
        count = sum(one.numel() for one in network.layer(name).parameters())
        lines.append(f"{name:<32} {kind:<16} {shape:<16} {count:>10,}")
    total = sum(one.numel() for one in network.module.parameters())
    return "\n".join([*lines, f"{total:,} parameters"])


def weight_images(weight: NDArray[Any], where: str) -> list[NDArray[Any]]:
    """Kernels as pictures: of one channel (rows, columns) with their sign, of three as colours.

    Raises:
        InputError: weights of other than 1 or 3 input channels, or none of a convolution.
    """
    if weight.ndim != 4:
        raise InputError(f"{where} has weights of shape {weight.shape}: only those of 2-D convolutions are pictures")
    if weight.shape[1] not in (1, 3):
        raise InputError(f"{where} has {weight.shape[1]} input channels: weights are pictures where there are 1 or 3")
    if weight.shape[1] == 1:
        return [kernel[0] for kernel in weight]
    limit = float(np.abs(weight).max()) or 1.0
    colours = np.clip(127.5 + 127.5 * weight / limit, 0, 255).astype(np.uint8)
    return [kernel.transpose(1, 2, 0) for kernel in colours]


def activation_figure(activation: NDArray[Any], title: str, style: str) -> Figure:
    """One sample's activation: (features, rows, columns) as maps or lines, (features,) as lines."""
    if activation.ndim == 3 and style != "plot":
        shown = list(activation[:MOST_MAPS])
        names = [str(k) for k in range(len(shown))]
        return figures.grid(shown, names, title, cmap="gray" if style == "gray" else "inferno")
    if activation.ndim == 3:
        return figures.lines(activation[:MOST_MAPS].mean(axis=2).T, title, "row, mean over columns")
    return figures.lines(activation.reshape(-1), title, "unit")


def drivers_figure(network: Network, values: NDArray[Any], samples: int) -> Figure:
    """Which numbers drive which outputs: mean sizes of their shares, (numbers, outputs)."""
    names = network.inputs[0].names or tuple(str(k) for k in range(len(values)))
    columns = network.outputs or tuple(str(k) for k in range(values.shape[1]))
    title = f"{network.name}: integrated gradients over {samples} samples"
    return figures.matrix(values, names, columns, title, "mean share of the output")


def attribution_figure(network: Network, inputs: tuple[Tensor, ...], found: Attribution) -> Figure:
    """Heat over the first sample's picture; or, of vectors, which number drives the output in which sample."""
    title = f"{network.name}: {found.method.replace('_', ' ')}"
    if network.outputs:
        title += f" of {', '.join(dict.fromkeys(network.outputs[k] for k in found.target))}"
    if found.method == "integrated_gradients":
        title += f" (completeness error {found.error:.0%})"
    share = found.inputs[0]
    if share.ndim == 4:
        signed = found.method == "integrated_gradients"
        heat = share[0].sum(dim=0) if signed else share[0].abs().amax(dim=0)
        picture = to_picture(network, inputs[0][:1])[0]
        mark = None
        if network.kind == "grasp":
            size = int(inputs[0].shape[-1])
            mark = divmod(int(found.target[0]) % (size * size), size)
        return figures.overlay(
            picture, [heat.numpy()], [found.method.replace("_", " ")], title, signed=signed, mark=mark
        )
    spec = network.inputs[0] if network.inputs else None
    names = spec.names if spec is not None and spec.names else tuple(str(k) for k in range(share.shape[1]))
    samples = [str(k) for k in range(len(share))]
    return figures.matrix(share.abs().T.numpy(), names, samples, title, "share of the output")
