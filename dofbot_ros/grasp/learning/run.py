"""A training run in a folder that can be interrupted: checkpoint, log and TensorBoard of its epochs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from dofbot_ros.core.model_files import load_state, load_tensors, taking
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.learning import plots

GROWS = "epochs"
RISE = 0.08
"""Share of the run in which the learning rate rises to its highest."""


@dataclass(frozen=True)
class Epoch:
    """One line of the log.

    Attributes:
        epoch: from 1.
        train_loss, val_loss: means over the data.
        seconds: since this process began to train.
    """

    epoch: int
    train_loss: float
    val_loss: float
    seconds: float


LineT = TypeVar("LineT", bound=Epoch)


class TrainingRun(Generic[LineT]):
    """The epochs of one network's training, those of an earlier process included.

    Args:
        folder: of the run.
        prefix: of this network's files: there may be others in the folder.
        config: a dataclass; a run goes on only with the one that it began with.
        network: trained.
        optimiser: of it.
        line: type of the log's lines.
        resume: go on with the run that is there.

    Raises:
        InputError: there is a run already, or none to resume, or it had another configuration.
    """

    def __init__(
        self,
        folder: Path,
        prefix: str,
        config: Any,
        *,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        line: type[LineT],
        resume: bool,
    ) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._folder, self._prefix = folder, prefix
        self._config = json.dumps(asdict(config))
        self._network, self._optimiser = network, optimiser
        self.log: list[LineT] = []
        self._checkpoint = folder / f"{prefix}checkpoint.pt"
        if resume:
            self._load(line)
        elif self._checkpoint.exists():
            raise InputError(f"{folder} already holds a run: go on with --resume, or take another folder")
        folder.mkdir(parents=True, exist_ok=True)
        self._board = SummaryWriter(str(folder / "tensorboard"))

    def __enter__(self) -> TrainingRun[LineT]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._board.close()

    @property
    def done(self) -> int:
        """Epochs that lie behind."""
        return len(self.log)

    def epochs(self, count: int) -> Iterator[int]:
        """Those that are left of `count`."""
        yield from range(len(self.log) + 1, count + 1)

    def set_rate(self, highest: float, done: float) -> None:
        """Learning rate after a share `done` of the run: it rises for a while and falls along a cosine."""
        share = done / RISE if done < RISE else 0.5 * (1.0 + math.cos(math.pi * (done - RISE) / (1.0 - RISE)))
        for group in self._optimiser.param_groups:
            group["lr"] = highest * max(share, 0.01)

    def add(self, line: LineT) -> bool:
        """An epoch is over. Returns whether its weights are the best so far."""
        self.log.append(line)
        for field in fields(line):
            if field.name.startswith(("train_", "val_")):
                self._board.add_scalar(self._prefix + field.name, getattr(line, field.name), line.epoch)
        return line is self.best

    def save(self) -> None:
        """Write checkpoint and log; the weights that are kept have been written before."""
        state = {
            "config": self._config,
            "network": self._network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "log": [asdict(line) for line in self.log],
        }
        partial = self._checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self._checkpoint)
        lines = "".join(json.dumps(asdict(line)) + "\n" for line in self.log)
        (self._folder / f"{self._prefix}metrics.jsonl").write_text(lines, encoding="utf-8")

    @property
    def best(self) -> LineT:
        """The epoch of the lowest validation loss."""
        return min(self.log, key=lambda line: line.val_loss)

    def draw(self) -> None:
        """Loss curves."""
        plots.loss_curves([asdict(line) for line in self.log], self._folder / f"{self._prefix}loss_curves.png")

    def _load(self, line: type[LineT]) -> None:
        if not self._checkpoint.exists():
            raise InputError(f"{self._checkpoint} does not exist: nothing to resume; leave out --resume to begin a run")
        device = next(self._network.parameters()).device
        state = load_tensors(self._checkpoint, self._checkpoint, device)
        with taking(self._checkpoint):
            config, weights, optimiser = state["config"], state["network"], state["optimiser"]
            log = [line(**found) for found in state["log"]]
        if changed := _changed(config, self._config):
            raise InputError(f"{self._folder} was trained with another configuration ({changed}): resume with that one")
        load_state(self._network, weights, self._checkpoint)
        with taking(self._checkpoint):
            self._optimiser.load_state_dict(optimiser)
        self.log = log


def _changed(before: str, now: str) -> str:
    """The settings that differ between two configurations in JSON, but for the number of epochs: a run may grow."""
    try:
        old, new = json.loads(before), json.loads(now)
        names = [name for name in {**old, **new} if old.get(name) != new.get(name) and name != GROWS]
    except (TypeError, ValueError, AttributeError):
        return "one that cannot be read"
    return ", ".join(f"{name} was {old.get(name)}, now {new.get(name)}" for name in names)


def training_device(name: str) -> torch.device:
    """Where to train: cpu, cuda, or cuda:N.

    Raises:
        InputError: there is none such.
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device
