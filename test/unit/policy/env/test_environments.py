"""The environments keep Gymnasium's and stable-baselines3's rules, repeat themselves, show only what is measured."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from numpy.typing import NDArray
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from dofbot_ros.errors import ConfigError
from dofbot_ros.policy.env.environments import ENV_IDS, DofBotEnv, make_env
from dofbot_ros.policy.interface.observation import GOAL_CENTRE, GOAL_SCALE
from dofbot_ros.sim.randomization import RandomizationRanges


@contextmanager
def env(task: str, **options: Any) -> Iterator[DofBotEnv]:
    made = make_env(task, **options)
    try:
        yield made
    finally:
        made.close()


def play(made: DofBotEnv, seed: int, periods: int = 60) -> NDArray[np.float32]:
    """What random actions lead to: observations (periods, n)."""
    rng = np.random.default_rng(seed)
    observation, _ = made.reset(seed=seed)
    seen = [observation["observation"]]
    for _ in range(periods):
        observation, *_ = made.step(rng.uniform(-1.0, 1.0, made.action_space.shape or ()).astype(np.float32))
        seen.append(observation["observation"])
    return np.array(seen)


@pytest.mark.parametrize("options", [{}, {"obs": "image"}, {"control": "joints", "ranges": "wide"}], ids=str)
@pytest.mark.parametrize("task", ENV_IDS)
def test_both_checkers_pass(task: str, options: dict[str, Any]) -> None:
    made = gym.make(ENV_IDS[task], **options)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*(GoalEnv|wrapped|normalize).*")
            check_env(made, skip_render_check=True)
            check_env_sb3(made)
    finally:
        made.close()


@pytest.mark.parametrize("ranges", ["none", "wide"])
def test_the_same_seed_gives_the_same_episode_whatever_came_before(ranges: str) -> None:
    with env("pick", ranges=ranges) as one, env("pick", ranges=ranges) as other:
        first = play(one, seed=3)
        play(one, seed=4)
        play(one, seed=5, periods=20)
        assert np.array_equal(play(one, seed=3), first)
        assert np.array_equal(play(other, seed=3), first)
        assert not np.array_equal(play(other, seed=6), first)


def test_tool_actions_move_the_tool_along_the_axes_of_base_link() -> None:
    with env("reach") as made:
        for axis in range(3):
            observation, _ = made.reset(seed=0)
            before = np.array(made.sim.true_tool())
            action = np.zeros(3, np.float32)
            action[axis] = 1.0
            for _ in range(4):
                made.step(action)
            for _ in range(4):
                observation, *_ = made.step(np.zeros(3, np.float32))
            moved = np.array(made.sim.true_tool()) - before
            assert moved[axis] > 0.010
            assert np.abs(np.delete(moved, axis)).max() < 0.5 * moved[axis]
            shown = GOAL_SCALE * observation["achieved_goal"] + GOAL_CENTRE
            assert shown == pytest.approx(made.sim.true_tool(), abs=1e-3)


def test_an_action_out_of_reach_leaves_the_arm_within_its_limits() -> None:
    with env("reach") as made:
        made.reset(seed=0)
        for _ in range(40):
            made.step(np.array([1.0, 0.2, -1.0], np.float32))
        x, y, z = made.sim.true_tool()
        assert 0.2 < np.hypot(x, y) < 0.31
        assert z > 0.0


def test_what_is_seen_of_the_block_is_late_noisy_and_sometimes_missing() -> None:
    ranges = RandomizationRanges(observation_delay_s=(0.08, 0.08), block_noise_m=(0.002, 0.002), dropout=(0.3, 0.3))
    with env("pick", ranges=ranges) as made:
        made.reset(seed=0)
        sim = made.sim
        seen, ages = [], []
        for _ in range(60):
            made.step(np.zeros(5, np.float32))
            assert sim.state.block is not None
            seen.append(sim.state.block.position)
            ages.append(sim.state.block.age)
        error = np.array(seen) - sim.true_block()[0]
        assert 0.001 < error.std() < 0.003
        assert 0.15 < np.mean(np.array(ages) > 0) < 0.45
        fresh = [a == 0 for a in ages]
        assert max(ages) >= 2
        assert any(fresh)


def test_the_delay_is_that_of_the_draw() -> None:
    with env("pick", ranges=RandomizationRanges(observation_delay_s=(0.08, 0.08))) as made:
        made.reset(seed=0)
        sim = made.sim
        sim.world.place("block", np.array([[1, 0, 0, 0.3], [0, 1, 0, 0.1], [0, 0, 1, 0.015], [0, 0, 0, 1.0]]))
        seen = []
        for _ in range(4):
            made.step(np.zeros(5, np.float32))
            assert sim.state.block is not None
            seen.append(sim.state.block.position[0])
        assert [x > 0.29 for x in seen] == [False, False, True, True]


def test_pictures_are_stacked_newest_last() -> None:
    with env("pick", obs="image") as made:
        first, _ = made.reset(seed=0)
        assert first["image"].shape == (96, 128, 9)
        assert np.array_equal(first["image"][..., :3], first["image"][..., 6:])
        second, *_ = made.step(np.array([1, 1, -1, 0, 1], np.float32))
        assert np.array_equal(second["image"][..., 3:6], first["image"][..., 6:])
        assert not np.array_equal(second["image"][..., 6:], first["image"][..., 6:])


def test_wrong_names_are_answered_with_the_valid_ones() -> None:
    for options, valid in (
        ({"task": "grab"}, "reach, pick, place"),
        ({"task": "reach", "obs": "pixels"}, "state, image, pipeline"),
        ({"task": "reach", "ranges": "wild"}, "none, mild, wide"),
    ):
        with pytest.raises(ConfigError, match=valid):
            make_env(**options)
