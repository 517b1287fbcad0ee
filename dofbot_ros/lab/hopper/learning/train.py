"""Trains a hopper policy from state; a run's folder holds all of it, and can be gone on with."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import Env
from numpy.typing import NDArray
from sb3_contrib import TQC, TRPO
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv

from dofbot_ros.core.files import whole_file
from dofbot_ros.core.model_files import load_state, load_tensors
from dofbot_ros.errors import InputError
from dofbot_ros.lab.hopper.learning.export import export_actor
from dofbot_ros.lab.hopper.learning.normalisation import (
    NormalisedActor,
    load_normalisation,
    normalised,
    save_normalisation,
    take_over,
)
from dofbot_ros.lab.hopper.learning.train_config import HopperTrainConfig
from dofbot_ros.lab.hopper.spec import HopperSpec, load_hopper_spec
from dofbot_ros.lab.hopper.world.body import STATE_SIZE
from dofbot_ros.lab.hopper.world.env import HopperEnv
from dofbot_ros.lab.hopper.world.rollout import rollouts
from dofbot_ros.policy.interface.spec import commit
from dofbot_ros.policy.learning.callback import Progress, TrainingCallback
from dofbot_ros.policy.learning.checkpoint import BUFFER, CHECKPOINT, load_buffer, load_model, save_checkpoint
from dofbot_ros.training.learning_curve import LearningCurve
from dofbot_ros.training.run_folder import DRAWS, TENSORBOARD, RunFolder, one_core, training_device

ALGORITHMS: dict[str, Callable[..., BaseAlgorithm]] = {"ppo": PPO, "sac": SAC, "tqc": TQC, "trpo": TRPO}
NORMALISATION, SELECTION, SELECTED = "normalisation.npz", "selection.jsonl", "selected.pt"

SELECTION_SEEDS = 1_000_000
"""First seed of the episodes that choose a checkpoint; evaluation counts from 0."""


class HopperTrainer:
    """Trains one policy; everything that it writes is in its run's folder.

    Args:
        config: how.
        run: folder for checkpoint, draws, selection, TensorBoard's events, and the exported policy.
        device: see training_device.
        resume: go on where `run` stopped; `config` may only ask for more steps.

    Raises:
        InputError: the run already exists, or is not there to go on with, or the device cannot be used.
        DependencyError: mujoco is not installed.
    """

    def __init__(self, config: HopperTrainConfig, run: Path, *, device: str = "cpu", resume: bool = False) -> None:
        self.config, self.run = config, run
        self._folder = RunFolder(run, resume=resume, mark=CHECKPOINT)
        self._folder.require_same(config, ("steps",))
        one_core()
        where = training_device(device, pictures=False)
        self._worlds = [HopperEnv(config.domain, config.randomize) for _ in range(config.copies)]
        self._tests = [HopperEnv(config.domain, config.randomize) for _ in range(config.selected_episodes)]
        if config.start and not resume:
            self._require_start(Path(config.start))
        self._folder.begin(config)
        monitored: list[Callable[[], Env[Any, Any]]] = [partial(Monitor, world) for world in self._worlds]
        self._vector = normalised(DummyVecEnv(monitored), config.discount)
        self.model = ALGORITHMS[config.algo](
            "MlpPolicy", self._vector, gamma=config.discount, seed=config.seed, device=where, **config.options()
        )
        self._best = -np.inf
        if resume:
            self._go_on()
        elif config.start:
            self._begin_with(Path(config.start))
        self.model.set_logger(configure(str(run / TENSORBOARD), ["tensorboard"]))

    def train(self, report: Callable[[Progress], None] | None = None) -> Progress:
        """Train to the end and export. Returns how it went; Ctrl-C leaves the last checkpoint to go on with."""
        curve = LearningCurve(self.run, resume=self._folder.resumed)
        curve.go_on("steps", self.model.num_timesteps)
        callback = TrainingCallback(
            wanted=self.config.steps,
            checkpoint_steps=self.config.selected_every,
            draws=self.run / DRAWS,
            envs=self._worlds,
            save=self._checkpoint,
            curve=curve,
            report=report,
        )
        remaining = self.config.steps - self.model.num_timesteps
        if remaining > 0:
            self.model.learn(remaining, callback=callback, reset_num_timesteps=self.model.num_timesteps == 0)
            self._checkpoint()
            callback.note("steps", callback.progress(self.model))
        self.export()
        curve.draw()
        return callback.progress(self.model)

    def export(self) -> None:
        """Write policy.onnx and policy.yaml of the checkpoint that did best in the worlds of the training."""
        actor = NormalisedActor(self.model.policy.to("cpu"), self._vector).eval()
        kept = load_tensors(self.run / SELECTED, self.run / SELECTED)
        load_state(actor, kept["actor"], self.run / SELECTED)
        training = {
            "algorithm": self.config.algo,
            "domain": self.config.domain,
            "randomize": self.config.randomize,
            "seed": str(self.config.seed),
            "start": Path(self.config.start).name or "none",
            "steps": str(int(kept["steps"])),
            "steps_in_all": str(self.model.num_timesteps),
            "commit": commit(),
        }
        sample = torch.zeros(1, STATE_SIZE)
        export_actor(actor, (sample,), ("observation",), HopperSpec(training=training), self.run)

    def close(self) -> None:
        """Let go of the environments."""
        self._vector.close()

    def _checkpoint(self) -> None:
        """Save, and keep the policy apart if it does better than those before in the worlds of the training."""
        actor = NormalisedActor(self.model.policy, self._vector).to(self.model.device).eval()
        seeds = range(SELECTION_SEEDS, SELECTION_SEEDS + self.config.selected_episodes)
        mean = float(np.mean([end.earned for end in rollouts(self._tests, _InTraining(actor), seeds)]))
        if mean > self._best:
            self._best = mean
            state = {name: value.cpu() for name, value in actor.state_dict().items()}
            self._folder.save(SELECTED, {"actor": state, "steps": self.model.num_timesteps})
        with whole_file(self.run / NORMALISATION) as draft:
            save_normalisation(self._vector, draft)
        save_checkpoint(self.model, self.run)
        with (self.run / SELECTION).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"steps": self.model.num_timesteps, "mean_return": mean}) + "\n")

    def _require_start(self, start: Path) -> None:
        if load_hopper_spec(start).training.get("algorithm") != self.config.algo:
            raise InputError(f"{start} was not trained with {self.config.algo}: its networks are others")

    def _begin_with(self, start: Path) -> None:
        """Take over the policy that another run kept, and its normalisation."""
        load_normalisation(self._vector, start / NORMALISATION)
        actor = NormalisedActor(self.model.policy, self._vector)
        load_state(actor, load_tensors(start / SELECTED, start / SELECTED)["actor"], start / SELECTED)
        take_over(self._vector, actor)

    def _go_on(self) -> None:
        load_model(self.model, self.run / CHECKPOINT)
        load_normalisation(self._vector, self.run / NORMALISATION)
        if isinstance(self.model, OffPolicyAlgorithm) and (self.run / BUFFER).exists():
            load_buffer(self.model, self.run / BUFFER)
        # Otherwise it would meet the worlds of the run's beginning once more.
        self.model.set_random_seed(self.config.seed + self.model.num_timesteps)
        lines = (self.run / SELECTION).read_text(encoding="utf-8").splitlines()
        self._best = max(float(json.loads(line)["mean_return"]) for line in lines)


class _InTraining:
    """A network that acts before it is exported."""

    def __init__(self, actor: NormalisedActor) -> None:
        self._actor = actor

    def start(self, episodes: int) -> None:
        """Remembers nothing."""

    def act(self, seen: NDArray[Any], live: Sequence[int]) -> NDArray[np.float32]:  # noqa: ARG002
        """Actions (n, 3) of states (n, 11)."""
        with torch.no_grad():
            given = torch.as_tensor(seen, device=self._actor.mean.device)
            acted: NDArray[np.float32] = self._actor(given).cpu().numpy()
        return acted
