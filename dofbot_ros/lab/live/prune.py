"""The lottery ticket, measured: what a pruned network is worth, and what of it is the mask, what the weights.

Frankle and Carbin, The Lottery Ticket Hypothesis, 2019: links of least magnitude are taken away in rounds, and the rest
begins again from the weights that it had at first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dofbot_ros.config.ranges import Checked, Count, Positive
from dofbot_ros.errors import InputError
from dofbot_ros.lab.analysis import figures
from dofbot_ros.lab.analysis.delivery import free_path
from dofbot_ros.lab.live.data_sets import DataSet
from dofbot_ros.lab.live.network_batch import (
    NetworkBatch,
    accuracy_of,
    fresh_batch,
    joined,
    keep_largest,
    shuffled,
    train,
)

TICKETS = ("pruned", "rewound", "new_weights", "random_mask")
"""pruned: links of least magnitude are taken from the trained network, and nothing else is done; rewound: what is left
begins again from its first weights; new_weights: the same mask begins from others; random_mask: as many links, drawn
at random, begin from their first weights."""

LABELS = ("pruned only", "rewound to its first weights", "same mask, new weights", "random mask")
KEEP = 0.5
"""Share of the links that stays in a round."""
TRAINED = ("rewound", "new_weights", "random_mask")
RESAMPLES = 2000


@dataclass(frozen=True)
class PruneConfig(Checked):
    """What is pruned.

    Attributes:
        layers: units of each layer.
        rounds: each leaves half of the links.
        steps: of Adam in each training.
        seeds: networks.
        seed: of the first.
        learning_rate: of Adam.
    """

    layers: tuple[int, ...] = (2, 48, 48, 1)
    rounds: Count = 6
    steps: Count = 400
    seeds: Count = 5
    seed: int = 0
    learning_rate: Positive = 0.01

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if len(self.layers) < 3 or self.layers[-1] != 1 or min(self.layers) < 1:
            yield f"layers are inputs, hidden ones and one output: 2,48,48,1; got {self.layers}"


def prune_network(
    data: DataSet, config: PruneConfig, report: Callable[[int, float], None] | None = None
) -> dict[str, Any]:
    """Train, prune and train again, round after round, all seeds at once.

    Args:
        data: half of its points are learned, half are held out.
        config: what is pruned.
        report: told how many trainings are done, and which share of the links is left.

    Returns:
        `left`: shares of the links; by ticket `mean`, `low`, `high` of the held-out accuracy, one a share, with 95 %
        bootstrap intervals over the seeds; `difference`: of rewound less new weights, the same; `data`, `seeds`.

    Raises:
        InputError: layers that do not fit the data.
    """
    if config.layers[0] != data.points.shape[1]:
        raise InputError(
            f"{data.name} has points of {data.points.shape[1]} numbers, layers begin with {config.layers[0]}"
        )
    torch.set_num_threads(1)
    points, labels = torch.from_numpy(data.points), torch.from_numpy(data.labels)
    order = torch.from_numpy(np.random.default_rng(config.seed).permutation(len(data)))
    learned, held = order[: len(data) // 2], order[len(data) // 2 :]
    first, others = (
        fresh_batch(config.layers, [2 * (config.seed + k) + kind for k in range(config.seeds)]) for kind in (0, 1)
    )
    masks = [torch.ones_like(weight) for weight in first.weights]
    generator = torch.Generator().manual_seed(config.seed + 2)
    accuracy: dict[str, list[NDArray[np.float64]]] = {name: [] for name in TICKETS}
    left: list[float] = []
    dense: NetworkBatch | None = None
    for number in range(config.rounds + 1):
        left.append(float(sum(float(m.sum()) for m in masks) / sum(m.numel() for m in masks)))
        if report is not None:
            report(number, left[-1])
        random = shuffled(masks, generator)
        starts = {"rewound": (first, masks), "new_weights": (others, masks), "random_mask": (first, random)}
        # The three trainings of a round are one batch.
        batch = joined([starts[name][0] for name in TRAINED])
        batch_masks = [torch.cat(parts) for parts in zip(*(starts[name][1] for name in TRAINED), strict=True)]
        train(
            batch,
            batch_masks,
            points[learned],
            labels[learned],
            steps=config.steps,
            rate=config.learning_rate,
        )
        found = accuracy_of(batch, batch_masks, points[held], labels[held]).reshape(len(TRAINED), config.seeds)
        for k, name in enumerate(TRAINED):
            accuracy[name].append(found[k])
        trained = NetworkBatch([w[: config.seeds] for w in batch.weights], [b[: config.seeds] for b in batch.biases])
        dense = dense or trained.copy()
        cut = masks if number == 0 else keep_largest(dense, [torch.ones_like(m) for m in masks], left[-1])
        accuracy["pruned"].append(accuracy_of(dense, cut, points[held], labels[held]))
        masks = keep_largest(trained, masks, KEEP * left[-1])
    if report is not None:
        report(config.rounds + 1, left[-1])
    rng = np.random.default_rng(config.seed)
    result: dict[str, Any] = {name: _interval(np.array(values), rng) for name, values in accuracy.items()}
    difference = np.array(accuracy["rewound"]) - np.array(accuracy["new_weights"])
    return {"data": data.name, "seeds": config.seeds, "left": left, **result, "difference": _interval(difference, rng)}


def write_chart(result: dict[str, Any], out: Path) -> Path:
    """Accuracy against the share of links left. Returns the file."""
    figure = figures.new_figure(4.2)
    axes = figure.add_subplot()
    left = 100.0 * np.array(result["left"])
    for name, label in zip(TICKETS, LABELS, strict=True):
        axes.plot(left, result[name]["mean"], marker="o", markersize=3, label=label)
        axes.fill_between(left, result[name]["low"], result[name]["high"], alpha=0.15)
    axes.set_xscale("log")
    axes.set_xticks(left, [f"{share:.3g} %" for share in left], fontsize=7)
    axes.minorticks_off()
    axes.invert_xaxis()
    axes.set_xlabel("links left")
    axes.set_ylabel("right on held-out points")
    axes.set_title(f"{result['data']}: {result['seeds']} seeds, mean and 95 % interval", fontsize=9)
    axes.legend(fontsize=7)
    path = free_path(out, "prune", result["data"])
    figure.savefig(path)
    return path


def _interval(values: NDArray[np.float64], rng: np.random.Generator) -> dict[str, list[float]]:
    """Mean of (shares, seeds) over the seeds and its 95 % bootstrap interval."""
    picks = rng.integers(0, values.shape[1], (RESAMPLES, values.shape[1]))
    means = values[:, picks].mean(axis=2)
    low, high = np.percentile(means, (2.5, 97.5), axis=1)
    return {"mean": values.mean(axis=1).tolist(), "low": low.tolist(), "high": high.tolist()}
