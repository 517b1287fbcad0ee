"""The layers alone act, and learn, as the library's policy around them does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sb3_contrib import TQC
from stable_baselines3 import PPO, SAC

from dofbot_ros.policy.env.environments import make_env
from dofbot_ros.policy.learning.acting_network import acting_network, decide, inputs_of


@pytest.fixture(params=[TQC, SAC, PPO])
def model(request: pytest.FixtureRequest) -> Any:
    """A policy of random weights for DofBotPick-v0."""
    steps = {"n_steps": 64} if request.param is PPO else {"buffer_size": 10}
    return request.param("MultiInputPolicy", make_env("pick"), policy_kwargs={"net_arch": [16, 8]}, seed=0, **steps)


def test_it_acts_as_the_library_does(model: Any) -> None:
    network = acting_network(model.policy)
    rng = np.random.default_rng(0)
    for size in (0.1, 1.0, 100.0):
        seen = {
            name: (size * rng.standard_normal(space.shape)).astype(np.float32)
            for name, space in model.observation_space.spaces.items()
        }
        assert decide(network, inputs_of(seen)) == pytest.approx(model.predict(seen, deterministic=True)[0], abs=1e-6)


def test_it_is_the_policy_itself_and_no_copy(model: Any) -> None:
    network = acting_network(model.policy)
    mine, theirs = list(network.parameters()), {id(one) for one in model.policy.parameters()}
    assert len(mine) == 6
    assert all(id(one) in theirs for one in mine)
    if not isinstance(model, PPO):
        assert [id(one) for one in acting_network(model.policy.actor).parameters()] == [id(one) for one in mine]


def test_making_one_draws_no_random_numbers(model: Any) -> None:
    before = torch.get_rng_state()
    acting_network(model.policy)
    assert torch.equal(torch.get_rng_state(), before)
