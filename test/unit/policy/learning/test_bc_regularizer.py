"""What a policy was taught is not lost when it goes on by reinforcement learning."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dofbot_ros.errors import ConfigError
from dofbot_ros.policy.env.environments import make_env
from dofbot_ros.policy.evaluation.evaluate import rollout
from dofbot_ros.policy.learning import bc_regularizer as keep
from dofbot_ros.policy.learning.bc_regularizer import FOLLOW, SLOWER, BcRegularizer
from dofbot_ros.policy.learning.dagger import ACTION_NOISE_STD
from dofbot_ros.policy.learning.train import COMPARED, TAUGHT, TrainConfig, Trainer
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner

REACH = TrainConfig(algo="sac", episodes=30, steps=300, width=48, batch=64, warm_up=0, critics_first=100, compared=0)
BRIEF = replace(REACH, episodes=2, steps=30, width=16, batch=16, critics_first=20)


def trained(config: TrainConfig, run: Path, *, resume: bool = False) -> Any:
    trainer = Trainer(config, run, resume=resume)
    try:
        trainer.train()
    finally:
        trainer.close()
    return trainer.model


def mean_return(run: Path) -> float:
    env, policy = make_env("reach"), PolicyRunner(run)
    earned = [rollout(env, policy, 10_000 + episode).earned for episode in range(10)]
    env.close()
    return float(np.mean(earned))


@pytest.fixture(params=["sac", "tqc"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A model with one transition to learn from, and its keeper."""
    trainer = Trainer(replace(BRIEF, algo=request.param), tmp_path / "run")
    model = trainer.model
    before, action = model.get_env().reset(), np.full((1, 3), 0.5, np.float32)
    after, reward, done, info = model.get_env().step(action)
    model.replay_buffer.add(before, after, action, reward, done, info)
    yield model, BcRegularizer(model, critics_first=20)
    trainer.close()


def joined(model: Any, gradient: float) -> list[torch.Tensor]:
    """What the actor's optimizer follows where the critics' gradient is `gradient` in each number."""
    parameters = [one for one in model.actor.parameters() if one.requires_grad]
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, gradient)
    for hook in model.actor.optimizer._optimizer_step_pre_hooks.values():
        hook(model.actor.optimizer, (), {})
    return [one.grad.clone() for one in parameters]


def same(now: dict[str, torch.Tensor], then: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(now[name], then[name]) for name in then)


def test_the_actor_stays_what_it_is_until_the_critics_know_something(kept: Any) -> None:
    model, keeper = kept
    model.num_timesteps = 20
    critics = {name: values.clone() for name, values in model.critic.state_dict().items()}
    model.train(gradient_steps=20, batch_size=16)
    assert same(model.actor.state_dict(), keeper.state())
    assert not same(model.critic.state_dict(), critics)
    model.num_timesteps = 21
    model.train(gradient_steps=1, batch_size=16)
    assert not same(model.actor.state_dict(), keeper.state())
    keeper.give_up()
    assert same(model.actor.state_dict(), keeper.state())


def test_then_it_follows_them_in_units_of_what_they_expect_and_is_drawn_back_to_what_it_was(kept: Any) -> None:
    model, _ = kept
    seen = model.replay_buffer.sample(1).observations
    taught = model.actor(seen, deterministic=True).detach()
    with torch.no_grad():
        model.actor.mu.bias.add_(0.3)
        values = model.critic(seen, taught)
    size = abs(float(torch.cat([torch.as_tensor(one).flatten() for one in values]).mean()))
    parameters = [one for one in model.actor.parameters() if one.requires_grad]
    back = torch.autograd.grad((model.actor(seen, deterministic=True) - taught).square().mean(), parameters)
    for steps, weight in ((20, 0.0), (21, FOLLOW / size)):
        model.num_timesteps = steps
        with_critics, without = joined(model, 5.0), joined(model, 0.0)
        for both, one, wanted in zip(with_critics, without, back, strict=True):
            assert torch.allclose(one, wanted, rtol=1e-3, atol=1e-6)
            assert torch.allclose(both - one, torch.full_like(one, 5.0 * weight), rtol=1e-3, atol=1e-5)
    assert model.actor.optimizer.param_groups[0]["lr"] == pytest.approx(SLOWER * BRIEF.learning_rate)


def test_actions_spread_as_in_the_lessons_whatever_is_seen(kept: Any) -> None:
    model, _ = kept
    seen = model.replay_buffer.sample(1).observations
    for scale in (1.0, -3.0):
        elsewhere = {name: scale * values for name, values in seen.items()}
        assert model.actor.get_action_dist_params(elsewhere)[1].exp().detach().numpy() == pytest.approx(
            ACTION_NOISE_STD
        )


@pytest.mark.slow
def test_going_on_does_not_forget(tmp_path: Path) -> None:
    trained(replace(REACH, steps=0), tmp_path / "taught")
    shutil.copytree(tmp_path / "taught", tmp_path / "on")
    trained(REACH, tmp_path / "on", resume=True)
    # Some -2 before; SAC as it is leaves -48, an arm at the edge of its reach.
    assert mean_return(tmp_path / "on") > mean_return(tmp_path / "taught") - 15.0


@pytest.mark.slow
@pytest.mark.parametrize("algo", ["sac", "tqc"])
def test_a_resumed_run_is_held_to_what_was_taught_at_first(algo: str, tmp_path: Path) -> None:
    config, run = replace(BRIEF, algo=algo), tmp_path / "run"
    trained(config, run)
    taught = torch.load(run / TAUGHT)
    model = trained(replace(config, steps=40), run, resume=True)
    assert same(torch.load(run / TAUGHT), taught)
    assert not same(model.actor.state_dict(), taught)
    assert (model.num_timesteps, model.replay_buffer.size()) == (40, 2 * 50 + 40)
    state = model.actor.optimizer.state_dict()
    assert {int(one["step"]) for one in state["state"].values()} == {40}
    assert state["param_groups"][0]["lr"] == pytest.approx(SLOWER * config.learning_rate)
    assert not model.actor.log_std.weight.any()


@pytest.mark.slow
@pytest.mark.parametrize(("hindsight", "remembered"), [(False, 0), (True, 2 * 50)])
def test_a_run_that_was_only_taught_goes_on(hindsight: bool, remembered: int, tmp_path: Path) -> None:
    config = replace(BRIEF, hindsight=hindsight)
    trained(replace(config, steps=0), tmp_path / "run")
    model = trained(config, tmp_path / "run", resume=True)
    assert (model.num_timesteps, model.replay_buffer.size()) == (30, remembered + 30)


@pytest.mark.slow
def test_steps_that_made_it_worse_are_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "FOLLOW", 1e6)
    monkeypatch.setattr(keep, "SLOWER", 30.0)
    run = tmp_path / "run"
    model = trained(replace(REACH, episodes=20, steps=60, critics_first=0, compared=3), run)
    found = json.loads((run / COMPARED).read_text())
    assert (found["worlds"], found["undone"]) == (3, True)
    assert same(model.actor.state_dict(), torch.load(run / TAUGHT))


def test_ppo_does_not_go_on_from_lessons() -> None:
    assert replace(BRIEF, algo="ppo", steps=0).algo == "ppo"
    with pytest.raises(ConfigError, match="tqc or sac"):
        replace(BRIEF, algo="ppo")
