"""Teaches a policy for pictures what the scripted expert does: DAgger on the state that is estimated from pictures.

Ross et al., A Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning, 2011: the student
acts more and more, the teacher tells in each state met what it would have done.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dofbot_ros.config.ranges import Checked, Count, Positive
from dofbot_ros.core.model_files import taking
from dofbot_ros.errors import InputError
from dofbot_ros.policy.env.environments import DofBotEnv, make_env
from dofbot_ros.policy.env.tasks import TASKS, Task
from dofbot_ros.policy.interface.observation import StateLayout
from dofbot_ros.policy.interface.spec import MODEL, commit
from dofbot_ros.policy.learning.acting_network import decide, inputs_of
from dofbot_ros.policy.learning.dagger import FIRST_SEEDS
from dofbot_ros.policy.learning.expert import Expert
from dofbot_ros.policy.learning.export import export_mlp, spec_of
from dofbot_ros.policy.learning.pipeline_train import POSE_WEIGHTS, copy_pose, require_pose
from dofbot_ros.policy.learning.recover_weights import network_of
from dofbot_ros.policy.learning.torch_policy import MlpPolicy, new_mlp
from dofbot_ros.policy.perception.keypoint_train import PoseTrainConfig, Report, train_pose
from dofbot_ros.policy.perception.pose_estimator import POSE_MODEL
from dofbot_ros.training.run_folder import CONFIG, RunFolder, one_core, training_device

CHECKPOINT, DRAWS, POSE = "student.ckpt", "draws.jsonl", "pose"

WIDTH = 256
"""Of the student's two hidden layers, a state policy's."""


@dataclass(frozen=True)
class StudentConfig(Checked):
    """How to train.

    Attributes:
        task: pick.
        randomize: level of config/randomization.yaml.
        episodes: in all; a run that is gone on with may have more.
        round_episodes: between two times of learning; the student's share of the acting grows with each round.
        alone_after: share of the episodes after which the student acts alone.
        shake: standard deviation of what is added to actions that are carried out, not to those that are learned.
        epochs: times that what has been seen so far is shown in a round.
        final_epochs: in the last one.
        batch: states in a gradient step.
        learning_rate: of Adam.
        seed: of the networks and worlds.
        pose: how the network that reads pictures is trained, unless a trained one is given.
    """

    task: Literal["pick"] = "pick"
    randomize: str = "wide"
    episodes: Count = 1000
    round_episodes: Count = 20
    alone_after: Positive = 0.2
    shake: float = 0.15
    epochs: Count = 3
    final_epochs: Count = 10
    batch: Count = 256
    learning_rate: Positive = 1e-4
    seed: int = 0
    pose: PoseTrainConfig = field(default_factory=PoseTrainConfig)


@dataclass
class _Lessons:
    """States met and what the teacher would have done in them."""

    states: list[NDArray[np.float32]]
    actions: list[NDArray[np.float32]]


class StudentTrainer:
    """One run.

    Args:
        config: how.
        run: its folder; checkpoints stay in it.
        network: folder with a trained pose.onnx and pose.yaml; without it one is trained first, in `run`.
        start: folder of a state policy whose weights the student begins with.
        device: where it learns: see training_device.
        resume: go on with what is there; `config` may only ask for more episodes.
        report: told how far it is.

    Attributes:
        policy: the student.

    Raises:
        InputError: `run` holds another run, `start` a network of another shape, `network` none, or the device cannot be
            used.
    """

    def __init__(
        self,
        config: StudentConfig,
        run: Path,
        *,
        network: Path | None = None,
        start: Path | None = None,
        device: str = "cpu",
        resume: bool = False,
        report: Report | None = None,
    ) -> None:
        self._folder = RunFolder(run, resume=resume, mark=CONFIG, needed=False)
        self._folder.require_same(config, growing=("episodes",))
        self._device = training_device(device)
        one_core()
        self.config, self.run, self._report = config, run, report
        torch.manual_seed(config.seed)
        self.policy = _beginning(TASKS[config.task], start).to(self._device)
        if network is not None:
            require_pose(network)
            self._require_own(network)
        self._folder.begin(config)
        if not (run / POSE_WEIGHTS).exists():
            copy_pose(network or self._trained(), run)
        self._env: DofBotEnv = make_env(config.task, "pipeline", ranges=config.randomize, pose=run)
        self._optimiser = torch.optim.Adam(self.policy.parameters(), lr=config.learning_rate, fused=True)
        self._lessons = _Lessons([], [])
        self._done = 0
        self._load()

    def _trained(self) -> Path:
        """Folder of a pose network of this run's own."""
        folder = self.run / POSE
        train_pose(self.config.pose, folder, device=str(self._device), resume=folder.exists(), report=self._report)
        return folder

    def _require_own(self, network: Path) -> None:
        """Refuse to go on with another pose network than the run began with."""
        mine = self.run / POSE_MODEL
        if mine.exists() and mine.read_bytes() != (network / POSE_MODEL).read_bytes():
            raise InputError(f"{self.run} was begun with another pose network than that in {network}")

    def train(self) -> dict[str, float]:
        """Teach to the end and export policy and pose network, each as .onnx, .safetensors and .yaml. Returns
        `episodes`, `success_rate` of those in which the student acted alone, and `loss`."""
        config, expert = self.config, Expert(self._env)
        writer = self._folder.board()
        alone: deque[bool] = deque(maxlen=100)
        loss = float("nan")
        try:
            with (self.run / DRAWS).open("a", encoding="utf-8") as draws:
                while self._done < config.episodes:
                    share = self._share()
                    success = self._episode(expert, share)
                    draws.write(json.dumps({"episode": self._done, **self._env.draw.to_log()}) + "\n")
                    self._done += 1
                    if share >= 1.0:
                        alone.append(success)
                    if self._done % config.round_episodes == 0 or self._done == config.episodes:
                        last = self._done == config.episodes
                        loss = self._learn(config.final_epochs if last else config.epochs, last=last)
                        writer.add_scalar("student/loss", loss, self._done)
                        if alone:
                            writer.add_scalar("student/success_rate", np.mean(alone), self._done)
                        draws.flush()
                        self._save()
                    if self._report is not None:
                        what = (
                            f"student: episodes ({np.mean(alone):.0%} alone succeed)" if alone else "student: episodes"
                        )
                        self._report(what, self._done, config.episodes, loss)
        finally:
            writer.close()
        self.export()
        return {
            "episodes": float(self._done),
            "success_rate": float(np.mean(alone)) if alone else float("nan"),
            "loss": loss,
        }

    def _share(self) -> float:
        """Of the acting that the student does in the next episode: none before it has learned anything."""
        config = self.config
        if self._done < config.round_episodes:
            return 0.0
        return min(1.0, self._done / (config.alone_after * config.episodes))

    def _episode(self, expert: Expert, share: float) -> bool:
        """One episode, in which the student acts for `share` of the periods."""
        config, env = self.config, self._env
        rng = np.random.default_rng([config.seed, self._done])
        observation, info = env.reset(seed=FIRST_SEEDS * (1 + config.seed) + self._done)
        done = False
        student = rng.random() < share
        while not done:
            state = inputs_of(observation)
            taught = expert.act(observation)
            self._lessons.states.append(state)
            self._lessons.actions.append(taught)
            # Who acts stays who acts for about a second: neither is interrupted in the middle of a grasp each time.
            if rng.random() < 0.04:
                student = rng.random() < share
            action = decide(self.policy, state) if student else taught
            if share < 1.0:
                action = action + config.shake * rng.standard_normal(len(action)).astype(np.float32)
            observation, _, _, done, info = env.step(action)
        return bool(info["is_success"])

    def _learn(self, epochs: int, *, last: bool) -> float:
        """Fit the student to all lessons so far. Returns the mean loss of the last epoch."""
        config = self.config
        states, actions = np.stack(self._lessons.states), np.stack(self._lessons.actions)
        inputs, wanted = torch.from_numpy(states).to(self._device), torch.from_numpy(actions).to(self._device)
        order = torch.Generator().manual_seed(config.seed + self._done)
        mean = float("nan")
        for epoch in range(epochs):
            for group in self._optimiser.param_groups:
                # The last round comes to rest.
                group["lr"] = config.learning_rate * (1.0 - epoch / epochs if last else 1.0)
            losses = []
            for chosen in torch.split(torch.randperm(len(inputs), generator=order).to(self._device), config.batch):
                loss = nn.functional.smooth_l1_loss(self.policy(inputs[chosen]), wanted[chosen], beta=0.1)
                self._optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                self._optimiser.step()
                losses.append(loss.item())
            mean = float(np.mean(losses))
        return mean

    def _save(self) -> None:
        state = {
            "policy": self.policy.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "states": torch.from_numpy(np.stack(self._lessons.states)),
            "actions": torch.from_numpy(np.stack(self._lessons.actions)),
            "done": self._done,
        }
        self._folder.save(CHECKPOINT, state)

    def _load(self) -> None:
        state = self._folder.load(CHECKPOINT, self._device)
        if not state:
            return
        with taking(self.run / CHECKPOINT):
            self.policy.load_state_dict(state["policy"])
            self._optimiser.load_state_dict(state["optimiser"])
            self._lessons = _Lessons(list(state["states"].cpu().numpy()), list(state["actions"].cpu().numpy()))
            self._done = int(state["done"])

    def export(self) -> None:
        """Write policy.onnx and policy.yaml."""
        config = self.config
        training = {
            "algorithm": "imitation of the scripted expert (DAgger)",
            "randomize": config.randomize,
            "seed": str(config.seed),
            "episodes": str(self._done),
            "pictures": str(config.pose.pictures),
            "commit": commit(),
        }
        # The same form as a pipeline; what it learned from is told apart.
        spec = replace(spec_of(self._env, training), obs="image")
        export_mlp(self.policy.cpu().eval(), spec, self.run)
        self.policy.to(self._device)

    def close(self) -> None:
        """Let go of the environment."""
        self._env.close()


def _beginning(task: Task, start: Path | None) -> MlpPolicy:
    """What the student begins as: a network of random weights, or the state policy in the folder `start`.

    Raises:
        InputError: that has another shape.
    """
    numbers = 2 * task.goal_size + StateLayout(task.block).size
    if start is None:
        return new_mlp((numbers, WIDTH, WIDTH, task.actions))
    network = network_of(start / MODEL)
    if not isinstance(network, MlpPolicy) or network.shape != (numbers, task.actions):
        raise InputError(f"{start} is no policy from state for {task.name}: a student begins with the weights of one")
    return network.train()
