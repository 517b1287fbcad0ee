"""Watches a policy from state while it trains: served to a browser as it learns, and kept as a page in the run."""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from dofbot_ros.errors import InputError
from dofbot_ros.lab.live.page import write_page
from dofbot_ros.lab.live.recorder import Frame, Recorder
from dofbot_ros.lab.live.server import FrameServer
from dofbot_ros.policy.env.environments import DofBotEnv

PAGE = "learning.html"
SAMPLES = 24
"""Observations that are watched: of an episode with random actions."""
MOST_FRAMES = 400
"""That are kept; of longer trainings every second one is given up, again and again."""


class PolicyWatch:
    """Takes frames of a model's acting network.

    Args:
        model: of stable-baselines3, with linear layers.
        env: like the one that it trains in; it is reset and closed.
        run: folder that gets the page.
        port: of the live page; 0 for any.

    Attributes:
        url: of the live page.
        frames: so far.
        samples: the observations that are watched, (SAMPLES, size).

    Raises:
        InputError: a policy whose network is not of linear layers alone.
    """

    def __init__(self, model: BaseAlgorithm, env: DofBotEnv, run: Path, port: int = 0) -> None:
        layers, between, last = acting_layers(model)
        if env.obs != "state":
            raise InputError(f"a policy of {env.obs} observations cannot be watched: its first layer takes features")
        self.samples = observations(env, SAMPLES)
        self._recorder = Recorder(layers, between, last, self.samples)
        self._run, self._title = run, f"{env.task.name}, {type(model).__name__}"
        self._server = FrameServer(port, self._title)
        self._every = self._told = 1
        self.url = self._server.url
        self.frames: list[Frame] = []

    def __enter__(self) -> PolicyWatch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def take(self, step: int, success_rate: float = math.nan) -> None:
        """A frame of the network as it is now."""
        self._told += 1
        if self._told % self._every:
            return
        frame = self._recorder.frame(step, math.nan, success_rate)
        self.frames.append(frame)
        self._server.send(frame)
        if len(self.frames) > MOST_FRAMES:
            self.frames = self.frames[::2]
            self._every *= 2

    def close(self) -> None:
        """Stop serving and write the page."""
        self._server.close()
        if self.frames:
            write_page(self.frames, self._run / PAGE, self._title)


def acting_layers(model: BaseAlgorithm) -> tuple[list[nn.Linear], nn.Module, Any]:
    """Linear layers of the acting network, what lies between them, and what follows the last.

    Raises:
        InputError: the network is of another form.
    """
    policy: Any = model.policy
    last: Any
    if isinstance(policy, ActorCriticPolicy):
        body, head, last = policy.mlp_extractor.policy_net, policy.action_net, _clamped
    else:
        body, head, last = policy.actor.latent_pi, policy.actor.mu, torch.tanh
    # SAC's and TQC's last layer comes with its tanh.
    heads = [part for part in head.modules() if isinstance(part, nn.Linear)]
    layers = [part for part in body.modules() if isinstance(part, nn.Linear)] + heads
    between = next((part for part in body.modules() if isinstance(part, (nn.ReLU, nn.Tanh))), None)
    if not layers or between is None:
        raise InputError(f"{type(model).__name__}'s network has no linear layers with units between them")
    return layers, between, last


def observations(env: DofBotEnv, count: int) -> Tensor:
    """The numbers of `count` observations, (count, size), evenly over an episode of random actions; closes `env`."""
    rng = np.random.default_rng(0)
    found = []
    try:
        seen, _ = env.reset(seed=0)
        for _ in range(env.task.periods):
            found.append(np.concatenate([np.ravel(seen[name]) for name in sorted(seen)]))
            size = env.action_space.shape or ()
            seen = env.step(rng.uniform(-1.0, 1.0, size).astype(np.float32))[0]
    finally:
        env.close()
    chosen = np.linspace(0, len(found) - 1, count).round().astype(int)
    return torch.from_numpy(np.array(found, np.float32)[chosen])


def _clamped(action: Tensor) -> Tensor:
    return action.clamp(-1.0, 1.0)
