"""NetworkAnalyzer on the shipped networks: does every method work, how long, how well."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import InputError
from dofbot_ros.lab.analysis.analyzer import NetworkAnalyzer
from dofbot_ros.lab.analysis.attribution import COMPLETE, attribute
from dofbot_ros.lab.analysis.loading import load_network
from dofbot_ros.lab.analysis.maximize import best_of, maximize
from dofbot_ros.lab.analysis.network import Network
from dofbot_ros.lab.analysis.samples import Samples, real_samples

FILTERS = 9
"""That are maximised in a layer."""

LAYERS = 3
"""Convolutions, or linear layers, of a network whose filters are maximised: the first, one in the middle, the last."""

SHOWN = 2
"""Real inputs whose outputs are attributed."""

NAMED = ("block u [px]", "block v [px]", "cos 4 yaw", "sin 4 yaw", "shown")
"""Outputs of pose networks that are attributed."""

Report = Callable[[str], None]


def shipped_networks() -> list[Path]:
    """Files of all shipped networks that have gradients."""
    models = share_file("models")
    return sorted(models.rglob("*.safetensors"))


def measure(views: int = 1000, seed: int = 0, only: str = "", report: Report | None = None) -> dict[str, Any]:
    """Run every method on every shipped network.

    Args:
        views: real inputs that maximised activations are compared with.
        seed: of everything.
        only: networks whose name holds this.
        report: told what is done next.

    Returns:
        `networks`: by name, see `measure_network`; `methods_failed`; `filters`, `filters_above_real`: their number, and
        the share whose maximised activation is above the best of the real inputs; `slowest_nine_filters_s`: in
        processor seconds of one core; `completeness_worst`, `completeness_within`: the worst error of integrated
        gradients, and the share of outputs within 5 %.
    """
    torch.set_num_threads(1)
    found: dict[str, dict[str, Any]] = {}
    for path in shipped_networks():
        network = load_network(path)
        if only in network.name:
            found[network.name] = measure_network(network, views, seed, report)
    if not found:
        raise InputError(f"no shipped network's name holds {only!r}")
    filters = sum(one["filters"] for one in found.values())
    errors = [error for one in found.values() for error in one["completeness"]]
    return {
        "networks": found,
        "methods_failed": sum(len(one["failed"]) for one in found.values()),
        "filters": filters,
        "filters_above_real": sum(one["above"] for one in found.values()) / filters,
        "slowest_nine_filters_s": max(one["slowest_nine_filters_s"] for one in found.values()),
        "completeness_worst": max(errors),
        "completeness_within": float(np.mean([error <= COMPLETE for error in errors])),
    }


def measure_network(network: Network, views: int, seed: int, report: Report | None = None) -> dict[str, Any]:
    """One network.

    Returns:
        `failed`: methods that raised, with what they said; `filters`, `above`: how many were maximised, and how many of
        them above the best real input; `slowest_nine_filters_s`: processor seconds; `completeness`: relative errors.
    """
    tell = report or print_nothing
    tell(f"{network.name}: {views} real inputs")
    samples = real_samples(network, views, seed)
    filters, above, slowest = 0, 0, 0.0
    for layer in chosen_layers(network):
        tell(f"{network.name}: {FILTERS} features of {layer}")
        best = best_of(network, layer, samples.inputs)
        # Evenly over the layer, so that no choice is made by hand.
        features = np.unique(np.linspace(0, len(best) - 1, FILTERS).round().astype(int)).tolist()
        begin = time.process_time()
        others = [part[:1] for part in samples.inputs[1:]]
        maximum = maximize(network, layer, features, seed=seed, others=others)
        slowest = max(slowest, time.process_time() - begin)
        filters += len(features)
        above += int((maximum.after > best[features]).sum())
    tell(f"{network.name}: integrated gradients")
    shown = [part[:: max(1, views // SHOWN)][:SHOWN] for part in samples.inputs]
    errors = [attribute(network, shown, target=target).error for target in targets_of(network)]
    tell(f"{network.name}: every method")
    return {
        "failed": failures(network, samples),
        "filters": filters,
        "above": above,
        "slowest_nine_filters_s": slowest,
        "completeness": errors,
    }


def chosen_layers(network: Network) -> list[str]:
    """LAYERS layers with weights, evenly from the first to the last; convolutions where there are some."""
    named = list(network.module.named_modules())
    convolutions = [name for name, module in named if isinstance(module, nn.Conv2d)]
    names = convolutions or [name for name, module in named if isinstance(module, nn.Linear)]
    return [names[round(k)] for k in np.linspace(0, len(names) - 1, LAYERS)]


def targets_of(network: Network) -> Sequence[str | None]:
    """Outputs that are attributed: all actions of a policy, a pose network's block, the best grasp."""
    if network.kind == "pose":
        return NAMED
    return network.outputs or (None,)


def failures(network: Network, samples: Samples) -> dict[str, str]:
    """Methods of the analyzer that raise on this network, with the message."""
    found: dict[str, str] = {}
    few = tuple(part[:3] for part in samples.inputs)
    one = tuple(part[:1] for part in samples.inputs)
    with tempfile.TemporaryDirectory() as folder:
        analyzer = NetworkAnalyzer(network, "save", folder=Path(folder))
        for name, call in _calls(analyzer, network, samples, few, one).items():
            try:
                call()
            except Exception as error:
                found[name] = f"{type(error).__name__}: {error}"
    return found


def _calls(
    analyzer: NetworkAnalyzer,
    network: Network,
    samples: Samples,
    few: tuple[Tensor, ...],
    one: tuple[Tensor, ...],
) -> dict[str, Callable[[], object]]:
    layer = chosen_layers(network)[0]
    kernels = [
        name
        for name, module in network.module.named_modules()
        if isinstance(module, nn.Conv2d) and module.weight.shape[1] in (1, 3)
    ]
    quantity = next(iter(samples.truths))
    calls: dict[str, Callable[[], object]] = {
        "list_layer_names": analyzer.list_layer_names,
        "list_convolutional_layer_names": analyzer.list_convolutional_layer_names,
        "list_non_convolutional_layer_names": analyzer.list_non_convolutional_layer_names,
        "numb_features_in_layer": lambda: analyzer.numb_features_in_layer(layer),
        "get_layer_by_name": lambda: analyzer.get_layer_by_name(layer),
        "plot_model": analyzer.plot_model,
        "summary": analyzer.summary,
        "visualize_max_filter_respondence": lambda: analyzer.visualize_max_filter_respondence(
            layer, [0, 1], 10, others=one[1:]
        ),
        "obtain_saliency_map": lambda: analyzer.obtain_saliency_map(one),
        "integrated_gradients": lambda: analyzer.attribute(one, "integrated_gradients"),
        "cluster_inputs": lambda: analyzer.cluster_inputs(layer, few),
        "predictability": lambda: analyzer.predictability(
            layer, samples.quantity(quantity)[:60], tuple(part[:60] for part in samples.inputs)
        ),
    }
    for style in ("gray", "heat", "plot"):
        calls[f"visualize_activation_map {style}"] = lambda style=style: analyzer.visualize_activation_map(  # type: ignore[misc]
            layer, one, style
        )
    if kernels:
        calls["visualize_layer_weights"] = lambda: analyzer.visualize_layer_weights(kernels[0])
    if analyzer.list_convolutional_layer_names():
        calls["grad_cam"] = lambda: analyzer.attribute(one, "grad_cam")
    return calls


def print_nothing(_line: str) -> None:
    """Tell nobody."""
