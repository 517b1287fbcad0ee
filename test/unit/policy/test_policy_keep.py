"""What a policy was taught is not lost when it goes on by reinforcement learning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dofbot_ros.errors import ConfigError
from dofbot_ros.policy.envs import make_env
from dofbot_ros.policy.evaluate import rollout
from dofbot_ros.policy.imitate import SHAKE
from dofbot_ros.policy.keep import FOLLOW, SLOWER, Keeper
from dofbot_ros.policy.lessons import Lessons, lesson_loss
from dofbot_ros.policy.runner import PolicyRunner
from dofbot_ros.policy.train import TrainConfig, Trainer

TAUGHT = TrainConfig(algo="sac", episodes=30, steps=300, width=48, batch=64, warm_up=0, critics_first=200)
BRIEF = replace(TAUGHT, episodes=2, steps=30, width=16, batch=16, critics_first=20)


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
    """A model, the only lesson that it has, and its keeper."""
    trainer = Trainer(replace(BRIEF, algo=request.param), tmp_path / "run")
    env = trainer.model.get_env().envs[0].unwrapped
    lessons = Lessons(env, 1)
    observation, _ = env.reset(seed=0)
    lessons.note(observation, np.array([0.9, -0.9, 0.5], np.float32))
    yield trainer.model, lessons, Keeper(trainer.model, lessons, 0, critics_first=20)
    trainer.close()


def joined(model: Any, gradient: float) -> list[torch.Tensor]:
    """What a step of the actor's optimizer follows where the critics' gradient is `gradient` in each number."""
    found: list[torch.Tensor] = []
    parameters = [one for one in model.actor.parameters() if one.requires_grad]
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, gradient)
    optimizer = model.actor.optimizer
    hook = optimizer.register_step_pre_hook(lambda *_: found.extend(one.grad.clone() for one in parameters))
    optimizer.step()
    hook.remove()
    return found


def test_the_actor_follows_its_lessons_alone_until_the_critics_know_something(kept: Any) -> None:
    model, lessons, keeper = kept
    parameters = [one for one in model.actor.parameters() if one.requires_grad]
    seen, shown = lessons.batch(np.random.default_rng(0), 1, model.device)
    pull = torch.autograd.grad(lesson_loss(model.policy, seen, shown), parameters)
    assert keeper.holding
    assert all(torch.allclose(one, wanted, atol=1e-6) for one, wanted in zip(joined(model, 5.0), pull, strict=True))


def test_then_it_follows_both_the_critics_in_units_of_what_they_expect(kept: Any) -> None:
    model, lessons, keeper = kept
    model._n_updates = 20
    assert not keeper.holding
    parameters = [one for one in model.actor.parameters() if one.requires_grad]
    seen, shown = lessons.batch(np.random.default_rng(0), 1, model.device)
    pull = torch.autograd.grad(lesson_loss(model.policy, seen, shown), parameters)
    with torch.no_grad():
        values = model.critic(seen, model.actor(seen, deterministic=True))
    expected = abs(float(torch.cat([torch.as_tensor(one).flatten() for one in values]).mean()))
    for one, wanted in zip(joined(model, 5.0), pull, strict=True):
        assert torch.allclose(one, wanted + 5.0 * FOLLOW / expected, rtol=1e-4, atol=1e-6)
    assert model.actor.optimizer.param_groups[0]["lr"] == pytest.approx(SLOWER * BRIEF.learning_rate)


def test_actions_spread_as_in_the_lessons_whatever_is_seen(kept: Any) -> None:
    model, lessons, _ = kept
    seen, _ = lessons.batch(np.random.default_rng(0), 1, model.device)
    for scale in (1.0, -3.0):
        elsewhere = {name: scale * values for name, values in seen.items()}
        assert model.actor.get_action_dist_params(elsewhere)[1].exp().detach().numpy() == pytest.approx(SHAKE)


def test_going_on_does_not_forget(tmp_path: Path) -> None:
    trained(replace(TAUGHT, steps=0), tmp_path / "taught")
    trained(TAUGHT, tmp_path / "on")
    # Some 12 before; SAC as it is leaves -54, an arm that goes to the edge of its reach.
    assert mean_return(tmp_path / "on") > mean_return(tmp_path / "taught") - 20.0


@pytest.mark.parametrize("algo", ["sac", "tqc"])
def test_a_resumed_run_is_held_to_its_lessons_too(algo: str, tmp_path: Path) -> None:
    config = replace(BRIEF, algo=algo)
    trained(config, tmp_path / "run")
    model = trained(replace(config, steps=40), tmp_path / "run", resume=True)
    assert model.num_timesteps == 40
    assert model._n_updates == 20 + 40  # the critics are not taught anew
    state = model.actor.optimizer.state_dict()
    assert {int(one["step"]) for one in state["state"].values()} == {20 + 40}
    assert state["param_groups"][0]["lr"] == pytest.approx(SLOWER * config.learning_rate)
    assert not model.actor.log_std.weight.any()
    assert model.replay_buffer.size() == 2 * 50 + 40


def test_a_run_that_was_only_taught_goes_on_with_critics_that_learn_first(tmp_path: Path) -> None:
    trained(replace(BRIEF, steps=0), tmp_path / "run")
    model = trained(BRIEF, tmp_path / "run", resume=True)
    assert (model.num_timesteps, model._n_updates) == (30, 30)


def test_ppo_does_not_go_on_from_lessons() -> None:
    assert replace(BRIEF, algo="ppo", steps=0).algo == "ppo"
    with pytest.raises(ConfigError, match="tqc or sac"):
        replace(BRIEF, algo="ppo")
