"""Episodes of the hopper, many side by side, so that a network acts for all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.lab.hopper.world.env import HopperEnv

HALF = 500
"""Steps of the episodes that this task was first measured with."""


class Actor(Protocol):
    """Whatever acts in several episodes at once."""

    def start(self, episodes: int) -> None:
        """That many episodes begin."""
        ...

    def act(self, seen: NDArray[Any], live: Sequence[int]) -> NDArray[np.float32]:
        """Actions (n, 3) of observations (n, ...) in the episodes with the numbers `live`."""
        ...


@dataclass(frozen=True)
class Ended:
    """An episode.

    Attributes:
        earned: sum of its rewards.
        earned_500: of the first 500 steps.
        length: steps.
    """

    earned: float
    earned_500: float
    length: int


def rollouts(
    envs: Sequence[HopperEnv], actor: Actor, seeds: Sequence[int], report: Callable[[list[Ended]], None] | None = None
) -> list[Ended]:
    """Play an episode for each seed.

    Args:
        envs: at least one; each plays one episode at a time.
        actor: the policy.
        seeds: of the episodes.
        report: told the episodes that have ended, after each batch of them.

    Returns:
        Their ends, in the order of `seeds`.
    """
    ends: list[Ended] = []
    for first in range(0, len(seeds), len(envs)):
        ends += _side_by_side(envs, actor, seeds[first : first + len(envs)])
        if report is not None:
            report(ends)
    return ends


def _side_by_side(envs: Sequence[HopperEnv], actor: Actor, seeds: Sequence[int]) -> list[Ended]:
    live = list(range(len(seeds)))
    actor.start(len(seeds))
    seen = [envs[i].reset(seed=seed)[0] for i, seed in enumerate(seeds)]
    earned, half, length = np.zeros(len(seeds)), np.zeros(len(seeds)), np.zeros(len(seeds), int)
    while live:
        actions = actor.act(np.stack([seen[i] for i in live]), live)
        going_on = []
        for i, action in zip(live, actions, strict=True):
            seen[i], reward, ended, cut, _ = envs[i].step(action)
            length[i] += 1
            earned[i] += reward
            half[i] += reward if length[i] <= HALF else 0.0
            if not (ended or cut):
                going_on.append(i)
        live = going_on
    return [Ended(float(e), float(h), int(n)) for e, h, n in zip(earned, half, length, strict=True)]
