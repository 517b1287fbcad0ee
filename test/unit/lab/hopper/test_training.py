"""Small hopper trainings: what is exported acts as what was trained, and runs go on where they stopped."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

if importlib.util.find_spec("mujoco") is None:  # not imported here: the product says first how it draws
    pytest.skip("the hopper needs the extra hopper", allow_module_level=True)
pytest.importorskip("stable_baselines3", reason="training needs the extra learn")

from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.lab.hopper.evaluation.domain_gap import hopper_gap
from dofbot_ros.lab.hopper.evaluation.evaluate import HopperEvaluateConfig, evaluate_hopper
from dofbot_ros.lab.hopper.learning.student_train import StudentConfig, StudentTrainer
from dofbot_ros.lab.hopper.learning.train import DRAWS, SELECTION, HopperTrainer
from dofbot_ros.lab.hopper.learning.train_config import HopperTrainConfig
from dofbot_ros.lab.hopper.policy import HopperPolicy

SMALL = {"envs": 2, "rollout": 64, "selected_every": 128, "selected_episodes": 2}


@pytest.fixture(scope="module")
def state_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("hopper") / "state_wide_s0"
    trainer = HopperTrainer(HopperTrainConfig(steps=256, randomize="wide", **SMALL), run)
    trainer.train()
    trainer.close()
    return run


def told(what: str, done: int, wanted: int, value: float) -> None:
    assert 0 < done <= wanted


def test_a_run_says_which_worlds_it_met_and_how_checkpoints_did(state_run: Path) -> None:
    lines = [json.loads(line) for line in (state_run / SELECTION).read_text().splitlines()]
    assert [line["steps"] for line in lines] == [128, 256, 256]
    draws = [json.loads(line) for line in (state_run / DRAWS).read_text().splitlines()]
    assert draws
    assert {"thigh_mass", "push_n", "step"} <= set(draws[0])


def test_the_exported_policy_acts_as_the_kept_one(state_run: Path) -> None:
    import torch

    from dofbot_ros.lab.hopper.learning.normalisation import NormalisedActor
    from dofbot_ros.lab.hopper.learning.train import SELECTED

    trainer = HopperTrainer(HopperTrainConfig(steps=256, randomize="wide", **SMALL), state_run, resume=True)
    actor = NormalisedActor(trainer.model.policy, trainer._vector).eval()
    actor.load_state_dict(torch.load(state_run / SELECTED, weights_only=True)["actor"])
    seen = np.random.default_rng(0).normal(size=(5, 11)).astype(np.float32)
    with torch.no_grad():
        expected = actor(torch.from_numpy(seen)).numpy()
    np.testing.assert_allclose(HopperPolicy(state_run).act(seen, range(5)), expected, atol=1e-5)


@pytest.mark.slow
def test_a_run_goes_on_with_more_steps_and_refuses_another_configuration(tmp_path: Path) -> None:
    config = HopperTrainConfig(steps=128, **SMALL)
    HopperTrainer(config, tmp_path / "run").train()
    with pytest.raises(InputError, match="already holds a run"):
        HopperTrainer(config, tmp_path / "run")
    with pytest.raises(InputError, match="another configuration"):
        HopperTrainer(HopperTrainConfig(steps=256, seed=1, **SMALL), tmp_path / "run", resume=True)
    longer = HopperTrainer(HopperTrainConfig(steps=256, **SMALL), tmp_path / "run", resume=True)
    assert longer.model.num_timesteps == 128
    assert longer._vector.obs_rms.count > 100
    assert longer.train().steps == 256


def test_a_run_begins_with_what_another_kept(state_run: Path, tmp_path: Path) -> None:
    config = HopperTrainConfig(steps=128, start=str(state_run), **SMALL)
    trainer = HopperTrainer(config, tmp_path / "run")
    seen = np.random.default_rng(1).normal(size=(3, 11)).astype(np.float32)
    normal = trainer._vector.normalize_obs(seen.copy())
    begun = np.clip(trainer.model.predict(normal, deterministic=True)[0], -1.0, 1.0)
    np.testing.assert_allclose(HopperPolicy(state_run).act(seen, range(3)), begun, atol=1e-4)
    with pytest.raises(InputError, match="was not trained with trpo"):
        HopperTrainer(HopperTrainConfig(algo="trpo", start=str(state_run), **SMALL), tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
@pytest.mark.parametrize("algo", ["sac", "tqc", "trpo"])
def test_every_algorithm_trains_and_goes_on(tmp_path: Path, algo: str) -> None:
    HopperTrainer(HopperTrainConfig(algo=algo, steps=128, **SMALL), tmp_path / "run").train()
    resumed = HopperTrainer(HopperTrainConfig(algo=algo, steps=160, **SMALL), tmp_path / "run", resume=True)
    assert resumed.model.num_timesteps == 128
    if algo != "trpo":
        assert resumed.model.replay_buffer.size() == 128
    assert (tmp_path / "run" / "policy.onnx").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("obs", ["pipeline", "image"])
def test_students_learn_to_see_and_act_alone(state_run: Path, tmp_path: Path, obs: str) -> None:
    small = {"pictures": 80, "epochs": 1, "envs": 2, "round_steps": 40, "gradient_steps": 4, "checkpoint_rounds": 1}
    config = StudentConfig(obs, str(state_run), "wide", 80, **small)
    made = StudentTrainer(config, tmp_path / "run").train(told)
    assert np.isfinite(made["mean_return"])
    assert made["keypoint_mm"] > 0.0
    longer = StudentTrainer(StudentConfig(obs, str(state_run), "wide", 160, **small), tmp_path / "run", resume=True)
    longer.train(told)
    found = evaluate_hopper(HopperEvaluateConfig(tmp_path / "run", 1))
    assert found["obs"] == obs
    assert found["mean_length"] > 1
    policy = HopperPolicy(tmp_path / "run")
    with pytest.raises(InputError, match="does not hold a policy from such pictures"):
        policy.act(np.zeros((1, 3), np.float32), [0])


@pytest.mark.slow
@pytest.mark.usefixtures("drawing")
def test_what_one_run_has_learned_to_see_by_another_takes_over(state_run: Path, tmp_path: Path) -> None:
    small = {"pictures": 40, "epochs": 1, "envs": 2, "round_steps": 20, "gradient_steps": 2, "checkpoint_rounds": 1}
    sees = StudentTrainer(StudentConfig("pipeline", str(state_run), "wide", 40, **small), tmp_path / "sees").train(told)
    again = StudentConfig("pipeline", str(state_run), "wide", 40, network=str(tmp_path / "sees"), **small)
    steps: list[str] = []
    made = StudentTrainer(again, tmp_path / "again").train(lambda what, *_: steps.append(what))
    assert set(steps) == {"lessons: rounds"}
    assert made["keypoint_mm"] == sees["keypoint_mm"]
    assert (tmp_path / "again" / "network.pt").read_bytes() == (tmp_path / "sees" / "network.pt").read_bytes()


def test_a_run_that_has_learned_to_see_nothing_is_refused(state_run: Path, tmp_path: Path) -> None:
    config = StudentConfig("image", str(state_run), network=str(state_run))
    with pytest.raises(InputError, match=r"holds no network\.pt"):
        StudentTrainer(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_student_refuses_a_teacher_that_sees_pictures() -> None:
    with pytest.raises(ConfigError, match="--teacher RUN"):
        StudentConfig("pipeline")


def test_measuring_gives_the_keys_that_were_asked_for(state_run: Path) -> None:
    found = evaluate_hopper(HopperEvaluateConfig(state_run, 3, "target"))
    assert {"mean_return", "interval", "return_500", "mean_length"} <= set(found)
    low, high = found["interval"]
    assert low <= found["mean_return"] <= high
    assert found == evaluate_hopper(HopperEvaluateConfig(state_run, 3, "target"))


@pytest.mark.slow
def test_the_domain_gap_has_a_row_for_each_kind_and_goes_on(state_run: Path, tmp_path: Path) -> None:
    calls: list[str] = []
    made = hopper_gap([state_run], tmp_path, 2, 0, lambda what, done, mean: calls.append(what))
    (row,) = made["rows"]
    assert (row["obs"], row["randomize"], row["seeds"]) == ("state", "wide", 1)
    assert set(calls) == {"state_wide_s0 in source", "state_wide_s0 in target"}
    calls.clear()
    assert hopper_gap([state_run], tmp_path, 2, 0, lambda what, done, mean: calls.append(what)) == made
    assert calls == []
    assert (tmp_path / "domain_gap.png").stat().st_size > 10_000
    table = (tmp_path / "domain_gap.md").read_text()
    assert "| state wide, target | 2500 |" in table
    assert "790 / 745" in table
