"""Training learns, writes what it did, goes on where it stopped, and exports what it trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from numpy.typing import NDArray

from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.policy.env.environments import make_env
from dofbot_ros.policy.evaluation.evaluate import EvaluateConfig, evaluate, rollout
from dofbot_ros.policy.interface.spec import SPEC
from dofbot_ros.policy.learning.train import CHECKPOINT, DRAWS, LESSONS, TrainConfig, Trainer
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner

QUICK = TrainConfig(randomize="mild", steps=120, warm_up=60, width=16, batch=32, checkpoint_steps=60, compared=2)


class Random:
    """A policy that does not look."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        return self._rng.uniform(-1.0, 1.0, 3).astype(np.float32)


def trained(config: TrainConfig, run: Path, *, resume: bool = False) -> Trainer:
    trainer = Trainer(config, run, resume=resume)
    try:
        trainer.train()
    finally:
        trainer.close()
    return trainer


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of QUICK; who changes it copies it."""
    run = tmp_path_factory.mktemp("quick") / "run"
    trained(QUICK, run)
    return run


@pytest.mark.slow
@pytest.mark.parametrize("algo", ["tqc", "sac", "ppo"])
def test_what_is_exported_acts_as_what_was_trained(algo: str, tmp_path: Path) -> None:
    trainer = trained(replace(QUICK, algo=algo), tmp_path / "run")
    assert trainer.model.num_timesteps == QUICK.steps
    runner = PolicyRunner(tmp_path / "run")
    env = QUICK.environment()
    observation, _ = env.reset(seed=0)
    for _ in range(3):
        expected, _ = trainer.model.predict(observation, deterministic=True)
        assert runner.act(observation) == pytest.approx(expected, abs=1e-5)
        observation, *_ = env.step(expected)
    env.close()
    assert runner.spec.task == "reach"
    assert runner.spec.training["algorithm"] == algo
    assert sum(entry.size for entry in runner.spec.observation) == observation["observation"].size


@pytest.mark.slow
def test_a_run_goes_on_where_it_stopped_and_logs_every_world(quick_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(quick_run, tmp_path / "run")
    with pytest.raises(InputError, match="--resume"):
        Trainer(QUICK, run)
    with pytest.raises(InputError, match="another configuration"):
        Trainer(replace(QUICK, seed=1, steps=200), run, resume=True)
    again = trained(replace(QUICK, steps=200, hindsight=False), run, resume=True)
    assert again.model.num_timesteps == 200
    assert again.model.replay_buffer.size() == 200
    draws = [json.loads(line) for line in (run / DRAWS).read_text().splitlines()]
    assert len(draws) >= 4
    assert len({draw["block_friction"] for draw in draws}) >= 4
    with pytest.raises(InputError, match="nothing to resume"):
        Trainer(QUICK, tmp_path / "empty", resume=True)


@pytest.mark.slow
def test_hindsight_trains_on_the_sparse_reward(tmp_path: Path) -> None:
    trainer = trained(replace(QUICK, hindsight=True), tmp_path / "run")
    assert (tmp_path / "run" / CHECKPOINT).exists()
    rewards = np.unique(trainer.model.replay_buffer.sample(64).rewards.numpy())
    assert set(rewards) <= {0.0, -1.0}
    with pytest.raises(ConfigError, match="hindsight"):
        TrainConfig(algo="ppo", hindsight=True)


@pytest.mark.slow
def test_evaluation_says_how_sure_it_is(quick_run: Path) -> None:
    result = evaluate(EvaluateConfig(quick_run, episodes=3, domain="target", node_physics=False))
    assert result["episodes"] == 3
    low, high = result["interval"]
    assert 0.0 <= low <= result["success_rate"] <= high <= 1.0
    assert np.isfinite(result["mean_return"])


@pytest.mark.slow
def test_a_policy_for_other_scales_is_refused(quick_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(quick_run, tmp_path / "run")
    spec = yaml.safe_load((run / SPEC).read_text())
    spec["period_s"] = 0.1
    (run / SPEC).write_text(yaml.safe_dump(spec))
    with pytest.raises(InputError, match="another rate"):
        PolicyRunner(run)


@pytest.mark.slow
def test_a_teacher_leaves_a_policy_that_comes_close(tmp_path: Path) -> None:
    run = tmp_path / "run"
    trained(replace(QUICK, algo="sac", randomize="none", episodes=30, steps=0, width=48, batch=64), run)
    assert len((run / DRAWS).read_text().splitlines()) == 30
    env = make_env("reach")
    returns: dict[str, float] = {}
    for name, policy in (("random", Random(0)), ("taught", PolicyRunner(run))):
        returns[name] = float(np.mean([rollout(env, policy, 10_000 + episode).earned for episode in range(5)]))
    env.close()
    assert returns["taught"] > 0.5 * returns["random"]


@pytest.mark.slow
def test_what_a_teacher_showed_is_remembered_when_the_policy_tries_alone(tmp_path: Path) -> None:
    trainer = trained(replace(QUICK, episodes=2, steps=30), tmp_path / "run")
    assert trainer.model.num_timesteps == 30
    assert trainer.model.replay_buffer.size() == 2 * 50 + 30


def test_lessons_go_on_where_they_stopped(tmp_path: Path) -> None:
    run, config = tmp_path / "run", replace(QUICK, algo="sac", episodes=2, steps=0)
    trained(config, run)
    first = torch.load(run / LESSONS)
    trained(replace(config, episodes=3), run, resume=True)
    lessons = torch.load(run / LESSONS)
    assert lessons["episodes"] == 3
    assert len(lessons["shown"]) == 3 * 50
    assert torch.equal(lessons["seen"]["observation"][:100], first["seen"]["observation"])


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"episodes": 2, "control": "joints"}, {"episodes": 2, "obs": "image"}], ids=str
)
def test_lessons_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"teacher"):
        replace(QUICK, **wrong)


@pytest.mark.slow
def test_reach_is_learned(tmp_path: Path) -> None:
    run = tmp_path / "run"
    trained(TrainConfig(algo="sac", steps=3500, warm_up=500, width=64, batch=128, seed=0), run)
    env = make_env("reach")
    returns: dict[str, float] = {}
    for name, policy in (("random", Random(0)), ("learned", PolicyRunner(run))):
        returns[name] = float(np.mean([rollout(env, policy, 10_000 + episode).earned for episode in range(20)]))
    env.close()
    # A random tool ends up some 10 cm away, which costs about 1 a period; a learned one goes near and stays there.
    assert returns["learned"] > 0.5 * returns["random"]
