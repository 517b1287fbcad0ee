"""Trains the pose network on rendered pictures and measures what it finds, in millimetres and degrees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.config.ranges import Checked, Count, Positive
from dofbot_ros.core.model_files import load_state, load_tensors, taking
from dofbot_ros.desks.config import OWN, load_desk
from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.spec import commit
from dofbot_ros.policy.perception.keypoint_backbone import backbone_of, load_pose_backbone
from dofbot_ros.policy.perception.keypoint_data import KeypointData, load_data, render_data
from dofbot_ros.policy.perception.keypoint_loss import augmented, closeup_loss, look_loss
from dofbot_ros.policy.perception.keypoint_measure import measure, sigma_px
from dofbot_ros.policy.perception.keypoint_network import Exported, PoseNetwork, scaled
from dofbot_ros.policy.perception.pixels import WIDTH, rows
from dofbot_ros.policy.perception.pose_estimator import POSE_MODEL, POSE_SPEC, PoseSpec
from dofbot_ros.sim.randomization import load_domain, load_level
from dofbot_ros.training.run_folder import RunFolder, one_core, training_device

CONFIG, CHECKPOINT, PICTURES, DRAWS, WEIGHTS = "pose_train.yaml", "pose.ckpt", "pictures", "pictures.jsonl", "pose.pt"

SHARD = 500
"""Pictures in a file."""


@dataclass(frozen=True)
class PoseTrainConfig(Checked):
    """How to train.

    Attributes:
        randomize: level of config/randomization.yaml.
        desk: where it names one, every second file of pictures shows installations of this desk instead of such worlds.
        pictures: to learn from; SHARD more are rendered to measure the keypoints' spread.
        epochs: times that each is shown for a first look.
        closeup_epochs: times that the block in it is shown enlarged.
        batch: pictures in a gradient step.
        learning_rate: of Adam at its highest.
        freeze: leave the backbone as it is begun with.
        seed: of pictures, weights and order.
    """

    randomize: str = "wide"
    desk: str = OWN
    pictures: Count = 6_000
    epochs: Count = 8
    closeup_epochs: Count = 30
    batch: Count = 64
    learning_rate: Positive = 3e-3
    freeze: bool = False
    seed: int = 0

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        load_level(self.randomize)
        load_desk(self.desk)
        yield from ()


Report = Callable[[str, int, int, float], None]
"""Told what is being done, how much of it is done, of how much, and the loss."""


def train_pose(
    config: PoseTrainConfig,
    run: Path,
    *,
    backbone: Path | None = None,
    device: str = "cpu",
    resume: bool = False,
    report: Report | None = None,
) -> None:
    """Render, train, export pose.onnx and pose.yaml into `run`; interrupted, it goes on from its last epoch.

    Args:
        config: how.
        run: folder; pictures and checkpoints stay in it.
        backbone: weights of the backbone to start from, as load_pose_backbone takes them.
        device: see training_device.
        resume: go on with what is there.
        report: told how far it is.

    Raises:
        InputError: `run` holds another run, the device or the backbone cannot be used, or an untaught one is to be
            frozen.
    """
    if config.freeze and backbone is None:
        raise InputError("freeze keeps a backbone that has learned something: give --backbone-weights")
    where = training_device(device)
    one_core()
    folder = RunFolder(run, resume=resume, mark=CONFIG, config_file=CONFIG, needed=False)
    folder.require_same(config)
    if backbone is not None:
        load_pose_backbone(PoseNetwork(), backbone)  # refuses before anything is rendered
    folder.begin(config)
    data, kept = _pictures(config, run, report)
    torch.manual_seed(config.seed)
    network = channels_last(PoseNetwork()).to(where)
    if backbone is not None:
        load_pose_backbone(network, backbone)
    state: dict[str, Any] = folder.load(CHECKPOINT, where)
    if state:
        with taking(run / CHECKPOINT):
            network.load_state_dict(state["network"])
    writer = folder.board()
    descent = _Descent(network, len(data), config, folder, writer, report)

    def looked(rng: np.random.Generator, chosen: NDArray[np.int64]) -> tuple[Tensor, dict[str, Tensor]]:
        return look_loss(*network.look(scaled(augmented(rng, data.pictures[chosen], where))), data, chosen)

    def enlarged(rng: np.random.Generator, chosen: NDArray[np.int64]) -> tuple[Tensor, dict[str, Tensor]]:
        return closeup_loss(network, rng, data, chosen)

    try:
        for name, epochs, loss in (("look", config.epochs, looked), ("close-up", config.closeup_epochs, enlarged)):
            if state.get("stage", name) == name:
                descent.stage(name, epochs, loss, state)
                state = {}
    finally:
        writer.close()
    network.cpu()
    folder.save(WEIGHTS, network.state_dict())
    export_pose(network, kept, config, run)


Loss = Callable[[np.random.Generator, NDArray[np.int64]], tuple[Tensor, dict[str, Tensor]]]


@dataclass(frozen=True)
class _Descent:
    """The training's two stages, each with a checkpoint an epoch."""

    network: PoseNetwork
    n: int
    config: PoseTrainConfig
    folder: RunFolder
    writer: SummaryWriter
    report: Report | None

    def stage(self, name: str, epochs: int, loss_of: Loss, state: dict[str, Any]) -> None:
        """Train that part of the network, on from where `state` is."""
        closeup = {id(weight) for weight in self.network.closeup.parameters()}
        for module in backbone_of(self.network):
            module.requires_grad_(not self.config.freeze)
        mine = [
            weight
            for weight in self.network.parameters()
            if (id(weight) in closeup) == (name == "close-up") and weight.requires_grad
        ]
        optimiser = torch.optim.Adam(mine, lr=self.config.learning_rate)
        batches = math.ceil(self.n / self.config.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.config.learning_rate, total_steps=epochs * batches + 1, pct_start=0.15
        )
        if state:
            optimiser.load_state_dict(state["optimiser"])
            schedule.load_state_dict(state["schedule"])
        self.network.train()
        if self.config.freeze:
            for module in backbone_of(self.network):
                module.eval()  # the statistics of its normalisation stay, too
        for epoch in range(state.get("epochs", 0), epochs):
            rng = np.random.default_rng([self.config.seed, epoch])
            for number, chosen in enumerate(_batches(rng, self.n, self.config.batch)):
                loss, parts = loss_of(rng, chosen)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
                done = epoch * batches + number + 1
                if number % 20 == 0:
                    for part, value in parts.items():
                        self.writer.add_scalar(f"{name}/{part}", value.item(), done)
                if self.report is not None:
                    self.report(f"{name}: steps", done, epochs * batches, loss.item())
            saved: dict[str, Any] = {"network": self.network, "optimiser": optimiser, "schedule": schedule}
            weights = {part: kept.state_dict() for part, kept in saved.items()}
            self.folder.save(CHECKPOINT, {"stage": name, "epochs": epoch + 1, **weights})


def channels_last(network: PoseNetwork) -> PoseNetwork:
    """The same network with weights laid out as its convolutions are quickest on a CPU."""
    moved: PoseNetwork = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def load_network(path: Path) -> PoseNetwork:
    """The trained network of a run's folder, ready to read pictures.

    Raises:
        InputError: there is none.
    """
    if not (path / WEIGHTS).exists():
        raise InputError(
            f"{path / WEIGHTS} does not exist: a finished run of `dofbot policy train --obs pipeline` has it"
        )
    network = PoseNetwork()
    load_state(network, load_tensors(path / WEIGHTS, path / WEIGHTS), path / WEIGHTS)
    return channels_last(network.eval())


def export_pose(network: PoseNetwork, kept: KeypointData, config: PoseTrainConfig, folder: Path) -> None:
    """Write pose.onnx and pose.yaml."""
    network = network.eval()
    torch.onnx.export(
        Exported(network),
        (torch.zeros(1, rows(WIDTH), WIDTH, 3, dtype=torch.uint8),),
        str(folder / POSE_MODEL),
        input_names=["image"],
        output_names=["pixels", "yaw", "shown", "spread"],
        dynamic_axes={name: {0: "n"} for name in ("image", "pixels", "yaw", "shown", "spread")},
        opset_version=17,
        dynamo=False,
    )
    training = {
        "randomize": config.randomize,
        "pictures": str(config.pictures),
        "epochs": f"{config.epochs} and {config.closeup_epochs}",
        "seed": str(config.seed),
        **({"desk": config.desk} if config.desk != OWN else {}),
        **({"freeze": "backbone"} if config.freeze else {}),
        "commit": commit(),
    }
    save_yaml(PoseSpec(WIDTH, tuple(sigma_px(network, kept)), training), folder / POSE_SPEC)


def measure_pose(folder: Path, desk: str = OWN, pictures: int = 400, seed: int = 900) -> dict[str, Any]:
    """What the network of a run finds in new pictures of both domains, and of a desk: see keypoint_measure.measure."""
    network = load_network(folder)
    told = {
        domain: measure(network, render_data(load_domain(domain), pictures, (seed,))) for domain in ("source", "target")
    }
    if desk != OWN:
        shown = render_data(load_domain("source"), pictures, (seed,), desk=desk)
        told[desk] = measure(network, shown)
    return told


def _pictures(config: PoseTrainConfig, run: Path, report: Report | None) -> tuple[KeypointData, KeypointData]:
    """Those to learn from, and those kept apart: rendered in files of SHARD, so that little is lost by a stop."""
    shards = math.ceil(config.pictures / SHARD)
    folder = run / PICTURES
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{shard:03}.npz" for shard in range(shards + 1)]
    for shard, path in enumerate(paths):
        if path.exists():
            continue

        def tell(done: int, before: int = shard * SHARD) -> None:
            if report is not None:
                report("pictures", before + done, len(paths) * SHARD, float("nan"))

        desk = config.desk if shard % 2 else OWN
        # An installation is a world of its own: nothing else is drawn there.
        ranges = load_level(config.randomize) if desk == OWN else load_domain("source")
        render_data(ranges, SHARD, (config.seed, shard), desk=desk, log=run / DRAWS, report=tell).save(path)
    return load_data(paths[:-1]).part(slice(config.pictures)), load_data(paths[-1:])


def _batches(rng: np.random.Generator, n: int, size: int) -> Iterator[NDArray[np.int64]]:
    order = rng.permutation(n)
    for first in range(0, n, size):
        yield order[first : first + size]
