"""What a pretrained backbone is worth: success of networks that learn from few grasps, with and without one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.config.loader import from_mapping, load_yaml, to_mapping
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.result_file import ResultFile
from dofbot_ros.core.statistics import wilson
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.network import MobileUNet, load_backbone
from dofbot_ros.grasp.learning.dataset import TRAIN_FILE, VAL_FILE, GraspData, load, save
from dofbot_ros.grasp.learning.evaluate import EvaluateConfig, evaluate
from dofbot_ros.grasp.learning.train import TrainConfig, Trainer

NONE = "none"
"""A backbone that begins with random weights."""

STEPS = 900
"""Gradient steps of every training, however few its grasps are: what differs is the backbone alone."""

LEARNING_RATE = 2e-3

VALIDATED = 64
"""Views at most whose loss is logged after each epoch. It decides nothing, since the last weights are kept, and with
few grasps there are many epochs."""


@dataclass(frozen=True)
class Trained:
    """One network, trained and measured.

    Attributes:
        backbone: name of the backbone that it began with.
        grasps: that held and that it learned from, with the failures between them.
        seed: of the training.
        lifted: of the attempts.
        attempts: on held-out families.
    """

    backbone: str
    grasps: int
    seed: int
    lifted: int
    attempts: int


class Pretraining:
    """Trains on the first grasps of a dataset, with every backbone and with none, and grasps held-out families.

    Args:
        data: folder of `dofbot grasp collect --failures`.
        backbones: runs of `dofbot grasp pretrain`.
        grasps: numbers of grasps that held to learn from.
        seeds: trainings of each.
        attempts: of each network, in the same scenes.
        out: folder for the networks, and for `results.jsonl`, from which a later call goes on.
        freeze: leave pretrained backbones as they are.

    Attributes:
        wanted: name of the backbone, number of grasps and seed of each network, in their order.

    Raises:
        InputError: the data or a backbone cannot be read, there are not so many grasps, or two backbones have one name.
    """

    def __init__(
        self,
        data: Path,
        backbones: Sequence[Path],
        grasps: Sequence[int],
        seeds: int,
        attempts: int,
        *,
        out: Path,
        freeze: bool = False,
    ) -> None:
        self._begun: dict[str, Path | None] = {NONE: None} | {backbone.name: backbone for backbone in backbones}
        if len(self._begun) != len(backbones) + 1:
            raise InputError("two backbones have the same name: the names of their folders are those of the rows")
        self._train, self._val = load(data / TRAIN_FILE), load(data / VAL_FILE)
        for number in grasps:
            if number > int(self._train.success.sum()):
                raise InputError(f"{data} holds {int(self._train.success.sum())} grasps that held, {number} asked for")
        self._config = load_yaml(TrainConfig, share_file("config", "grasp.yaml"))
        for backbone in backbones:
            load_backbone(MobileUNet(self._config.network), backbone)
        self._attempts, self._out, self._freeze = attempts, out, freeze
        conditions = {
            "data": str(data.resolve()),
            "steps": STEPS,
            "freeze": freeze,
            "attempts": attempts,
            "kept": "last",
        }
        self._file = ResultFile(out / "results.jsonl", "dofbot bench pretraining", conditions, to_mapping, _read)
        self.wanted = [(name, number, seed) for seed in range(seeds) for number in grasps for name in self._begun]

    def measure(self, workers: int = 1, report: Callable[[Trained], None] = lambda _: None) -> dict[str, Any]:
        """Train and measure what is not there yet.

        Args:
            workers: processes that carry out grasps.
            report: told each network.

        Returns:
            `rows`, one a backbone and number of grasps, with `backbone`, `grasps`, `success`, `interval` (Wilson's,
            over the attempts of all seeds), `lowest` and `highest` (of a seed), `seeds`; and `attempts`, `freeze`.
        """
        done = {(row.backbone, row.grasps, row.seed): row for row in self._file.results}
        rows: dict[tuple[int, str], list[Trained]] = {}
        for name, number, seed in self.wanted:
            row = done.get((name, number, seed))
            if row is None:
                run = self._out / f"{name}-{number}-{seed}"
                self._train_one(run, number, self._begun[name], seed)
                found = evaluate(EvaluateConfig(attempts=self._attempts, seed=1, model=run, baselines=()), workers)
                row = Trained(name, number, seed, round(found["success_rate"] * self._attempts), self._attempts)
                self._file.add(row)
            rows.setdefault((number, name), []).append(row)
            report(row)
        return {"rows": [_row(row) for row in rows.values()], "attempts": self._attempts, "freeze": self._freeze}

    def _train_one(self, run: Path, number: int, backbone: Path | None, seed: int) -> None:
        folder = run / "data"
        folder.mkdir(parents=True, exist_ok=True)
        data = _first(self._train, number)
        save(data, folder / TRAIN_FILE)
        save(self._val.take(np.arange(min(VALIDATED, len(self._val)))), folder / VAL_FILE)
        epochs = math.ceil(STEPS / max(1, len(data) // self._config.batch))
        freeze = self._freeze and backbone is not None
        config = replace(self._config, epochs=epochs, seed=seed, learning_rate=LEARNING_RATE, freeze=freeze, last=True)
        Trainer([folder], run, config, backbone=backbone, resume=(run / "checkpoint.pt").exists()).train()


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Success over the number of grasps: a line a backbone, with its interval."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for name in dict.fromkeys(row["backbone"] for row in rows):
        mine = [row for row in rows if row["backbone"] == name]
        x, y = [row["grasps"] for row in mine], np.array([100.0 * row["success"] for row in mine])
        ends = np.array([[100.0 * end for end in row["interval"]] for row in mine])
        bare = name == NONE
        axes.errorbar(
            x,
            y,
            yerr=np.abs(ends.T - y),
            marker="o",
            capsize=3,
            label="no pretraining" if bare else name,
            color="black" if bare else None,
            linestyle="--" if bare else "-",
        )
    axes.set_xscale("log")
    axes.set_xticks(sorted({row["grasps"] for row in rows}))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("grasps that held to learn from")
    axes.set_ylabel("lifted, held-out families [%]")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)


def _first(data: GraspData, held: int) -> GraspData:
    """The rows up to that number of grasps that held, failures included."""
    return data.take(np.arange(int(np.flatnonzero(data.success)[held - 1]) + 1))


def _row(trained: Sequence[Trained]) -> dict[str, Any]:
    lifted, attempts = sum(row.lifted for row in trained), sum(row.attempts for row in trained)
    shares = [row.lifted / row.attempts for row in trained]
    return {
        "backbone": trained[0].backbone,
        "grasps": trained[0].grasps,
        "success": lifted / attempts,
        "interval": list(wilson(lifted, attempts)),
        "lowest": min(shares),
        "highest": max(shares),
        "seeds": len(trained),
    }


def _read(data: Any) -> Trained:
    return from_mapping(Trained, data, "a network")
