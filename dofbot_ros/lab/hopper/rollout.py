"""Episodes of the hopper, many side by side, so that a network acts for all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.lab.hopper.env import HopperEnv

HALF = 500
"""Steps of the episodes that this task was first measured with."""

Act = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Actions (n, 3) of observations (n, ...)."""


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


def rollouts(envs: Sequence[HopperEnv], act: Act, seeds: Sequence[int]) -> list[Ended]:
    """Play an episode for each seed.

    Args:
        envs: at least one; each plays one episode at a time.
        act: the policy, without memory of its own.
        seeds: of the episodes.

    Returns:
        Their ends, in the order of `seeds`.
    """
    ends: list[Ended] = []
    for first in range(0, len(seeds), len(envs)):
        ends += _side_by_side(envs, act, seeds[first : first + len(envs)])
    return ends


def _side_by_side(envs: Sequence[HopperEnv], act: Act, seeds: Sequence[int]) -> list[Ended]:
    live = list(range(len(seeds)))
    seen = [envs[i].reset(seed=seed)[0] for i, seed in enumerate(seeds)]
    earned, half, length = np.zeros(len(seeds)), np.zeros(len(seeds)), np.zeros(len(seeds), int)
    while live:
        actions = act(np.stack([seen[i] for i in live]))
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
