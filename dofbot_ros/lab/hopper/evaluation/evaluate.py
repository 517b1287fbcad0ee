"""Measures a hopper policy: what it earns in episodes of one domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.config.ranges import Checked, Count
from dofbot_ros.core.statistics import bootstrap_mean
from dofbot_ros.errors import one_of
from dofbot_ros.lab.hopper.policy import HopperPolicy
from dofbot_ros.lab.hopper.world.env import HopperEnv
from dofbot_ros.lab.hopper.world.randomization import DOMAINS
from dofbot_ros.lab.hopper.world.rollout import Ended, rollouts

SIDE_BY_SIDE = 10
"""Episodes played at once."""


@dataclass(frozen=True)
class HopperEvaluateConfig(Checked):
    """What is measured.

    Attributes:
        model: folder of the policy.
        episodes: how many.
        domain: source or target; both without randomisation.
        seed: of the first episode; the others count on from it.
    """

    model: Path
    episodes: Count = 50
    domain: str = "source"
    seed: int = 0

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.domain not in DOMAINS:
            yield one_of("domain", self.domain, DOMAINS)


def evaluate_hopper(config: HopperEvaluateConfig, report: Callable[[int, float], None] | None = None) -> dict[str, Any]:
    """Play the episodes.

    Args:
        config: which.
        report: told how many episodes are done, and their mean return.

    Returns:
        `mean_return`; `interval` of it (bootstrap over episodes, 95 %); `return_500`, earned in the first 500 steps;
        `mean_length` [steps]; `episodes`, `task`, `obs`, `domain`, `seed`.

    Raises:
        InputError: there is no such policy.
    """
    policy = HopperPolicy(config.model)
    keypoints = config.model if policy.spec.obs == "pipeline" else None
    count = min(SIDE_BY_SIDE, config.episodes)
    envs = [HopperEnv(config.domain, obs=policy.spec.obs, keypoints=keypoints) for _ in range(count)]

    def told(ends: list[Ended]) -> None:
        if report is not None:
            report(len(ends), float(np.mean([end.earned for end in ends])))

    try:
        ends = rollouts(envs, policy, range(config.seed, config.seed + config.episodes), told)
    finally:
        for env in envs:
            env.close()
    earned = [end.earned for end in ends]
    return {
        "mean_return": float(np.mean(earned)),
        "interval": list(bootstrap_mean(earned, np.random.default_rng(config.seed))),
        "return_500": float(np.mean([end.earned_500 for end in ends])),
        "mean_length": float(np.mean([end.length for end in ends])),
        "episodes": config.episodes,
        "task": "hopper",
        "obs": policy.spec.obs,
        "domain": config.domain,
        "seed": config.seed,
    }
