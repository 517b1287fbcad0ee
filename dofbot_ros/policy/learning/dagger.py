"""Shows a policy what to do before it tries alone: by a scripted teacher in the states that the policy itself comes to.

People can show it too, by episodes that were recorded (demonstrations.py).

DAgger (Ross, Gordon and Bagnell, A Reduction of Imitation Learning and Structured Prediction to No-Regret Online
Learning, 2011). The teacher decides from what is true, the policy from what it sees: it learns the action that is right
on average over all that may lie behind a late and noisy observation.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from torch import Tensor
from torch.nn.functional import huber_loss

from dofbot_ros.core.model_files import first_words
from dofbot_ros.errors import InputError
from dofbot_ros.policy.env.environments import DofBotEnv
from dofbot_ros.policy.learning.acting_network import acting_network, decide, inputs_of
from dofbot_ros.policy.learning.demonstrations import Transition
from dofbot_ros.policy.learning.expert import Expert

ALONE = 0.3
"""Share of the episodes after which the teacher only says what it would do; before, it acts in ever fewer of them."""

ACTION_NOISE_STD = 0.1
"""Standard deviation of what is added to actions that are carried out, so that mistakes are seen and corrected."""

UPDATES = 0.25
"""Gradient steps for each step of the environment; in the end twice as many more, with a step size that fades."""

HUBER = 0.2
"""Error of an action beyond which it weighs no more than its size: near a decision the teacher's action may jump."""

LEAST_UPDATES = 2000
"""Gradient steps in the end where people showed something: their episodes are few."""

ROUND = 10
"""Episodes between two times of learning."""

SAVED = 50
"""Episodes between two checkpoints."""

FIRST_SEEDS = 1_000_000
"""Worlds of imitation have seeds from here on: none that a measurement begins with."""

Report = Callable[[int, int, float], None]
"""Told how many episodes are done, of how many, and which share of the policy's own last 100 succeeded."""


@dataclass(frozen=True)
class ImitateConfig:
    """How to imitate.

    Attributes:
        episodes: how many.
        seed: of worlds, noise and batches.
        batch: states in a gradient step.
        learning_rate: of Adam.
        remember: put the transitions into the model's replay buffer, for what it learns alone afterwards.
    """

    episodes: int
    seed: int = 0
    batch: int = 256
    learning_rate: float = 1e-3
    remember: bool = False


class DaggerTrainer:
    """Teaches the actor of a stable-baselines3 model.

    Args:
        model: whose policy learns.
        env: that it learns in; its policy's.
        config: how.
        demonstrations: what recorded episodes teach.
    """

    def __init__(
        self,
        model: BaseAlgorithm,
        env: DofBotEnv,
        config: ImitateConfig,
        demonstrations: Sequence[Sequence[Transition]] = (),
    ) -> None:
        self._model, self._env, self._config = model, env, config
        self._rng = np.random.default_rng([config.seed, 1])
        self._teacher = Expert(env)
        self._demonstrations = demonstrations
        capacity = config.episodes * env.task.periods + sum(map(len, demonstrations))
        spaces = env.observation_space.spaces  # type: ignore[attr-defined]
        self._seen = {name: np.empty((capacity, *space.shape), np.float32) for name, space in spaces.items()}
        self._shown = np.empty((capacity, *(env.action_space.shape or ())), np.float32)
        self._count = self._done = 0
        self._network = acting_network(model.policy)
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=config.learning_rate, fused=True)
        self._successes: deque[bool] = deque(maxlen=100)
        self._losses: deque[float] = deque(maxlen=100)

    def run(self, report: Report, log: Callable[[int], None], save: Callable[[], None]) -> None:
        """All episodes that are still to be played.

        Args:
            report: see Report.
            log: told the steps that were made so far, after each reset.
            save: called now and then; state() is what has to be kept.
        """
        periods = self._env.task.periods
        if self._count == 0:
            self._watch()
        while self._done < self._config.episodes:
            self._play(self._done, log)
            self._done += 1
            report(self._done, self._config.episodes, self.success_rate)
            if self._done % ROUND == 0:
                self._learn(round(UPDATES * ROUND * periods), fade=False)
            if self._done % SAVED == 0:
                save()
        least = LEAST_UPDATES if self._demonstrations else 0
        self._learn(max(least, round(2.0 * UPDATES * self._count)), fade=True)

    def state(self) -> dict[str, Any]:
        """What was shown so far, for go_on()."""
        seen = {name: torch.from_numpy(values[: self._count]) for name, values in self._seen.items()}
        return {"episodes": self._done, "seen": seen, "shown": torch.from_numpy(self._shown[: self._count])}

    def go_on(self, state: dict[str, Any]) -> None:
        """Begin where another stopped, with its model: it may have been told of fewer episodes.

        Raises:
            InputError: no such state, or that of another task.
        """
        try:
            self._done, self._count = int(state["episodes"]), len(state["shown"])
            self._shown[: self._count] = state["shown"]
            for name, values in self._seen.items():
                values[: self._count] = state["seen"][name]
        except (LookupError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"the lessons of this run are those of another: {first_words(error)}") from error
        self._rng = np.random.default_rng([self._config.seed, 1, self._done])

    @property
    def steps(self) -> int:
        """Made in the environment."""
        return self._count

    @property
    def success_rate(self) -> float:
        """Of the policy's own last 100 episodes; nan before the first."""
        return float(np.mean(self._successes)) if self._successes else math.nan

    @property
    def done(self) -> int:
        """Episodes that lie behind."""
        return self._done

    @property
    def loss(self) -> float:
        """Mean of the last 100 updates; nan before the first."""
        return float(np.mean(self._losses)) if self._losses else math.nan

    def _watch(self) -> None:
        """Take in what was recorded."""
        for episode in self._demonstrations:
            for k, lesson in enumerate(episode):
                self._note(lesson.before, lesson.action)
                goal = lesson.after["desired_goal"]
                info = {"shaping": self._env.task.shaping(lesson.state), "TimeLimit.truncated": k + 1 == len(episode)}
                reward = float(self._env.earned(lesson.after["achieved_goal"], goal, info))
                self._remember((lesson.before, lesson.after), lesson.action, reward, info)

    def _note(self, observation: Mapping[str, Any], shown: NDArray[np.float32]) -> None:
        for name, values in self._seen.items():
            values[self._count] = observation[name]
        self._shown[self._count] = shown
        self._count += 1

    def _play(self, episode: int, log: Callable[[int], None]) -> None:
        env, rng = self._env, self._rng
        alone = rng.random() < episode / max(1.0, ALONE * self._config.episodes)
        observation, _ = env.reset(seed=FIRST_SEEDS * (1 + self._config.seed) + episode)
        log(self._count)
        done, info = False, {"is_success": False}
        while not done:
            shown = self._teacher.act()
            self._note(observation, shown)
            action = decide(self._network, inputs_of(observation)) if alone else shown
            shaken = action + ACTION_NOISE_STD * rng.standard_normal(len(action))
            action = np.minimum(np.maximum(shaken, -1.0), 1.0).astype(np.float32)
            after, reward, _, done, info = env.step(action)
            self._remember((observation, after), action, reward, {**info, "TimeLimit.truncated": done})
            observation = after
        if alone:
            self._successes.append(bool(info["is_success"]))

    def _learn(self, updates: int, *, fade: bool) -> None:
        device, batch = self._model.device, self._config.batch
        inputs, wanted = (
            torch.from_numpy(values[: self._count]).to(device)
            for values in (np.concatenate([self._seen[name] for name in sorted(self._seen)], axis=1), self._shown)
        )
        for update in range(updates):
            if fade:
                share = 0.5 * (1.0 + math.cos(math.pi * update / updates))
                for group in self._optimizer.param_groups:
                    group["lr"] = share * self._config.learning_rate
            chosen = torch.from_numpy(self._rng.integers(0, self._count, batch)).to(device)
            loss = huber_loss(self._mean(inputs[chosen]), wanted[chosen], delta=HUBER)
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            self._losses.append(float(loss.detach()))

    def _mean(self, inputs: Tensor) -> Tensor:
        """Actions (n, actions) of inputs (n, size). PPO's are not clamped: a clamp has no gradient outside -1..1."""
        action: Tensor = self._network.layers(inputs)
        return action.tanh() if self._network.squash == "tanh" else action

    def _remember(
        self,
        observations: tuple[Mapping[str, Any], Mapping[str, Any]],
        action: NDArray[np.float32],
        reward: float,
        info: dict[str, Any],
    ) -> None:
        """Put a transition into the model's replay buffer, if it is to have it."""
        if not self._config.remember or not isinstance(self._model, OffPolicyAlgorithm):
            return
        before, after = ({name: value[None] for name, value in one.items()} for one in observations)
        done = np.array([info["TimeLimit.truncated"]])
        buffer: Any = self._model.replay_buffer
        buffer.add(before, after, action[None], np.array([reward]), done, [info])
