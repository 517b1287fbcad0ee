"""Teaches the backbone of a network on one of the tasks, and keeps it for `dofbot grasp train` or `policy train`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.config.ranges import Checked, Count, Positive, Range, Share
from dofbot_ros.core.model_files import save_safetensors
from dofbot_ros.grasp.detection.network import BACKBONE, MobileUNet
from dofbot_ros.grasp.detection.network_config import NetworkConfig
from dofbot_ros.grasp.detection.normalise import network_input
from dofbot_ros.grasp.learning.augment import AugmentConfig, recolour
from dofbot_ros.grasp.learning.run import Epoch, TrainingRun
from dofbot_ros.grasp.pretraining.examples import draw_examples
from dofbot_ros.grasp.pretraining.labelled_views import LabelledViews
from dofbot_ros.grasp.pretraining.tasks import CHANNELS, TaskName, head_of, known_of
from dofbot_ros.training.run_folder import training_device

VIEWS = "views"
"""Folder in the run's, with the files of views."""


BackboneName = Literal["grasp", "pose"]


@dataclass(frozen=True, eq=False)
class Backbone:
    """What is taught.

    Attributes:
        module: from views as network_input scales them (n, 3, size, size) to (n, channels, size / 8, size / 8).
        channels: of the last map.
        kept: its weights by the names under which the whole network has them.
    """

    module: nn.Module
    channels: int
    kept: Callable[[], dict[str, torch.Tensor]]


def grasp_backbone(config: NetworkConfig) -> Backbone:
    """The backbone of MobileUNet, kept under the names of torchvision's, as load_backbone takes them."""
    features = MobileUNet(config).features
    return Backbone(features, CHANNELS, lambda: {f"features.{name}": v for name, v in features.state_dict().items()})


@dataclass(frozen=True)
class PretrainConfig(Checked):
    """How to teach the backbone.

    Attributes:
        on: what it is taught.
        backbone: whose backbone: the grasp network's, or the pose network's of the policies.
        objects: a split or family names, see families.py.
        views: to learn from.
        network: shape of the network; its backbone alone is trained.
        augment: how colours are varied; nothing is moved.
        val_share: of the views, kept to measure by.
        epochs: passes over the views.
        batch: views in a step.
        learning_rate: at its highest; it rises over the first epochs and falls along a cosine.
        weight_decay: of AdamW.
        seed: of views, weights, order and augmentation.
    """

    on: TaskName = "reconstruction"
    backbone: BackboneName = "grasp"
    objects: str = "train"
    views: Annotated[int, Range(20)] = 4000
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    val_share: Share = 0.1
    epochs: Count = 12
    batch: Annotated[int, Range(2)] = 32
    learning_rate: Positive = 3e-3
    weight_decay: float = 1e-3
    seed: int = 0


@dataclass(frozen=True)
class PretrainEpoch(Epoch):
    """One line of the log.

    Attributes:
        val_score: what the task is judged by, see tasks.py.
    """

    val_score: float


class Pretrainer:
    """Trains one backbone; everything that it writes is in its run folder.

    Args:
        views: to learn from.
        families: how many there are in them.
        run: folder that gets the backbone's weights, log and pictures.
        config: how.
        make_backbone: makes what is taught, once the weights' seed is set; None: the grasp network's.
        device: see training_device.
        resume: go on where `run` stopped.

    Raises:
        InputError: the device or the run cannot be used.
    """

    def __init__(
        self,
        views: LabelledViews,
        families: int,
        run: Path,
        config: PretrainConfig,
        *,
        make_backbone: Callable[[], Backbone] | None = None,
        device: str = "cpu",
        resume: bool = False,
    ) -> None:
        self._folder, self._config, self._device = run, config, training_device(device)
        kept = max(1, round(config.val_share * len(views)))
        self._train, self._val = views.take(np.arange(kept, len(views))), views.take(np.arange(kept))
        torch.manual_seed(config.seed)
        self._backbone = grasp_backbone(config.network) if make_backbone is None else make_backbone()
        self.head = head_of(config.on, views.images.shape[1], families, self._backbone.channels)
        whole = nn.Sequential(self._backbone.module, self.head).to(self._device)
        self._network: nn.Sequential = whole.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimiser = torch.optim.AdamW(
            self._network.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self._run = TrainingRun(
            run, "", config, network=self._network, optimiser=self._optimiser, line=PretrainEpoch, resume=resume
        )
        save_yaml(config, run / "pretrain.yaml")

    @property
    def done(self) -> int:
        """Epochs of this run that lie behind."""
        return self._run.done

    def train(self, report: Callable[[PretrainEpoch], None] | None = None) -> PretrainEpoch:
        """Train to the end, keep the backbone of the lowest validation loss. Returns that epoch."""
        begin = time.monotonic()
        with self._run as run:
            for epoch in run.epochs(self._config.epochs):
                train_loss = self._pass(epoch)
                val_loss, score = self._validate()
                line = PretrainEpoch(epoch, train_loss, val_loss, time.monotonic() - begin, score)
                if run.add(line):
                    self._keep()
                run.save()
                if report is not None:
                    report(line)
        self._run.draw()
        self._network.eval()
        some = self._val.take(np.arange(min(12, len(self._val))))
        with torch.no_grad():
            told = self._network(torch.from_numpy(network_input(some.images)).to(self._device)).cpu().numpy()
        draw_examples(self._config.on, some, told, self._folder / "examples.png")
        return self._run.best

    def _pass(self, epoch: int) -> float:
        self._network.train()
        return self._run.descend(
            epoch, len(self._train), self._config, lambda index, rng: self._step(self._train, index, rng)[0]
        )

    def _step(
        self, views: LabelledViews, index: NDArray[np.int64], rng: np.random.Generator | None
    ) -> tuple[torch.Tensor, float]:
        """Loss and score of some views; with `rng` their colours are varied."""
        batch = views.take(index)
        images = batch.images
        if rng is not None:
            images = np.array([recolour(rng, self._config.augment, image) for image in images])
        given, clean = (
            torch.from_numpy(network_input(some)).to(self._device, memory_format=torch.channels_last)
            for some in (images, batch.images)
        )
        # What was recoloured is drawn as it was given: nobody can know the colours that it had before.
        known = known_of(batch, given if rng is not None else clean)
        told = self._network(given)
        return self.head.loss(told, known), self.head.score(told.detach(), known)

    @torch.no_grad()
    def _validate(self) -> tuple[float, float]:
        self._network.eval()
        parts = [np.arange(start, min(start + 64, len(self._val))) for start in range(0, len(self._val), 64)]
        found = [(len(part), *self._step(self._val, part, None)) for part in parts]
        n = len(self._val)
        return sum(k * float(loss) for k, loss, _ in found) / n, sum(k * score for k, _, score in found) / n

    def _keep(self) -> None:
        texts = {"on": self._config.on, "backbone": self._config.backbone, "seed": str(self._config.seed)}
        save_safetensors(self._backbone.kept(), self._folder / BACKBONE, texts)
