"""Lets a policy that was taught go on by reinforcement learning without forgetting what it was taught.

SAC and TQC as they are forget it in their first steps: critics that know nothing yet lead the actor away, and a reward
for entropy keeps it away. Here each gradient step of the actor follows the critics and the lessons at once, as TD3+BC
does (Fujimoto and Gu, A Minimalist Approach to Offline Reinforcement Learning, 2021); the critics learn what the taught
policy earns before the actor follows them; and actions spread as little as they did in the lessons.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from torch import Tensor

from dofbot_ros.policy.imitate import SHAKE
from dofbot_ros.policy.lessons import Lessons, Seen, lesson_loss

ENTROPY = 0.0
"""Weight of entropy in what a taught policy earns: its spread is fixed, as that of TD3."""

FASTER = 4.0
"""How much faster than usual the critics' targets follow them before the actor does: what they judge stands still."""

FOLLOW = 0.1
"""How much the critics' opinion, in units of its mean size, counts beside the lessons: TD3+BC's alpha.

Less than its authors' 2.5: an action of 0.04 s changes little of what comes, so that most of the slope that critics see
in it is error.
"""

SLOWER = 0.1
"""Step size of the actor, of that with which it was taught."""

ROUND = 100
"""Gradient steps between two reports."""


class Keeper:
    """Joins lessons to the reinforcement learning of a stable-baselines3 model.

    The library's training runs unchanged: before each step of the actor's optimizer a hook adds the lessons' gradient
    to the critics'.

    Args:
        model: SAC or TQC, made with ENTROPY as its entropy coefficient.
        lessons: what it was taught.
        seed: of batches.
        critics_first: gradient steps of the critics during which the actor follows the lessons alone.
    """

    def __init__(self, model: OffPolicyAlgorithm, lessons: Lessons, seed: int, critics_first: int) -> None:
        self._model, self._lessons, self._critics_first = model, lessons, critics_first
        self._rng = np.random.default_rng([seed, 2, model.num_timesteps])
        self._rate = SLOWER * model.lr_schedule(1.0)
        actor: Any = model.actor
        _spread(actor.log_std)
        actor.optimizer.register_step_pre_hook(self._join)

    @property
    def holding(self) -> bool:
        """Whether the actor follows the lessons alone, since the critics do not know enough yet."""
        return self._model._n_updates < self._critics_first

    def teach_critics(self, report: Callable[[int, int], None]) -> None:
        """Let the critics learn from what the replay buffer holds, if it holds anything, until the actor may follow.

        Args:
            report: told how many gradient steps are done, of how many.
        """
        model = self._model
        usual, model.tau = model.tau, FASTER * model.tau
        while self.holding and model.replay_buffer is not None and model.replay_buffer.size():
            left = self._critics_first - model._n_updates
            model.train(gradient_steps=min(ROUND, left), batch_size=model.batch_size)
            report(model._n_updates, self._critics_first)
        model.tau = usual

    def _join(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """From the gradient of -Q, which is there, to that of -FOLLOW / mean|Q| Q + the lessons' loss."""
        seen, shown = self._lessons.batch(self._rng, self._model.batch_size, self._model.device)
        weight = 0.0 if self.holding else FOLLOW / float(self._values(seen).abs().mean())
        for group in optimizer.param_groups:
            group["lr"] = self._rate
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.grad.mul_(weight)
        lesson_loss(self._model.policy, seen, shown).backward()  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def _values(self, seen: Seen) -> Tensor:
        """Q of the actor's own actions, (n,): the mean of all critics, and of TQC's quantiles."""
        model: Any = self._model
        values = model.critic(seen, model.actor(seen, deterministic=True))
        return (values.flatten(1) if isinstance(values, Tensor) else torch.cat(values, dim=1)).mean(dim=1)


def _spread(layer: torch.nn.Linear) -> None:
    """Give actions the lessons' spread, whatever is seen; nobody taught what this layer says."""
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.fill_(math.log(SHAKE))
    layer.requires_grad_(False)
