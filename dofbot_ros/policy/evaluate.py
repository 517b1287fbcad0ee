"""Measures a policy: episodes in one domain, judged by what is true of the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.policy.envs import DofBotEnv, make_env
from dofbot_ros.policy.runner import PolicyRunner
from dofbot_ros.sim.randomization import load_domain
from dofbot_ros.trials.statistics import wilson


class Policy(Protocol):
    """Whatever acts."""

    def start(self) -> None:
        """An episode begins."""
        ...

    def act(self, observation: dict[str, Any]) -> NDArray[np.float32]:
        """The action of an observation."""
        ...


@dataclass(frozen=True)
class EvaluateConfig:
    """What is measured.

    Attributes:
        model: folder of the policy.
        episodes: how many.
        domain: an entry of config/domains.yaml.
        seed: of the first episode; the others count on from it.
        node_physics: in the physics that sim_node runs; otherwise in that of the training.
    """

    model: Path
    episodes: int = 500
    domain: str = "source"
    seed: int = 0
    node_physics: bool = True


def evaluate(config: EvaluateConfig, report: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Run the episodes.

    Args:
        config: which.
        report: told after each episode how many are done and how many of them succeeded.

    Returns:
        `success_rate` (the goal is truly reached when the episode ends), `interval` (Wilson, 95 %), `episodes`,
        `mean_return`, and `task`, `obs`, `domain`, `physics`, `seed`.
    """
    policy = PolicyRunner(config.model)
    spec = policy.spec
    options: dict[str, Any] = {} if spec.obs == "state" else {"image_size": spec.image_size}
    if spec.obs == "image":
        options["stack"] = spec.stack
    if spec.obs == "pipeline":
        options["pose"] = config.model
    env = make_env(
        spec.task,
        spec.obs,
        control=spec.control,
        ranges=load_domain(config.domain),
        node_physics=config.node_physics,
        **options,
    )
    try:
        successes, returns = 0, []
        for episode in range(config.episodes):
            success, earned = rollout(env, policy, config.seed + episode)
            successes += success
            returns.append(earned)
            if report is not None:
                report(episode + 1, successes)
    finally:
        env.close()
    return {
        "success_rate": successes / config.episodes,
        "interval": list(wilson(successes, config.episodes)),
        "episodes": config.episodes,
        "mean_return": float(np.mean(returns)),
        "task": spec.task,
        "obs": spec.obs,
        "domain": config.domain,
        "physics": "node" if config.node_physics else "training",
        "seed": config.seed,
    }


def rollout(env: DofBotEnv, policy: Policy, seed: int) -> tuple[bool, float]:
    """One episode: whether the goal was truly reached at its end, and what it earned."""
    observation, _ = env.reset(seed=seed)
    policy.start()
    earned, done, info = 0.0, False, {"is_success": False}
    while not done:
        observation, reward, _, done, info = env.step(policy.act(observation))
        earned += reward
    return bool(info["is_success"]), earned
