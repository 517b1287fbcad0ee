"""Running normalisation of observations and returns: in checkpoints plain arrays, in exported networks a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecEnv, VecNormalize
from torch import Tensor, nn

from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.errors import InputError

CLIP = 10.0
"""Largest normalised number that a policy sees."""


def normalised(vector: VecEnv, discount: float) -> VecNormalize:
    """Environments whose observations and rewards are normalised as they come."""
    return VecNormalize(vector, gamma=discount, clip_obs=CLIP)


def save_normalisation(vector: VecNormalize, path: Path) -> None:
    """Write means, variances and counts as .npz."""
    arrays: dict[str, Any] = {}
    for name, statistic in _statistics(vector).items():
        arrays |= {f"{name}_mean": statistic.mean, f"{name}_var": statistic.var, f"{name}_count": statistic.count}
    with path.open("wb") as file:
        np.savez(file, **arrays)


def load_normalisation(vector: VecNormalize, path: Path) -> None:
    """Read what save_normalisation() wrote.

    Raises:
        InputError: no such file, or one of other observations.
    """
    arrays = load_arrays(path, "normalisation")
    for name, statistic in _statistics(vector).items():
        for part in ("mean", "var", "count"):
            given, held = arrays.get(f"{name}_{part}"), np.asarray(getattr(statistic, part))
            if given is None or given.shape != held.shape or not np.isfinite(given).all():
                raise InputError(f"{path} is no normalisation of these observations: {name}_{part} does not fit")
            setattr(statistic, part, given.astype(float) if part != "count" else float(given))


def take_over(vector: VecNormalize, actor: NormalisedActor) -> None:
    """Normalise observations from now on as `actor` does."""
    seen = _statistics(vector)["observation"]
    seen.mean = actor.mean.double().cpu().numpy()
    seen.var = actor.scale.double().cpu().numpy() ** 2 - vector.epsilon


class NormalisedActor(nn.Module):
    """A policy of stable-baselines3 behind the normalisation that it was trained with.

    Args:
        policy: acts on normalised observations.
        vector: whose statistics are taken over as they are now.
    """

    def __init__(self, policy: nn.Module, vector: VecNormalize) -> None:
        super().__init__()
        self.policy = policy
        seen = _statistics(vector)["observation"]
        scale = np.sqrt(seen.var + vector.epsilon)
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.tensor(seen.mean, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float32))

    def forward(self, observation: Tensor) -> Tensor:
        """Mean actions (n, actions), -1..1, of observations (n, size) as the environment gives them."""
        given = ((observation - self.mean) / self.scale).clamp(-CLIP, CLIP)
        action: Tensor = self.policy._predict(given, deterministic=True)  # type: ignore[operator]
        return action.clamp(-1.0, 1.0)


def _statistics(vector: VecNormalize) -> dict[str, RunningMeanStd]:
    # Of observations with one part: the library's type speaks of those with several.
    observed: Any = vector.obs_rms
    return {"observation": observed, "return": vector.ret_rms}
