"""What the layers of a network know of a quantity: probes of each, as numbers and as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from dofbot_ros.lab.analysis import figures
from dofbot_ros.lab.analysis.analyzer import NetworkAnalyzer
from dofbot_ros.lab.analysis.delivery import free_path
from dofbot_ros.lab.analysis.samples import Samples

INPUT = "input"
"""Stands for what the network is given: what a linear probe reads without any layer."""


def probe_layers(
    analyzer: NetworkAnalyzer,
    samples: Samples,
    quantity: str,
    *,
    layers: Sequence[str] | None,
    out: Path,
    seed: int = 0,
) -> dict[str, Any]:
    """Probe layers for a quantity and draw a chart of them.

    Args:
        analyzer: of the network.
        samples: its inputs, with what is true in them.
        quantity: name of a truth.
        layers: their names; every convolution and linear layer by default.
        out: folder of the chart.
        seed: of the folds.

    Returns:
        `layers` (r2, low, high by name; INPUT among them), `samples`, `quantity`, `picture`.

    Raises:
        InputError: no such layer or quantity.
    """
    truth = samples.quantity(quantity)
    network = analyzer.torch_network("a probe")
    names = [INPUT, *(layers or _weighted(analyzer))]
    found = {name: analyzer.predictability(name, truth, samples.inputs, seed) for name in names}
    spans = [(one.low, one.high) for one in found.values()]
    title = f"{network.name}: share of {quantity} that a linear probe reads, {len(samples)} inputs"
    figure = figures.bars(names, [one.r2 for one in found.values()], spans, title)
    path = free_path(out, network.name, "predictability", quantity)
    figure.savefig(path)
    return {
        "quantity": quantity,
        "samples": len(samples),
        "layers": {name: {"r2": one.r2, "low": one.low, "high": one.high} for name, one in found.items()},
        "picture": str(path),
    }


def _weighted(analyzer: NetworkAnalyzer) -> list[str]:
    kinds = nn.Conv2d, nn.Linear
    return [name for name in analyzer.list_layer_names() if isinstance(analyzer.get_layer_by_name(name), kinds)]
