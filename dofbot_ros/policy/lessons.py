"""What a teacher or recorded episodes showed: observations, and the action that each of them asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor
from torch.nn.functional import huber_loss

from dofbot_ros.policy.envs import DofBotEnv

HUBER = 0.2
"""Error of an action beyond which it weighs no more than its size: near a decision the teacher's action may jump."""

Seen = dict[str, Tensor]
"""Parts of observations, (n, ...) each."""


class Lessons:
    """Grows up to its capacity.

    Args:
        env: that they are of.
        capacity: observations with their actions.
    """

    def __init__(self, env: DofBotEnv, capacity: int) -> None:
        spaces = env.observation_space.spaces  # type: ignore[attr-defined]
        self._seen = {name: torch.empty(capacity, *space.shape) for name, space in spaces.items()}
        self._shown = torch.empty(capacity, *(env.action_space.shape or ()))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def note(self, observation: Mapping[str, Any], action: NDArray[np.float32]) -> None:
        """Add an observation, and the action that was shown."""
        for name, values in self._seen.items():
            values[self._count] = torch.as_tensor(observation[name])
        self._shown[self._count] = torch.as_tensor(action)
        self._count += 1

    def batch(self, rng: np.random.Generator, size: int, device: torch.device) -> tuple[Seen, Tensor]:
        """Some of them, (size, ...): observations, and the actions that were shown."""
        chosen = torch.as_tensor(rng.integers(0, self._count, size))
        return {name: values[chosen].to(device) for name, values in self._seen.items()}, self._shown[chosen].to(device)

    def state(self) -> dict[str, Any]:
        """All of them, for restore()."""
        seen = {name: values[: self._count] for name, values in self._seen.items()}
        return {"seen": seen, "shown": self._shown[: self._count]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Begin with those of state()."""
        self._count = len(state["shown"])
        self._shown[: self._count] = state["shown"]
        for name, values in state["seen"].items():
            self._seen[name][: self._count] = values


def lesson_loss(policy: Any, seen: Seen, shown: Tensor) -> Tensor:
    """How far the actions of a stable-baselines3 policy, (n, size), are from those that were shown."""
    if isinstance(policy, ActorCriticPolicy):
        action = policy.get_distribution(seen).mode()
    else:
        action = policy.actor(seen, deterministic=True)
    return huber_loss(action, shown, delta=HUBER)
