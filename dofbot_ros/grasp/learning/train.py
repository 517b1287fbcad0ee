"""Trains the grasp network: cross-entropy over pixel x rotation on grasps that held, failures as negatives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from dofbot_ros.config.loader import from_mapping, save_yaml
from dofbot_ros.config.ranges import Checked, Count, NotNegative, Positive, Range
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.model_io import ONNX, WEIGHTS, ModelInfo, export_onnx, load_weights, save_weights
from dofbot_ros.grasp.detection.network import MobileUNet, load_backbone
from dofbot_ros.grasp.detection.network_config import NetworkConfig
from dofbot_ros.grasp.detection.normalise import network_input
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.learning import plots
from dofbot_ros.grasp.learning.augment import AugmentConfig, augment
from dofbot_ros.grasp.learning.dataset import TRAIN_FILE, VAL_FILE, GraspData, join, load
from dofbot_ros.grasp.learning.loss import grasp_loss
from dofbot_ros.grasp.learning.run import Epoch, TrainingRun
from dofbot_ros.training.run_folder import training_device


@dataclass(frozen=True)
class TrainConfig(Checked):
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
        freeze: leave the backbone as it is begun with, and train the decoder alone.
        last: keep the weights of the last epoch in place of those with the lowest validation loss, which of few grasps
            are those of the first.
        seed: of weights, order and augmentation.
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    epochs: Count = 50
    batch: Annotated[int, Range(2)] = 32
    learning_rate: Positive = 3e-3
    weight_decay: float = 1e-3
    spread: NotNegative = 1.0
    failure_weight: NotNegative = 2.0
    freeze: bool = False
    last: bool = False
    seed: int = 0


@dataclass(frozen=True)
class MapEpoch(Epoch):
    """One line of the log.

    Attributes:
        val_told: share of the tried grasps of the validation data whose logit has the right sign.
    """

    val_told: float


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
        device: see training_device.
        backbone: weights of the backbone to start from, as load_backbone takes them.
        start: folder of a run to start from, all of its weights.
        resume: go on where `run` stopped.

    Raises:
        InputError: the data, the device or the run cannot be used, or a backbone that knows nothing is to be frozen.
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
        if config.freeze and backbone is None and start is None:
            raise InputError("freeze keeps a backbone that has learned something: give --backbone-weights or --start")
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
        self._folder, self._config, self._device = run, config, training_device(device)
        torch.manual_seed(config.seed)
        network = MobileUNet(config.network).to(self._device)
        # Depthwise convolutions train twice as fast with the channels last.
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if backbone is not None:
            load_backbone(self._network, backbone)
        if start is not None:
            self._start_from(start)
        self._network.features.requires_grad_(not config.freeze)
        trained = [weight for weight in self._network.parameters() if weight.requires_grad]
        self._optimiser = torch.optim.AdamW(trained, config.learning_rate, weight_decay=config.weight_decay)
        view = train.meta.get("rules", {}).get("view", {"size": train.size})
        training = {**asdict(config), "train_grasps": len(self._train), "val_grasps": len(self._val)}
        self._info = ModelInfo(config.network, from_mapping(TopDownView, view, "view"), train.meta, training)
        self._run = TrainingRun(
            run, "", config, network=self._network, optimiser=self._optimiser, line=MapEpoch, resume=resume
        )
        save_yaml(config, run / "train.yaml")

    def _start_from(self, run: Path) -> None:
        network, info = load_weights(run / WEIGHTS)
        if info.network != self._config.network:
            raise InputError(f"{run} holds a network of another shape ({info.network}) than the configuration's")
        self._network.load_state_dict(network.state_dict())

    @property
    def done(self) -> int:
        """Epochs of this run that lie behind: a resumed one begins there."""
        return self._run.done

    def train(self, report: Callable[[MapEpoch], None] | None = None) -> MapEpoch:
        """Train to the end, keep the weights of the lowest validation loss, or the last. Returns their epoch."""
        begin = time.monotonic()
        with self._run as run:
            for epoch in run.epochs(self._config.epochs):
                train_loss = self._pass(epoch)
                val_loss, told = self._validate()
                line = MapEpoch(epoch, train_loss, val_loss, time.monotonic() - begin, told)
                if run.add(line) or self._config.last:
                    save_weights(self._network, self._info, self._folder / WEIGHTS)
                run.save()
                if report is not None:
                    report(line)
        self._finish()
        return self._run.log[-1] if self._config.last else self._run.best

    def _pass(self, epoch: int) -> float:
        self._network.train()
        if self._config.freeze:
            # Its batch norms would go on following what they see.
            self._network.features.eval()
        return self._run.descend(
            epoch,
            len(self._train),
            self._config,
            lambda index, rng: self._loss(self._batch(self._train.take(index), rng)),
        )

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

    def _finish(self) -> None:
        """Pictures and ONNX of the best weights."""
        network, info = load_weights(self._folder / WEIGHTS)
        export_onnx(network, info, self._folder / ONNX)
        self._run.draw()
        some = self._val.take(np.arange(min(12, len(self._val))))
        with torch.no_grad():
            logits = network(torch.from_numpy(network_input(some.images))).numpy()
        plots.predictions(some, logits, self._folder / "predictions.png")


def summary(kept: MapEpoch) -> dict[str, Any]:
    """What a training run prints at its end, of the epoch whose weights it keeps."""
    return {"kept_epoch": kept.epoch, "val_loss": kept.val_loss, "val_told": kept.val_told, "seconds": kept.seconds}
