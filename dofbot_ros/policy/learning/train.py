"""Trains a policy with stable-baselines3 or sb3-contrib; a run's folder holds all of it, and can be gone on with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from sb3_contrib import TQC
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from dofbot_ros.config.ranges import Checked, Count, Index, Positive, Range
from dofbot_ros.core.files import whole_file
from dofbot_ros.errors import InputError
from dofbot_ros.policy.env.environments import DofBotEnv, make_env
from dofbot_ros.policy.evaluation.evaluate import rollout
from dofbot_ros.policy.interface.spec import commit
from dofbot_ros.policy.learning.bc_regularizer import OPTIONS, BcRegularizer
from dofbot_ros.policy.learning.callback import Progress, TrainingCallback, log_draw
from dofbot_ros.policy.learning.checkpoint import (
    BUFFER,
    CHECKPOINT,
    OLD_BUFFER,
    load_buffer,
    load_model,
    save_checkpoint,
)
from dofbot_ros.policy.learning.dagger import FIRST_SEEDS, DaggerTrainer, ImitateConfig
from dofbot_ros.policy.learning.demonstrations import Transition, Usefulness, read_demonstrations, usefulness
from dofbot_ros.policy.learning.export import export_policy
from dofbot_ros.training.learning_curve import LearningCurve
from dofbot_ros.training.run_folder import DRAWS, TENSORBOARD, RunFolder, one_core, training_device

LESSONS, TAUGHT, COMPARED = "lessons.pt", "taught.pt", "compared.json"


GROWS = ("steps", "episodes")
"""Settings that a resumed run may raise."""


@dataclass(frozen=True)
class TrainConfig(Checked):
    """How to train.

    Attributes:
        task: reach, pick or place.
        obs: state or image.
        algo: tqc and sac learn from a replay buffer, ppo from fresh steps.
        randomize: level of config/randomization.yaml.
        control: tool or joints.
        hindsight: replay with goals that were reached by chance, and a sparse reward; tqc and sac only.
        episodes: in which the scripted teacher shows what it would do, before the policy tries alone (imitate.py).
        demonstrations: folder of recorded episodes that are shown to it first; "" for none (demonstrations.py).
        block: name of the one that matters in them.
        steps: of the environment, in which the policy tries alone; may be 0 where it was shown something.
        seed: of networks, exploration and worlds.
        width: of the two hidden layers.
        learning_rate: of Adam.
        batch: transitions in a gradient step.
        buffer: transitions kept.
        discount: of a period.
        warm_up: steps of random actions before learning begins, where nothing was shown; tqc and sac only.
        critics_first: steps in which a policy that was shown something acts as it was, while critics learn (keep.py).
        compared: worlds in which it must in the end do at least as well as it did before its steps, or they are undone.
        checkpoint_steps: between two checkpoints.
    """

    task: str = "reach"
    obs: Literal["state", "image"] = "state"
    algo: Literal["tqc", "sac", "ppo"] = "tqc"
    randomize: str = "none"
    control: Literal["tool", "joints"] = "tool"
    hindsight: bool = False
    episodes: Index = 0
    demonstrations: str = ""
    block: str = "red"
    steps: Index = 30_000
    seed: int = 0
    width: Count = 128
    learning_rate: Positive = 1e-3
    batch: Count = 256
    buffer: Count = 300_000
    discount: Annotated[float, Range(above=0.0, below=1.0)] = 0.95
    warm_up: int = 1000
    critics_first: int = 3000
    compared: int = 100
    checkpoint_steps: Count = 10_000

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if not self.shown and not self.steps:
            yield "a policy learns from demonstrations, a teacher's episodes, or its own steps: got none of them"
        if self.hindsight and (self.algo == "ppo" or self.obs != "state"):
            yield "hindsight needs a replay buffer and goals: algo tqc or sac, obs state"
        if self.shown and self.steps and self.algo == "ppo":
            yield "ppo forgets what it was shown: go on with algo tqc or sac, or leave out the steps"
        if self.shown and (self.control != "tool" or self.obs != "state"):
            yield "teacher and demonstrations displace the tool, and show states: control tool, obs state"

    @property
    def shown(self) -> bool:
        """Whether it is shown something before it tries alone."""
        return self.episodes > 0 or bool(self.demonstrations)

    def environment(self) -> DofBotEnv:
        """What this policy trains in."""
        reward = "sparse" if self.hindsight else "dense"
        return make_env(self.task, self.obs, control=self.control, reward=reward, ranges=self.randomize)


class Trainer:
    """Trains one policy; everything that it writes is in its run's folder.

    Args:
        config: how.
        run: folder for checkpoint, draws, TensorBoard's events, and the exported policy.
        device: see training_device.
        resume: go on where `run` stopped; `config` may only ask for more episodes or steps.

    Raises:
        InputError: the run already exists, or is not there to go on with, or the device cannot be used, or the recorded
            episodes do not teach the task.
    """

    def __init__(self, config: TrainConfig, run: Path, *, device: str = "cpu", resume: bool = False) -> None:
        self.config, self.run = config, run
        self._folder = RunFolder(run, resume=resume, mark=CHECKPOINT)
        self._folder.require_same(config, GROWS)
        one_core()
        where = str(training_device(device, pictures=config.obs == "image"))
        self._env = config.environment()
        self._recorded: list[list[Transition]] = []
        self.imitation_loss = float("nan")
        if config.demonstrations:
            self._recorded = read_demonstrations(Path(config.demonstrations), self._env.task, config.block)
        self._folder.begin(config)
        vector = DummyVecEnv([lambda: Monitor(self._env)])
        self.model = _loaded(config, run, vector, where) if resume else _new(config, vector, where)
        self.model.set_logger(configure(str(run / TENSORBOARD), ["tensorboard"]))

    def train(self, report: Callable[[Progress], None] | None = None) -> Progress:
        """Train to the end and export. Returns how it went; Ctrl-C leaves the last checkpoint to go on with."""
        curve = LearningCurve(self.run, resume=self._folder.resumed)
        curve.go_on("steps", self.model.num_timesteps)
        watcher = TrainingCallback(
            wanted=self.config.steps,
            checkpoint_steps=self.config.checkpoint_steps,
            draws=self.run / DRAWS,
            envs=[self._env],
            save=lambda: save_checkpoint(self.model, self.run),
            curve=curve,
            report=report,
        )
        if self.config.shown and self.model.num_timesteps == 0:
            taught = self._imitate(watcher, curve)
            if self.config.steps == 0:
                curve.draw()
                self.export()
                return taught
        remaining = self.config.steps - self.model.num_timesteps
        if remaining > 0:
            keeper = self._keeper() if self.config.shown else None
            self.model.learn(remaining, callback=watcher, reset_num_timesteps=self.model.num_timesteps == 0)
            if keeper is not None and not self._holds_its_own(keeper):
                keeper.give_up()
            watcher.note("steps", watcher.progress(self.model))
        save_checkpoint(self.model, self.run)
        self.export()
        curve.draw()
        return watcher.progress(self.model)

    def _imitate(self, watcher: TrainingCallback, curve: LearningCurve) -> Progress:
        config = self.config
        # A buffer with hindsight gives nothing before its first episode is whole.
        remember = config.steps > 0 or config.hindsight
        lessons = ImitateConfig(config.episodes, config.seed, config.batch, config.learning_rate, remember)
        school = DaggerTrainer(self.model, self._env, lessons, self._recorded)
        if lessons_before := self._folder.load(LESSONS):
            school.go_on(lessons_before)
        curve.go_on("episodes", school.done)

        def save() -> None:
            with whole_file(self.run / LESSONS) as draft:
                torch.save(school.state(), draft)
                save_checkpoint(self.model, self.run)

        def report(done: int, wanted: int, success_rate: float) -> None:
            now = Progress(done, wanted, success_rate, float("nan"), watcher.seconds, school.loss)
            watcher.tell("episodes", lambda: now)

        with (self.run / DRAWS).open("a", encoding="utf-8") as draws:
            school.run(report, lambda step: log_draw(draws, step, self._env.draw), save)
        save()
        self.imitation_loss = school.loss
        end = Progress(
            config.episodes, config.episodes, school.success_rate, float("nan"), watcher.seconds, school.loss
        )
        watcher.note("episodes", end)
        return end

    @property
    def demonstrations(self) -> Usefulness | None:
        """What the recorded episodes are good for; None where there are none."""
        return usefulness(self._recorded, self._env.task) if self._recorded else None

    def _keeper(self) -> BcRegularizer:
        """Holds the policy to what it was taught while it learns alone."""
        model, file = self.model, self.run / TAUGHT
        if not isinstance(model, OffPolicyAlgorithm):
            raise TypeError("policies that were shown something go on with tqc or sac")
        goes_on = model.num_timesteps > 0 and file.exists()
        taught = self._folder.load(TAUGHT, model.device) if goes_on else None
        keeper = BcRegularizer(model, self.config.critics_first, taught)
        self._folder.save(TAUGHT, keeper.state())
        return keeper

    def _holds_its_own(self, keeper: BcRegularizer) -> bool:
        """Whether the policy does at least as well as what it was taught, in worlds that are new to both."""
        first = FIRST_SEEDS * (1 + self.config.seed) + FIRST_SEEDS // 2
        totals = []
        with (self.run / DRAWS).open("a", encoding="utf-8") as draws:
            for policy in keeper.policies:
                ends = []
                for world in range(self.config.compared):
                    ends.append(rollout(self._env, policy, first + world))
                    log_draw(draws, self.model.num_timesteps, self._env.draw)
                totals.append((sum(end.success for end in ends), sum(end.earned for end in ends)))
        taught, alone = totals
        found = {"worlds": self.config.compared, "taught": taught[0], "alone": alone[0], "undone": alone < taught}
        (self.run / COMPARED).write_text(json.dumps(found) + "\n", encoding="utf-8")
        return alone >= taught

    def export(self) -> None:
        """Write policy.onnx and policy.yaml."""
        config = self.config
        training = {
            "algorithm": config.algo,
            "randomize": config.randomize,
            "reward": "sparse, with hindsight" if config.hindsight else "dense",
            "seed": str(config.seed),
            "teacher": f"planner, {config.episodes} episodes" if config.episodes else "none",
            "demonstrations": Path(config.demonstrations).name or "none",
            "steps": str(self.model.num_timesteps),
            "commit": commit(),
        }
        export_policy(self.model, self._env, self.run, training)

    def close(self) -> None:
        """Let go of the environment."""
        self._env.close()


def _new(config: TrainConfig, vector: DummyVecEnv, device: str) -> BaseAlgorithm:
    common: dict[str, Any] = {
        "learning_rate": config.learning_rate,
        "gamma": config.discount,
        "batch_size": config.batch,
        "seed": config.seed,
        "device": device,
        "policy_kwargs": {"net_arch": [config.width, config.width]},
    }
    if config.algo == "ppo":
        # It learns from so many steps at a time, and would take as many where fewer are asked for.
        return PPO("MultiInputPolicy", vector, n_steps=min(2048, max(2, config.steps)), **common)
    if config.hindsight:
        common["replay_buffer_class"] = HerReplayBuffer
    off_policy = TQC if config.algo == "tqc" else SAC
    if config.shown:
        common |= OPTIONS
    else:
        common["learning_starts"] = config.warm_up
    made: BaseAlgorithm = off_policy("MultiInputPolicy", vector, buffer_size=config.buffer, **common)
    return made


def _loaded(config: TrainConfig, run: Path, vector: DummyVecEnv, device: str) -> BaseAlgorithm:
    if (run / OLD_BUFFER).exists():
        raise InputError(
            f"{run / OLD_BUFFER} holds pickled objects, which are not loaded: delete it to go on without what was tried"
        )
    model = _new(config, vector, device)
    load_model(model, run / CHECKPOINT)
    if isinstance(model, OffPolicyAlgorithm) and (run / BUFFER).exists():
        load_buffer(model, run / BUFFER)
    # Otherwise it would meet the worlds of the run's beginning once more.
    model.set_random_seed(config.seed + model.num_timesteps)
    return model
