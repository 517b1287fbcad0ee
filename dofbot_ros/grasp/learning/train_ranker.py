"""Trains the ranking network on all grasps that were tried, those that held and those that failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dofbot_ros.config.loader import from_mapping
from dofbot_ros.core.types import BoolArray
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.crop import STEP, Inputs, bearing, close_ups, network_inputs, piece, table_colour
from dofbot_ros.grasp.detection.model_io import RANKER_ONNX, RANKER_WEIGHTS, export_ranker, load_ranker, save_ranker
from dofbot_ros.grasp.detection.ranker import GraspRanker, RankerConfig
from dofbot_ros.grasp.detection.view import TopDownView, rotation_yaw
from dofbot_ros.grasp.learning.dataset import TRAIN_FILE, VAL_FILE, GraspData, IntArray, join, load
from dofbot_ros.grasp.learning.run import Epoch, TrainingRun
from dofbot_ros.grasp.planning.planar_plan import PlanarGrasp
from dofbot_ros.training.run_folder import training_device

PREFIX = "ranker_"
"""Of this network's files in a run's folder."""


@dataclass(frozen=True)
class RankerEpoch(Epoch):
    """One line of the log.

    Attributes:
        val_ordered: share of the pairs of a grasp that held and one that failed, of the validation data, in which the
            one that held ranks higher (the area under the ROC curve).
    """

    val_ordered: float


@dataclass(frozen=True, eq=False)
class _Tried:
    """Grasps that were tried, and what their close-ups are made from.

    Attributes:
        data: the grasps.
        view: what their images show.
        tables: each table's colour (n, 3).
    """

    data: GraspData
    view: TopDownView
    tables: Inputs

    @staticmethod
    def load(files: Sequence[Path]) -> _Tried:
        """Read data and check that there is something to tell apart in them."""
        data = join([load(file) for file in files])
        if data.success.all() or not data.success.any():
            raise InputError(
                f"{files[0].name}: what is learnt is to tell grasps that held from failed ones: --failures"
            )
        view = data.meta.get("rules", {}).get("view", {"size": data.size})
        return _Tried(data, from_mapping(TopDownView, view, "view"), np.array([table_colour(i) for i in data.images]))

    def pinch(self, number: int) -> PlanarGrasp:
        """The grasp that was tried."""
        row, column, rotation = (int(v) for v in self.data.actions[number])
        return PlanarGrasp(
            *self.view.to_table(row, column), rotation_yaw(rotation, self.data.rotations), self.view.height
        )

    def inputs(self, index: IntArray) -> Tensor:
        """Close-ups as they are."""
        found = [close_ups(self.data.images[i], self.view, [self.pinch(i)]) for i in index]
        return torch.from_numpy(np.concatenate(found)).contiguous(memory_format=torch.channels_last)

    def varied(self, rng: np.random.Generator, index: IntArray, config: RankerConfig) -> Tensor:
        """Close-ups, each the way round, in the colours and with the little displacement that the draw gives."""
        pieces, bearings = [], []
        for i in index:
            mirrored, pinch = bool(rng.random() < 0.5), self.pinch(i)
            if rng.random() < 0.5:
                pinch = replace(pinch, yaw=pinch.yaw + np.pi)  # fingers that change places make the same grasp
            bearings.append(bearing(pinch, mirrored=mirrored))
            dx, dy = config.shift * rng.standard_normal(2)
            turn = config.turn * float(rng.standard_normal())
            moved = replace(pinch, x=pinch.x + dx, y=pinch.y + dy, yaw=pinch.yaw + turn)
            step = STEP * (1.0 + config.stretch * float(rng.standard_normal()))
            seen = piece(self.data.images[i], self.view, moved, mirrored=mirrored, step=step)
            pieces.append(_recoloured(rng, seen - self.tables[i]))
        colours = np.array(pieces)
        colours += rng.uniform(0.0, config.noise, (len(pieces), 1, 1, 1)) * rng.standard_normal(colours.shape)
        inputs = torch.from_numpy(network_inputs(colours, np.array(bearings)))
        return inputs.contiguous(memory_format=torch.channels_last)


def train_ranker(
    data: Sequence[Path],
    folder: Path,
    config: RankerConfig,
    *,
    device: str = "cpu",
    start: Path | None = None,
    resume: bool = False,
    report: Callable[[RankerEpoch], None] | None = None,
) -> RankerEpoch:
    """Train, and put the weights of the lowest validation loss beside the map's network. Returns that epoch.

    Args:
        data: folders with train_dataset.npz, at least one of them with val_dataset.npz, failures included.
        folder: of a run, or a new one.
        config: how.
        device: see training_device.
        start: folder of a run whose ranking network it begins with; None: with random weights.
        resume: go on where the training in `folder` stopped.
        report: called after each epoch.

    Raises:
        InputError: the data hold no failures, or cannot be read; `start` holds a network of another width; or `folder`
            and `resume` do not fit.
    """
    where = training_device(device)
    torch.manual_seed(config.seed)
    # As for the map's network: convolutions train faster with the channels last.
    network = GraspRanker(config).to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if start is not None:
        earlier = load_ranker(start / RANKER_WEIGHTS)
        if earlier.config.width != config.width:
            raise InputError(f"{start} holds a ranking network {earlier.config.width} wide, not {config.width}")
        network.load_state_dict(earlier.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    to_validate = [file / VAL_FILE for file in data if (file / VAL_FILE).exists()]
    if not to_validate:
        raise InputError(f"{data[0]} holds no {VAL_FILE}, nor does another --data: collect with a --val-share above 0")
    train, val = _Tried.load([file / TRAIN_FILE for file in data]), _Tried.load(to_validate)
    seen = val.inputs(np.arange(len(val.data)))
    steps, begin = max(1, len(train.data) // config.batch), time.monotonic()
    with TrainingRun(
        folder, PREFIX, config, network=network, optimiser=optimiser, line=RankerEpoch, resume=resume
    ) as run:
        for epoch in run.epochs(config.epochs):
            # Order, augmentation and dropout depend on seed and epoch alone, so that a resumed run is the run.
            rng = np.random.default_rng([config.seed, epoch])
            torch.manual_seed(int(rng.integers(2**31)))
            order, losses = rng.permutation(len(train.data)), []
            network.train()
            for step in range(steps):
                run.set_rate(config.learning_rate, (epoch - 1 + step / steps) / config.epochs)
                batch = order[step * config.batch : (step + 1) * config.batch]
                held = torch.from_numpy(train.data.success[batch].astype(np.float32)).to(where)
                logits = network(train.varied(rng, batch, config).to(where))
                loss = nn.functional.binary_cross_entropy_with_logits(logits, held)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                losses.append(float(loss.detach()))
            val_loss, ordered = _validate(network, seen, val.data.success)
            line = RankerEpoch(epoch, float(np.mean(losses)), val_loss, time.monotonic() - begin, ordered)
            if run.add(line):
                save_ranker(network, config, folder / RANKER_WEIGHTS)
            run.save()
            if report is not None:
                report(line)
    export_ranker(load_ranker(folder / RANKER_WEIGHTS), folder / RANKER_ONNX)
    run.draw()
    return run.best


def _recoloured(rng: np.random.Generator, piece: Inputs) -> Inputs:
    """Colours less the table's (h, w, 3), in another order or grey, brighter or darker, or turned to the opposite."""
    if rng.random() < 0.15:
        piece = np.repeat(piece @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=2)
    else:
        piece = piece[..., rng.permutation(3)]
    gain = rng.choice([-1.0, 1.0]) * rng.uniform(0.6, 1.4) * rng.uniform(0.8, 1.2, 3)
    return np.asarray(piece * gain + rng.normal(0.0, 6.0, 3), np.float32)


@torch.no_grad()
def _validate(network: GraspRanker, seen: Tensor, held: BoolArray) -> tuple[float, float]:
    network.eval()
    where = next(network.parameters()).device
    logits = torch.cat([network(part.to(where)).cpu() for part in torch.split(seen, 64)]).numpy()
    loss = np.logaddexp(0.0, np.where(held, -logits, logits)).mean()
    rank = logits.argsort().argsort()[held]
    return float(loss), float((rank.mean() - 0.5 * (len(rank) - 1)) / (~held).sum())
