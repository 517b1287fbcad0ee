"""Pose network and student: runs end in files that act as what was trained, go on where they were, refuse others."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dofbot_ros.core.model_files import save_safetensors
from dofbot_ros.errors import InputError
from dofbot_ros.policy.env.environments import make_env
from dofbot_ros.policy.learning.acting_network import decide, inputs_of
from dofbot_ros.policy.learning.student_train import StudentConfig, StudentTrainer
from dofbot_ros.policy.perception import keypoint_train
from dofbot_ros.policy.perception.keypoint_backbone import pose_backbone
from dofbot_ros.policy.perception.keypoint_data import load_data
from dofbot_ros.policy.perception.keypoint_measure import found, measure
from dofbot_ros.policy.perception.keypoint_network import Closeup, PoseNetwork
from dofbot_ros.policy.perception.keypoint_train import PoseTrainConfig, load_network, train_pose
from dofbot_ros.policy.perception.pixels import WIDTH, nominal_view
from dofbot_ros.policy.perception.pose_estimator import BlockPoseEstimator
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner, shipped

POSE = PoseTrainConfig(randomize="mild", pictures=16, epochs=1, closeup_epochs=1, batch=8)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a pose network that has hardly been trained."""
    run = tmp_path_factory.mktemp("pose")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keypoint_train, "SHARD", 8)
        train_pose(POSE, run)
    return run


def test_the_exported_pose_network_reads_as_the_trained_one(network: Path) -> None:
    data = load_data([network / "pictures" / "000.npz"])
    seen = found(load_network(network), data.pictures)
    reader = BlockPoseEstimator(network, *nominal_view(WIDTH))
    told = reader._session.run(None, {"image": data.pictures})
    assert told[0] == pytest.approx(seen.pixels, abs=0.02)
    assert 0.25 * np.arctan2(told[1][:, 1], told[1][:, 0]) == pytest.approx(seen.yaw, abs=0.01)
    assert told[2] == pytest.approx(seen.shown, abs=1e-3)
    assert told[3] == pytest.approx(seen.spread, abs=0.02)
    assert set(measure(load_network(network), data)) >= {"centre_mm_p50", "uncorrected_mm_p50", "yaw_deg_p95", "sight"}


@pytest.mark.slow
def test_a_run_goes_on_and_is_not_mixed_with_another(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keypoint_train, "SHARD", 8)
    with pytest.raises(InputError, match="--resume"):
        train_pose(POSE, network)
    with pytest.raises(InputError, match="another configuration"):
        train_pose(replace(POSE, pictures=24), network, resume=True)
    told: list[str] = []
    train_pose(POSE, network, resume=True, report=lambda what, *_: told.append(what))
    assert told == []
    (network / "pictures" / "001.npz").unlink()
    train_pose(POSE, network, resume=True, report=lambda what, *_: told.append(what))
    assert set(told) == {"pictures"}


@pytest.mark.slow
def test_a_pose_network_begins_with_a_front_and_may_leave_it_as_it_is(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keypoint_train, "SHARD", 8)
    backbone = pose_backbone()
    save_safetensors(backbone.kept(), tmp_path / "backbone.safetensors", {})
    with pytest.raises(InputError, match="freeze keeps a backbone that has learned something: give --backbone-weights"):
        train_pose(replace(POSE, freeze=True), tmp_path / "frozen")
    for name, freeze in (("frozen", True), ("free", False)):
        run = tmp_path / name
        shutil.copytree(network / "pictures", run / "pictures")
        train_pose(replace(POSE, freeze=freeze), run, backbone=tmp_path)
        state = load_network(run).state_dict()
        assert all(torch.equal(state[key], value) for key, value in backbone.kept().items()) == freeze
        assert not torch.equal(state["join.0.0.weight"], PoseNetwork().state_dict()["join.0.0.weight"])


def test_a_device_that_is_not_there_is_refused_before_anything_is_written(network: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="device 'cuda:77' cannot be used here"):
        train_pose(POSE, tmp_path / "pose", device="cuda:77")
    with pytest.raises(InputError, match="device 'cuda:77' cannot be used here"):
        StudentTrainer(StudentConfig(pose=POSE), tmp_path / "student", network=network, device="cuda:77")
    assert list(tmp_path.iterdir()) == []


def test_a_closeup_is_turned_with_its_window() -> None:
    """A window turned by a quarter shows the picture turned back by it."""
    closeup = Closeup().eval()
    picture = torch.rand(1, 3, 96, 128)
    turned = torch.rot90(picture, 1, (2, 3))
    centre = torch.tensor([[60.0, 40.0]])
    same_place = torch.tensor([[40.0, 127.0 - 60.0]])
    with torch.no_grad():
        one = closeup(picture, centre, torch.tensor([0.5 * np.pi]))
        other = closeup(turned, same_place)
    for a, b in zip(one, other, strict=True):
        assert a.numpy() == pytest.approx(b.numpy(), abs=1e-3)


@pytest.mark.slow
def test_a_student_is_exported_as_it_acts_and_its_run_goes_on(network: Path, tmp_path: Path) -> None:
    config = StudentConfig(randomize="none", episodes=2, round_episodes=1, epochs=1, final_epochs=2, pose=POSE)
    trainer = StudentTrainer(config, tmp_path, network=network, start=shipped("pick", "state"))
    end = trainer.train()
    assert end["episodes"] == 2
    runner = PolicyRunner(tmp_path)
    assert (runner.spec.obs, runner.spec.observed, runner.spec.image_size) == ("image", "pipeline", WIDTH)
    assert (tmp_path / "pose.onnx").read_bytes() == (network / "pose.onnx").read_bytes()
    # The world that it is measured in is the one that it was taught in: one estimator.
    env = make_env("pick", runner.spec.observed, pose=tmp_path)
    observation, _ = env.reset(seed=0)
    for _ in range(4):
        action = runner.act(observation)
        assert action == pytest.approx(decide(trainer.policy, inputs_of(observation)), abs=1e-5)
        observation, *_ = env.step(action)
    measured = {env.reset(seed=seed)[1]["draw"]["seed"] for seed in range(2)}
    env.close()
    trainer.close()
    for episodes in (2, 3):
        more = StudentTrainer(replace(config, episodes=episodes), tmp_path, network=network, resume=True)
        assert more.train()["episodes"] == episodes
        more.close()
    taught = [json.loads(line)["seed"] for line in (tmp_path / "draws.jsonl").read_text().splitlines()]
    assert len(set(taught)) == len(taught) == 3
    assert not measured & set(taught)  # a measurement's worlds begin at seed 0
    with pytest.raises(InputError, match="--resume"):
        StudentTrainer(config, tmp_path, network=network)
    with pytest.raises(InputError, match="another configuration"):
        StudentTrainer(replace(config, learning_rate=1e-3), tmp_path, network=network, resume=True)
    with pytest.raises(InputError, match="begun with another pose network"):
        StudentTrainer(config, tmp_path, network=shipped("pick", "pipeline"), resume=True)


def test_a_pipeline_shows_what_a_state_policy_needs(network: Path) -> None:
    pipeline, state = make_env("pick", "pipeline", pose=network), make_env("pick", "state")
    assert pipeline.observation_space == state.observation_space
    seen, _ = pipeline.reset(seed=0)
    assert pipeline.observation_space.contains(seen)
    for _ in range(3):
        seen, *_ = pipeline.step(np.zeros(5, np.float32))
    assert pipeline.sim.state.block is not None
    assert seen["observation"].shape == state.observation_space["observation"].shape  # type: ignore[index]
    pipeline.close()
    state.close()


def test_a_block_that_jumps_is_believed_once_it_stays_there(network: Path) -> None:
    reader = BlockPoseEstimator(network, *nominal_view(WIDTH))
    here, there, elsewhere = [0.20, 0.0, 0.015], [0.20, 0.10, 0.015], [0.15, -0.10, 0.015]
    assert reader._believable(here)
    assert [reader._believable(place) for place in (there, elsewhere, there, here)] == [False, False, False, True]
    assert [reader._believable(there) for _ in range(4)] == [False, False, True, True]
    assert [reader._believable([0.20, 0.10 + 0.015 * step, 0.015]) for step in range(5)] == [True] * 5
    reader.reset()
    assert reader._believable(here)
