"""How a hopper policy from state is trained: algorithm, world, and the numbers of both kinds of algorithms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from dofbot_ros.config.ranges import Checked, Count, Positive, Range
from dofbot_ros.errors import one_of
from dofbot_ros.lab.hopper.world.randomization import DOMAINS, load_hopper_level

ON_POLICY = ("ppo", "trpo")


@dataclass(frozen=True)
class HopperTrainConfig(Checked):
    """How to train from state.

    Attributes:
        algo: ppo and trpo learn from fresh steps, sac and tqc from a replay buffer.
        domain: source or target; target alone tells what could be reached there.
        randomize: level of config/hopper.yaml.
        steps: of the environment, all copies of it together.
        seed: of networks, exploration and worlds.
        start: folder of a policy of the same algorithm with which it begins, from an easier world; "" for none.
        envs: copies that are played side by side; 1 for sac and tqc.
        rollout: steps of each copy before a policy is improved; ppo and trpo only.
        learning_rate: of Adam; it falls to zero along the steps for ppo.
        discount: of a step.
        selected_every: steps between two measurements of the policy in the worlds of its training.
        selected_episodes: in each of them; the policy that did best is kept.
    """

    algo: Literal["ppo", "sac", "tqc", "trpo"] = "ppo"
    domain: str = "source"
    randomize: str = "none"
    steps: Count = 1_000_000
    seed: int = 0
    start: str = ""
    envs: Count = 16
    rollout: Count = 256
    learning_rate: Positive = 4e-4
    discount: Annotated[float, Range(above=0.0, below=1.0)] = 0.99
    selected_every: Count = 50_000
    selected_episodes: Count = 16

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.domain not in DOMAINS:
            yield one_of("domain", self.domain, DOMAINS)
        load_hopper_level(self.randomize)

    @property
    def copies(self) -> int:
        """Environments side by side."""
        return self.envs if self.algo in ON_POLICY else 1

    def options(self) -> dict[str, Any]:
        """Arguments of the algorithm's class beside policy, environment, seed and device."""
        if self.algo == "ppo":
            return {
                "n_steps": self.rollout,
                "batch_size": 512,
                "n_epochs": 10,
                "learning_rate": lambda left: self.learning_rate * left,
                "policy_kwargs": {"net_arch": [64, 64]},
            }
        if self.algo == "trpo":
            return {"n_steps": self.rollout, "batch_size": 512, "policy_kwargs": {"net_arch": [64, 64]}}
        return {
            "learning_rate": self.learning_rate,
            "batch_size": 256,
            "learning_starts": 5_000,
            "buffer_size": 300_000,
            "policy_kwargs": {"net_arch": [256, 256]},
        }
