"""Trains the grasp network: cross-entropy over pixel x rotation on grasps that held, failures as negatives."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dofbot_ros.config.loader import from_mapping, save_yaml
from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.grasp import plots
from dofbot_ros.grasp.augment import AugmentConfig, augment
from dofbot_ros.grasp.dataset import TRAIN_FILE, VAL_FILE, GraspData, join, load
from dofbot_ros.grasp.loss import grasp_loss
from dofbot_ros.grasp.model_io import ONNX, WEIGHTS, ModelInfo, export_onnx, load_weights, save_weights
from dofbot_ros.grasp.network import MobileUNet, load_backbone
from dofbot_ros.grasp.network_config import NetworkConfig
from dofbot_ros.grasp.normalise import network_input
from dofbot_ros.grasp.view import TopDownView

CHECKPOINT, LOG = "checkpoint.pt", "metrics.jsonl"


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Attributes:
        network: shape of the network; its rotations are the data's.
        augment: how views are varied.
        epochs: passes over the training data.
        batch: views in a step.
        learning_rate: at its highest; it rises over the first epochs and falls along a cosine.
        weight_decay: of AdamW.
        spread: the target is smeared over neighbouring pixels with this standard deviation [pixels]; 0 for one pixel.
        failure_weight: weight of telling held from failed grasps where they were tried; 0 ignores failures.
        seed: of weights, order and augmentation.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    epochs: int = 50
    batch: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    spread: float = 1.0
    failure_weight: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2 or self.learning_rate <= 0:
            raise ConfigError("epochs must be at least 1, batch at least 2, learning_rate above 0")
        if self.spread < 0 or self.failure_weight < 0:
            raise ConfigError("spread and failure_weight must not be negative")


@dataclass(frozen=True)
class Epoch:
    """One line of the log.

    Attributes:
        epoch: from 1.
        train_loss, val_loss: means over the data.
        val_told: share of the tried grasps of the validation data whose logit has the right sign.
        seconds: since this process began to train.
        epochs: how many there will be.
    """

    epoch: int
    train_loss: float
    val_loss: float
    val_told: float
    seconds: float
    epochs: int


@dataclass(frozen=True)
class _Batch:
    views: Tensor
    actions: Tensor
    success: Tensor


class Trainer:
    """Trains one network on one folder of data; everything that it writes is in its run folder.

    Args:
        data: folders with train_dataset.npz, at least one of them with val_dataset.npz; all of them together.
        run: folder that gets weights, log and pictures.
        config: how.
        device: cpu, cuda, or cuda:N.
        backbone: state dict of torchvision's mobilenet_v3_small to start from.
        start: folder of a run to start from, all of its weights.
        resume: go on where `run` stopped.

    Raises:
        InputError: the data, the device or the run cannot be used.
    """

    def __init__(
        self,
        data: Sequence[Path],
        run: Path,
        config: TrainConfig,
        *,
        device: str = "cpu",
        backbone: Path | None = None,
        start: Path | None = None,
        resume: bool = False,
    ) -> None:
        train = join([load(folder / TRAIN_FILE) for folder in data])
        with_val = [folder for folder in data if (folder / VAL_FILE).exists()]
        val = join([load(folder / VAL_FILE) for folder in with_val or data])
        if (train.size, train.rotations) != (val.size, val.rotations):
            raise InputError("training and validation data differ in image size or number of rotations")
        if train.rotations != config.network.rotations:
            raise InputError(f"the data have {train.rotations} rotations, the configuration {config.network.rotations}")
        self._ignore_failures = config.failure_weight == 0.0
        self._train = train.take(train.success) if self._ignore_failures else train
        self._val = val.take(val.success) if self._ignore_failures else val
        self._run, self._config, self._device = run, config, _device(device)
        torch.manual_seed(config.seed)
        network = MobileUNet(config.network).to(self._device)
        # Depthwise convolutions train twice as fast with the channels last.
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if backbone is not None:
            load_backbone(self._network, backbone)
        if start is not None:
            self._start_from(start)
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        view = train.meta.get("rules", {}).get("view", {"size": train.size})
        training = {**asdict(config), "train_grasps": len(self._train), "val_grasps": len(self._val)}
        self._info = ModelInfo(config.network, from_mapping(TopDownView, view, "view"), train.meta, training)
        self._log: list[Epoch] = []
        self._prepare(resume)

    def _start_from(self, run: Path) -> None:
        network, info = load_weights(run / WEIGHTS)
        if info.network != self._config.network:
            raise InputError(f"{run} holds a network of another shape ({info.network}) than the configuration's")
        self._network.load_state_dict(network.state_dict())

    def _prepare(self, resume: bool) -> None:
        checkpoint = self._run / CHECKPOINT
        if resume:
            if not checkpoint.exists():
                raise InputError(f"{checkpoint} does not exist: there is nothing to resume")
            state = torch.load(checkpoint, map_location=self._device, weights_only=True)
            if state["config"] != json.dumps(asdict(self._config)):
                raise InputError(f"{self._run} was trained with another configuration: resume with the same one")
            self._network.load_state_dict(state["network"])
            self._optimiser.load_state_dict(state["optimiser"])
            self._log = [Epoch(**line) for line in state["log"]]
        elif checkpoint.exists():
            raise InputError(f"{self._run} already holds a run: go on with --resume, or take another --out")
        self._run.mkdir(parents=True, exist_ok=True)
        save_yaml(self._config, self._run / "train.yaml")

    def train(self, report: Callable[[Epoch], None] | None = None) -> Epoch:
        """Train to the end, keep the weights of the lowest validation loss. Returns that epoch."""
        from torch.utils.tensorboard import SummaryWriter

        begin = time.monotonic()
        with SummaryWriter(str(self._run / "tensorboard")) as board:
            for epoch in range(len(self._log) + 1, self._config.epochs + 1):
                train_loss = self._pass(epoch)
                val_loss, told = self._validate()
                line = Epoch(epoch, train_loss, val_loss, told, time.monotonic() - begin, self._config.epochs)
                self._log.append(line)
                for name in ("train_loss", "val_loss", "val_told"):
                    board.add_scalar(name, getattr(line, name), epoch)
                self._keep(line)
                if report is not None:
                    report(line)
        self._finish()
        return min(self._log, key=lambda line: line.val_loss)

    def _pass(self, epoch: int) -> float:
        # Order and augmentation depend on seed and epoch alone, so that a resumed run is the run.
        rng = np.random.default_rng([self._config.seed, epoch])
        order = rng.permutation(len(self._train))
        self._network.train()
        losses = []
        steps = max(1, len(order) // self._config.batch)
        for step in range(steps):
            rate = self._rate((epoch - 1 + step / steps) / self._config.epochs)
            for group in self._optimiser.param_groups:
                group["lr"] = rate
            index = order[step * self._config.batch : (step + 1) * self._config.batch]
            loss = self._loss(self._batch(self._train.take(index), rng))
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
            self._optimiser.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def _rate(self, done: float) -> float:
        rise = 0.08
        share = done / rise if done < rise else 0.5 * (1.0 + math.cos(math.pi * (done - rise) / (1.0 - rise)))
        return self._config.learning_rate * max(share, 0.01)

    def _batch(self, data: GraspData, rng: np.random.Generator | None) -> _Batch:
        images, actions = data.images, data.actions
        if rng is not None:
            varied = [
                augment(rng, self._config.augment, image, (int(row), int(column), int(rotation)), data.rotations)
                for image, (row, column, rotation) in zip(images, actions, strict=True)
            ]
            images = np.array([image for image, _ in varied])
            actions = np.array([action for _, action in varied])
        views = torch.from_numpy(network_input(images)).to(self._device, memory_format=torch.channels_last)
        return _Batch(
            views, torch.from_numpy(actions).to(self._device), torch.from_numpy(data.success).to(self._device)
        )

    def _loss(self, batch: _Batch) -> Tensor:
        logits = self._network(batch.views)
        return grasp_loss(logits, batch.actions, batch.success, self._config.spread, self._config.failure_weight)

    @torch.no_grad()
    def _validate(self) -> tuple[float, float]:
        self._network.eval()
        losses, told = [], []
        for batch in self._batches(self._val):
            logits = self._network(batch.views)
            weight = len(batch.views)
            loss = grasp_loss(logits, batch.actions, batch.success, self._config.spread, self._config.failure_weight)
            losses.append(weight * float(loss))
            row, column, rotation = batch.actions.T
            tried = logits[torch.arange(weight), rotation, row, column] > 0
            told.append(int((tried == batch.success).sum()))
        return sum(losses) / len(self._val), sum(told) / len(self._val)

    def _batches(self, data: GraspData) -> Iterator[_Batch]:
        for start in range(0, len(data), 64):
            yield self._batch(data.take(np.arange(start, min(start + 64, len(data)))), None)

    def _keep(self, line: Epoch) -> None:
        if line.val_loss <= min(old.val_loss for old in self._log):
            save_weights(self._network, self._info, self._run / WEIGHTS)
        state = {
            "config": json.dumps(asdict(self._config)),
            "network": self._network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "log": [asdict(old) for old in self._log],
        }
        partial = self._run / f"{CHECKPOINT}.partial"
        torch.save(state, partial)
        partial.replace(self._run / CHECKPOINT)
        lines = "".join(json.dumps(asdict(old)) + "\n" for old in self._log)
        (self._run / LOG).write_text(lines, encoding="utf-8")

    def _finish(self) -> None:
        """Pictures and ONNX of the best weights."""
        network, info = load_weights(self._run / WEIGHTS)
        export_onnx(network, info, self._run / ONNX)
        plots.loss_curves([asdict(line) for line in self._log], self._run / "loss_curves.png")
        some = self._val.take(np.arange(min(12, len(self._val))))
        with torch.no_grad():
            logits = network(torch.from_numpy(network_input(some.images))).numpy()
        plots.predictions(some, logits, self._run / "predictions.png")


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device


def summary(best: Epoch) -> dict[str, Any]:
    """What a training run prints at its end."""
    return {"best_epoch": best.epoch, "val_loss": best.val_loss, "val_told": best.val_told, "seconds": best.seconds}
