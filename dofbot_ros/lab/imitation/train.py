"""Trains the imitation network on generated silhouettes, through the renderer; a run's folder can be gone on with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from dofbot_ros.config.ranges import Checked, Count, Positive
from dofbot_ros.core.model_files import load_state, save_safetensors
from dofbot_ros.lab.imitation.hand import HandModel
from dofbot_ros.lab.imitation.network import ImitationNetwork
from dofbot_ros.lab.imitation.silhouette import SIZE, hard, iou, soft
from dofbot_ros.lab.imitation.urdf.saved import hand_of, hand_texts, keep_hand
from dofbot_ros.training.run_folder import RunFolder, one_core

CHECKPOINT, WEIGHTS, LOG = "checkpoint.pt", "hand.safetensors", "training.jsonl"

TRAINED_PX = SIZE // 2
"""Edge of the pictures that the renderer makes in training: a quarter of the time, and the network sees all pixels."""

Report = Callable[[int, int, float], None]
"""Told how many steps are done, of how many, and the mean overlap lately."""


@dataclass(frozen=True)
class ImitationTrainConfig(Checked):
    """How to train.

    Attributes:
        dof: of the hand, 12 or 17.
        urdf: file of another hand; empty: none.
        joints: of that hand, see urdf.reader.read_hand.
        steps: of gradient descent.
        batch: generated silhouettes in each.
        learning_rate: of Adam; it falls to zero as a cosine.
        angle_weight: of the angles' error beside that of pixels at the beginning; it falls to a tenth.
        seed: of weights and poses.
        checkpoint_steps: between two checkpoints.
    """

    dof: int = 12
    urdf: str = ""
    joints: dict[str, str] = field(default_factory=dict)
    steps: Count = 6_000
    batch: Count = 64
    learning_rate: Positive = 2e-3
    angle_weight: float = 2.0
    seed: int = 0
    checkpoint_steps: Count = 500

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        return HandModel(self.dof).problems()


def train_imitation(
    config: ImitationTrainConfig, run: Path, *, resume: bool = False, report: Report | None = None
) -> dict[str, float]:
    """Train in `run`; Ctrl-C leaves the last checkpoint to go on with.

    Args:
        config: how.
        run: gets train.yaml, checkpoint.pt, training.jsonl and hand.safetensors.
        resume: go on with what is there; only `steps` may differ.
        report: see Report.

    Returns:
        `steps` and `iou`: the mean overlap with hard silhouettes over the last hundred steps.

    Raises:
        InputError: `run` holds another run, or there is nothing to go on with.
        ConfigError: the URDF's hand cannot be used.
    """
    folder = RunFolder(run, resume=resume, mark=CHECKPOINT)
    folder.require_same(config, ("steps",))
    one_core()
    model = hand_of(config.dof, config.urdf, config.joints, run)
    folder.begin(config)
    keep_hand(model, run)
    torch.manual_seed(config.seed)
    network = ImitationNetwork(model)
    optimiser = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
    first = 0
    if resume:
        saved = folder.load(CHECKPOINT)
        load_state(network, saved["network"], run / CHECKPOINT)
        optimiser.load_state_dict(saved["optimiser"])
        first = int(saved["steps"])
    schedule = torch.linspace(0.0, torch.pi, config.steps).cos() * 0.5 + 0.5
    generator = torch.Generator().manual_seed(config.seed + first)
    span, mean = model.upper - model.lower, 0.0
    network.train()
    for step in range(first, config.steps):
        left = float(schedule[step])
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * max(left, 0.01)
        angles = model.sample(config.batch, generator)
        target = hard(model, angles).float()
        found = network(target)
        shown = soft(model, found, TRAINED_PX)
        overlap = iou(shown, nn.functional.avg_pool2d(target, 2))
        wrong = ((found - angles) / span).square().mean()
        loss = (1.0 - overlap).mean() + config.angle_weight * (0.1 + 0.9 * left) * wrong
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        mean += (float(overlap.mean().detach()) - mean) / min(step - first + 1, 100)
        if report is not None:
            report(step + 1, config.steps, mean)
        if (step + 1) % config.checkpoint_steps == 0 or step + 1 == config.steps:
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "steps": step + 1}
            folder.save(CHECKPOINT, state)
            with (run / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"steps": step + 1, "iou": mean}) + "\n")
    save_safetensors(network.state_dict(), run / WEIGHTS, hand_texts(model))
    return {"steps": config.steps, "iou": mean}
