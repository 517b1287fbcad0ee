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
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.config.ranges import Checked, Count, Positive
from dofbot_ros.core.model_files import load_state, load_tensors, taking
from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.spec import commit
from dofbot_ros.policy.perception.keypoint_data import KeypointData, load_data, render_data
from dofbot_ros.policy.perception.keypoint_measure import measure, sigma_px
from dofbot_ros.policy.perception.keypoint_network import HIDDEN_BELOW, STRIDE, Exported, PoseNetwork, scaled
from dofbot_ros.policy.perception.keypoints import BLOCK
from dofbot_ros.policy.perception.pixels import WIDTH, rows
from dofbot_ros.policy.perception.pose_estimator import POSE_MODEL, POSE_SPEC, PoseSpec
from dofbot_ros.sim.randomization import load_domain, load_level
from dofbot_ros.training.run_folder import RunFolder, one_core

CONFIG, CHECKPOINT, PICTURES, DRAWS, WEIGHTS = "pose_train.yaml", "pose.ckpt", "pictures", "pictures.jsonl", "pose.pt"

NEAR_PX = 1.2
"""Standard deviation of a close-up's centre about the block in training [px]: what the first look misses it by."""

LOST, REACH_PX = 0.15, 6.0
"""Share of close-ups that are taken somewhere else, and how far off the block counts as not in them [px]."""

SHARD = 500
"""Pictures in a file."""

SPREAD_CELLS = 0.7
"""Standard deviation of the heat that is wanted around a keypoint [cells]."""


@dataclass(frozen=True)
class PoseTrainConfig(Checked):
    """How to train.

    Attributes:
        randomize: level of config/randomization.yaml.
        pictures: to learn from; SHARD more are rendered to measure the keypoints' spread.
        epochs: times that each is shown for a first look.
        closeup_epochs: times that the block in it is shown enlarged.
        batch: pictures in a gradient step.
        learning_rate: of Adam at its highest.
        seed: of pictures, weights and order.
    """

    randomize: str = "wide"
    pictures: Count = 6_000
    epochs: Count = 8
    closeup_epochs: Count = 30
    batch: Count = 64
    learning_rate: Positive = 3e-3
    seed: int = 0

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        load_level(self.randomize)
        yield from ()


Report = Callable[[str, int, int, float], None]
"""Told what is being done, how much of it is done, of how much, and the loss."""


def train_pose(config: PoseTrainConfig, run: Path, *, resume: bool = False, report: Report | None = None) -> None:
    """Render, train, export pose.onnx and pose.yaml into `run`; interrupted, it goes on from its last epoch.

    Args:
        config: how.
        run: folder; pictures and checkpoints stay in it.
        resume: go on with what is there.
        report: told how far it is.

    Raises:
        InputError: `run` holds another run.
    """
    one_core()
    folder = RunFolder(run, resume=resume, mark=CONFIG, config_file=CONFIG, needed=False)
    folder.require_same(config)
    folder.begin(config)
    data, kept = _pictures(config, run, report)
    torch.manual_seed(config.seed)
    network = channels_last(PoseNetwork())
    state: dict[str, Any] = folder.load(CHECKPOINT)
    if state:
        with taking(run / CHECKPOINT):
            network.load_state_dict(state["network"])
    writer = folder.board()
    descent = _Descent(network, len(data), config, folder, writer, report)

    def looked(rng: np.random.Generator, chosen: NDArray[np.int64]) -> tuple[Tensor, dict[str, float]]:
        return _loss(*network.look(scaled(_augmented(rng, data.pictures[chosen]))), data, chosen)

    def enlarged(rng: np.random.Generator, chosen: NDArray[np.int64]) -> tuple[Tensor, dict[str, float]]:
        return _closeup_loss(network, rng, data, chosen)

    try:
        for name, epochs, loss in (("look", config.epochs, looked), ("close-up", config.closeup_epochs, enlarged)):
            if state.get("stage", name) == name:
                descent.stage(name, epochs, loss, state)
                state = {}
    finally:
        writer.close()
    folder.save(WEIGHTS, network.state_dict())
    export_pose(network, kept, config, run)


Loss = Callable[[np.random.Generator, NDArray[np.int64]], tuple[Tensor, dict[str, float]]]


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
        mine = [weight for weight in self.network.parameters() if (id(weight) in closeup) == (name == "close-up")]
        optimiser = torch.optim.Adam(mine, lr=self.config.learning_rate)
        batches = math.ceil(self.n / self.config.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, self.config.learning_rate, total_steps=epochs * batches + 1, pct_start=0.15
        )
        if state:
            optimiser.load_state_dict(state["optimiser"])
            schedule.load_state_dict(state["schedule"])
        self.network.train()
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
                        self.writer.add_scalar(f"{name}/{part}", value, done)
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
        "commit": commit(),
    }
    save_yaml(PoseSpec(WIDTH, tuple(sigma_px(network, kept)), training), folder / POSE_SPEC)


def measure_pose(folder: Path, pictures: int = 400, seed: int = 900) -> dict[str, Any]:
    """What the network of a run finds in new pictures of both domains: see keypoint_measure.measure."""
    network = load_network(folder)
    return {
        domain: measure(network, render_data(load_domain(domain), pictures, (seed,))) for domain in ("source", "target")
    }


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

        ranges = load_level(config.randomize)
        render_data(ranges, SHARD, (config.seed, shard), log=run / DRAWS, report=tell).save(path)
    return load_data(paths[:-1]).part(slice(config.pictures)), load_data(paths[-1:])


def _batches(rng: np.random.Generator, n: int, size: int) -> Iterator[NDArray[np.int64]]:
    order = rng.permutation(n)
    for first in range(0, n, size):
        yield order[first : first + size]


def _augmented(rng: np.random.Generator, pictures: NDArray[np.uint8]) -> Tensor:
    """Brightness, contrast and tint that no light of the simulation has; (n, 3, rows, width)."""
    n = len(pictures)
    gain = torch.from_numpy(rng.uniform(0.75, 1.25, (n, 1, 1, 1)) * rng.uniform(0.92, 1.08, (n, 3, 1, 1))).float()
    offset = torch.from_numpy(rng.uniform(-20.0, 20.0, (n, 1, 1, 1))).float()
    given = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    return (gain * given + offset).clamp(0.0, 255.0).contiguous(memory_format=torch.channels_last)


def _loss(
    pixels: Tensor, heat: Tensor, data: KeypointData, chosen: NDArray[np.int64]
) -> tuple[Tensor, dict[str, float]]:
    wanted = torch.from_numpy(data.pixels[chosen])
    height, width = heat.shape[2:]
    inside = ((wanted > -0.5) & (wanted < torch.tensor([STRIDE * width, STRIDE * height]) - 0.5)).all(dim=2)
    weight = inside.float()
    # What is hidden is worth a guess and no more.
    weight[:, BLOCK] *= 2.0 * torch.from_numpy(data.shown[chosen]).clamp(0.1, 1.0)
    cells = (wanted - 0.5 * (STRIDE - 1)) / STRIDE
    du = torch.arange(width) - cells[..., :1]
    dv = torch.arange(height) - cells[..., 1:]
    target = (-0.5 / SPREAD_CELLS**2 * (du[:, :, None, :] ** 2 + dv[:, :, :, None] ** 2)).exp()
    target = target / target.sum(dim=(2, 3), keepdim=True).clamp_min(1e-6)
    spread = (weight * -(target * heat).sum(dim=(2, 3))).mean()
    away = nn.functional.smooth_l1_loss(pixels, wanted, reduction="none", beta=0.5).sum(dim=2)
    place = (weight * away).mean()
    return spread + place, {"heat": spread.item(), "place": place.item()}


def _closeup_loss(
    network: PoseNetwork, rng: np.random.Generator, data: KeypointData, chosen: NDArray[np.int64]
) -> tuple[Tensor, dict[str, float]]:
    """Of windows somewhere near the block, turned anyhow: the few true pictures show it in every way it can lie."""
    n = len(chosen)
    true = torch.from_numpy(data.pixels[chosen, BLOCK])
    jitter = NEAR_PX * rng.standard_normal((n, 2))
    lost = rng.random(n) < LOST
    jitter[lost] += 30.0 * rng.standard_normal((int(lost.sum()), 2))
    centre = true + torch.from_numpy(jitter).float()
    turn = torch.from_numpy(rng.uniform(-math.pi, math.pi, n)).float()
    offset, yaw, sight = network.closeup(scaled(_augmented(rng, data.pictures[chosen])), centre, turn)
    away = true - centre
    cos, sin = turn.cos(), turn.sin()
    wanted = torch.stack([cos * away[:, 0] + sin * away[:, 1], cos * away[:, 1] - sin * away[:, 0]], dim=1)
    there = (away.abs().amax(dim=1) < REACH_PX) & (torch.from_numpy(data.shown[chosen]) >= HIDDEN_BELOW)
    seen = there.float()
    angle = 4.0 * (torch.from_numpy(data.yaw[chosen]) - turn)
    missed = nn.functional.smooth_l1_loss(offset, wanted, reduction="none", beta=0.3).sum(dim=1)
    turned = (yaw - torch.stack([angle.cos(), angle.sin()], dim=1)).square().sum(dim=1)
    place, spin = (seen * missed).mean(), (seen * turned).mean()
    told = nn.functional.binary_cross_entropy_with_logits(sight, seen)
    return place + spin + 0.5 * told, {"offset": place.item(), "yaw": spin.item(), "sight": told.item()}
