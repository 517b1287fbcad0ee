"""Lets a policy that was taught go on by reinforcement learning without forgetting what it was taught.

SAC and TQC as they are forget it in their first steps: critics that know nothing yet lead the actor away, and a reward
for entropy keeps it away. Here the policy first acts as it was taught, while the critics learn what that earns. Then it
follows them no further than that is worth leaving what was taught, in the states that it comes to: TD3+BC (Fujimoto and
Gu, A Minimalist Approach to Offline Reinforcement Learning, 2021) with the taught policy in the place of recorded
actions. Actions spread as little as they did in the lessons. In the end train.py compares what the policy has become
with what it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from torch import Tensor
from torch.nn.functional import mse_loss

from dofbot_ros.core.model_files import load_state
from dofbot_ros.policy.learning.acting_network import acting_network, decide, inputs_of
from dofbot_ros.policy.learning.dagger import ACTION_NOISE_STD
from dofbot_ros.policy.learning.torch_policy import MlpPolicy

FOLLOW = 0.3
"""How much the critics' opinion, in units of its mean size, counts beside what was taught: TD3+BC's alpha.

Less than its authors' 2.5: an action of 0.04 s changes little of what comes, so that most of the slope that critics see
in it is error.
"""

SLOWER = 0.1
"""Step size of the actor, of that with which it was taught."""

OPTIONS: dict[str, Any] = {"ent_coef": 0.0, "learning_starts": 0, "tau": 0.02}
"""Of SAC and TQC: no entropy, no random actions, and targets that follow soon, since what they judge hardly changes."""


@dataclass(frozen=True)
class ActorPolicy:
    """A network that takes states, as a policy that can be measured."""

    network: MlpPolicy

    def act(self, observation: dict[str, Any]) -> NDArray[np.float32]:
        """The mean action of an observation."""
        return decide(self.network, inputs_of(observation))


class BcRegularizer:
    """Holds the actor of a stable-baselines3 model to what it is when this is made, or was when a run began.

    The library's training runs unchanged: before each step of the actor's optimizer a hook changes the gradient.

    Args:
        model: SAC or TQC, made with OPTIONS.
        critics_first: steps of the environment in which the actor stays what it is.
        taught: state() of the run that goes on; None for one that begins.
    """

    def __init__(self, model: OffPolicyAlgorithm, critics_first: int, taught: dict[str, Tensor] | None = None) -> None:
        self._model, self._critics_first = model, critics_first
        policy: Any = model.policy
        self._actor = policy.actor
        _spread(self._actor.log_std)
        self._taught = policy.make_actor().to(model.device)
        load_state(self._taught, taught or self._actor.state_dict(), "what was taught")
        self._rate = SLOWER * model.lr_schedule(1.0)
        self._actor.optimizer.register_step_pre_hook(self._hold)

    @property
    def policies(self) -> tuple[ActorPolicy, ActorPolicy]:
        """What was taught, and what has become of it."""
        return ActorPolicy(acting_network(self._taught)), ActorPolicy(acting_network(self._actor))

    def state(self) -> dict[str, Tensor]:
        """What was taught."""
        state: dict[str, Tensor] = self._taught.state_dict()
        return state

    def give_up(self) -> None:
        """Go back to what was taught."""
        self._actor.load_state_dict(self._taught.state_dict())

    def _hold(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """From the gradient of -Q, which is there, to that of -FOLLOW / mean|Q| Q + (actor - taught)^2."""
        model: Any = self._model
        seen = model.replay_buffer.sample(model.batch_size).observations
        with torch.no_grad():
            wanted = self._taught(seen, deterministic=True)
            holding = model.num_timesteps <= self._critics_first
            weight = 0.0 if holding else FOLLOW / float(_expected(model.critic(seen, wanted)).abs().mean())
        for group in optimizer.param_groups:
            group["lr"] = self._rate
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad.mul_(weight)
        mse_loss(self._actor(seen, deterministic=True), wanted).backward()  # type: ignore[no-untyped-call]


def _expected(values: Tensor | tuple[Tensor, ...]) -> Tensor:
    """Q (n,), the mean of all critics, and of TQC's quantiles."""
    return (values.flatten(1) if isinstance(values, Tensor) else torch.cat(values, dim=1)).mean(dim=1)


def _spread(layer: torch.nn.Linear) -> None:
    """Give actions the lessons' spread, whatever is seen; nobody taught what this layer says."""
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.fill_(math.log(ACTION_NOISE_STD))
    layer.requires_grad_(False)
