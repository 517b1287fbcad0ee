"""Trains the reference method: soft actor-critic in HandImitation-v0; a run's folder can be gone on with."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import SAC
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor

from dofbot_ros.config.ranges import Checked, Count, Positive
from dofbot_ros.core.model_files import save_safetensors
from dofbot_ros.lab.imitation.env import HandImitationEnv
from dofbot_ros.lab.imitation.hand import Hand, HandModel
from dofbot_ros.lab.imitation.reference.sac_policy import FEATURES, SAC_WEIGHTS, STEPS, WIDTH, SacPolicy, pair_layers
from dofbot_ros.lab.imitation.silhouette import SIZE
from dofbot_ros.lab.imitation.train import LOG, Report
from dofbot_ros.lab.imitation.urdf.saved import OWN_HAND, hand_of, hand_texts, keep_hand
from dofbot_ros.policy.learning.checkpoint import BUFFER, CHECKPOINT, load_buffer, load_model, save_checkpoint
from dofbot_ros.training.run_folder import RunFolder, one_core

REWARD_SCALE = 20.0
"""Of minus the share of wrong pixels: returns of an episode then are some tens, as entropies are."""
LATELY = 50
"""Episodes over which the overlap is told."""


@dataclass(frozen=True)
class SacConfig(Checked):
    """How to train.

    Attributes:
        dof: of the hand, 12 or 17.
        urdf, joints: another hand, see urdf.reader.read_hand; empty: none.
        steps: moves of the hand, each with a gradient step.
        batch: moves in a gradient step.
        buffer: moves that are remembered.
        learning_rate: of Adam.
        discount: of rewards, for each move.
        warm_up: random moves before the first gradient step.
        seed: of weights, targets and moves.
        checkpoint_steps: between two checkpoints.
    """

    dof: int = 12
    urdf: str = ""
    joints: dict[str, str] = field(default_factory=dict)
    steps: Count = 20_000
    batch: Count = 64
    buffer: Count = 10_000
    learning_rate: Positive = 1e-3
    discount: float = 0.9
    warm_up: Count = 400
    seed: int = 0
    checkpoint_steps: Count = 1_000

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        return HandModel(self.dof).problems()


class TwoChannels(gym.Wrapper[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]):
    """Target and hand as two channels (2, size, size) instead of beside each other; rewards scaled."""

    def __init__(self, env: HandImitationEnv) -> None:
        super().__init__(env)
        self.observation_space = gym.spaces.Box(0, 255, (2, env.resolution, env.resolution), np.uint8)

    def reset(self, **options: Any) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """See gymnasium."""
        seen, info = self.env.reset(**options)
        return self._channels(seen), info

    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """See gymnasium."""
        seen, reward, ended, cut, info = self.env.step(action)
        return self._channels(seen), REWARD_SCALE * float(reward), ended, cut, info

    @staticmethod
    def _channels(seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.stack(np.split(seen[..., 0], 2, axis=1))


class PairFeatures(BaseFeaturesExtractor):
    """The convolutions of SacPolicy, for stable-baselines3."""

    def __init__(self, space: gym.spaces.Box) -> None:
        super().__init__(space, FEATURES)
        self.layers = pair_layers()

    def forward(self, observations: Tensor) -> Tensor:
        """Features (n, 128) of pictures (n, 2, 56, 56), 0..255."""
        told: Tensor = self.layers(observations / 255.0)
        return told


def train_sac(config: SacConfig, run: Path, *, resume: bool = False, report: Report | None = None) -> dict[str, float]:
    """Train in `run`; Ctrl-C leaves the last checkpoint to go on with.

    Args:
        config: how.
        run: folder of the run.
        resume: go on with what is there; `steps` may have grown.
        report: see train.Report.

    Returns:
        `steps` and `iou`: the mean overlap at the ends of the last episodes, random moves included.

    Raises:
        InputError: `run` holds another run, or there is nothing to go on with.
        ConfigError: the URDF's hand cannot be used.
    """
    folder = RunFolder(run, resume=resume, mark=CHECKPOINT)
    folder.require_same(config, ("steps",))
    one_core()
    hand = hand_of(config.dof, config.urdf, config.joints, run)
    folder.begin(config)
    keep_hand(hand, run)
    urdf = str(run / OWN_HAND) if config.urdf else ""
    env = TwoChannels(HandImitationEnv(config.dof, SIZE, urdf=urdf, joints=config.joints, horizon=STEPS))
    model = SAC(
        "MlpPolicy", env, learning_rate=config.learning_rate, buffer_size=config.buffer, batch_size=config.batch,
        gamma=config.discount, learning_starts=config.warm_up, seed=config.seed, device="cpu",
        policy_kwargs={"features_extractor_class": PairFeatures, "net_arch": [WIDTH, WIDTH]},
    )  # fmt: skip
    # Its own default is a folder in the system's temporary one, which nobody removes.
    model.set_logger(Logger(folder=None, output_formats=[]))
    if resume:
        load_model(model, run / CHECKPOINT)
        if (run / BUFFER).exists():
            load_buffer(model, run / BUFFER)
        # Otherwise it would meet the targets of the run's beginning once more.
        model.set_random_seed(config.seed + model.num_timesteps)
    watcher = _Watcher(config, run, report)
    if model.num_timesteps < config.steps:
        model.learn(config.steps - model.num_timesteps, callback=watcher, reset_num_timesteps=not resume)
        save_checkpoint(model, run)
    save_safetensors(policy_of(model, hand).state_dict(), run / SAC_WEIGHTS, hand_texts(hand))
    return {"steps": model.num_timesteps, "iou": watcher.overlap}


def policy_of(model: SAC, hand: Hand) -> SacPolicy:
    """The model's actor without its noise."""
    policy, actor = SacPolicy(hand), model.actor
    policy.features.load_state_dict(actor.features_extractor.layers.state_dict())  # type: ignore[union-attr]
    policy.latent.load_state_dict(actor.latent_pi.state_dict())
    policy.mean.load_state_dict(actor.mu.state_dict())
    return policy.eval()


class _Watcher(BaseCallback):
    """Reports the overlap at the ends of episodes, logs it, and saves checkpoints."""

    def __init__(self, config: SacConfig, run: Path, report: Report | None) -> None:
        super().__init__()
        self._config, self._run, self._report = config, run, report
        self._ends: deque[float] = deque(maxlen=LATELY)

    @property
    def overlap(self) -> float:
        """Mean of the last episodes; 0 before the first has ended."""
        return float(np.mean(self._ends)) if self._ends else 0.0

    def _on_step(self) -> bool:
        for ended, info in zip(self.locals["dones"], self.locals["infos"], strict=True):
            if ended:
                self._ends.append(float(info["iou"]))
        if self.num_timesteps % self._config.checkpoint_steps == 0:
            save_checkpoint(self.model, self._run)
            with (self._run / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"steps": self.num_timesteps, "iou": self.overlap}) + "\n")
        if self._report is not None:
            self._report(self.num_timesteps, self._config.steps, self.overlap)
        return True
