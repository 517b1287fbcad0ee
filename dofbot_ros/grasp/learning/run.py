"""A training run in a folder that can be interrupted: checkpoint, log and TensorBoard of its epochs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.core.files import write_whole
from dofbot_ros.core.model_files import load_state, taking
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.learning import plots
from dofbot_ros.training.run_folder import RunFolder, changes

CHECKPOINT = "checkpoint.pt"
GROWS = ("epochs",)
"""Settings that a resumed run may raise."""
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


class Schedule(Protocol):
    """The settings of a run that decide its epochs.

    Attributes:
        seed: of order and augmentation.
        epochs: in all.
        batch: examples in a step.
        learning_rate: at its highest.
    """

    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def epochs(self) -> int: ...  # noqa: D102
    @property
    def batch(self) -> int: ...  # noqa: D102
    @property
    def learning_rate(self) -> float: ...  # noqa: D102


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
        self._folder, self._prefix = folder, prefix
        self._checkpoint = prefix + CHECKPOINT
        self._run = RunFolder(folder, resume=resume, mark=self._checkpoint)
        self._config = json.dumps(asdict(config))
        self._network, self._optimiser = network, optimiser
        self.log: list[LineT] = []
        if resume:
            self._load(line)
        self._run.begin()
        self._board = self._run.board()

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

    def descend(
        self,
        epoch: int,
        examples: int,
        schedule: Schedule,
        loss_of: Callable[[NDArray[np.int64], np.random.Generator], Tensor],
    ) -> float:
        """Train for one epoch. Returns its mean loss.

        Order and augmentation depend on seed and epoch alone, so that a resumed run is the run.

        Args:
            epoch: from 1.
            examples: how many there are to learn from.
            schedule: the settings of the run.
            loss_of: of the examples with these numbers, varied by this generator.
        """
        rng = np.random.default_rng([schedule.seed, epoch])
        order = rng.permutation(examples)
        losses = []
        steps = max(1, examples // schedule.batch)
        for step in range(steps):
            self.set_rate(schedule.learning_rate, (epoch - 1 + step / steps) / schedule.epochs)
            loss = loss_of(order[step * schedule.batch : (step + 1) * schedule.batch], rng)
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
            self._optimiser.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

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
        self._run.save(self._checkpoint, state)
        lines = "".join(json.dumps(asdict(line)) + "\n" for line in self.log)
        write_whole(self._folder / f"{self._prefix}metrics.jsonl", lines)

    @property
    def best(self) -> LineT:
        """The epoch of the lowest validation loss."""
        return min(self.log, key=lambda line: line.val_loss)

    def draw(self) -> None:
        """Loss curves."""
        plots.loss_curves([asdict(line) for line in self.log], self._folder / f"{self._prefix}loss_curves.png")

    def _load(self, line: type[LineT]) -> None:
        where = self._folder / self._checkpoint
        state = self._run.load(self._checkpoint, next(self._network.parameters()).device)
        with taking(where):
            config, weights, optimiser = json.loads(state["config"]), state["network"], state["optimiser"]
            log = [line(**found) for found in state["log"]]
            changed = changes(config, json.loads(self._config), GROWS)
        if changed:
            raise InputError(f"{self._folder} was trained with another configuration ({changed}): resume with that one")
        load_state(self._network, weights, where)
        with taking(where):
            self._optimiser.load_state_dict(optimiser)
        self.log = log
