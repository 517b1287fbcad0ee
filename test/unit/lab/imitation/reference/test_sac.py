"""The reference method is trained, gone on with, and judged as the others are."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("stable_baselines3", reason="the reference method needs the extra learn")

import torch
from command_line import CliRunner
from stable_baselines3.common.env_checker import check_env

from dofbot_ros.cli.main import app
from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.lab.imitation.env import HandImitationEnv
from dofbot_ros.lab.imitation.hand import HandModel
from dofbot_ros.lab.imitation.imitator import Imitator, load_network
from dofbot_ros.lab.imitation.reference.sac_policy import STEPS, SacPolicy
from dofbot_ros.lab.imitation.reference.sac_train import REWARD_SCALE, SacConfig, TwoChannels, train_sac
from dofbot_ros.lab.imitation.silhouette import hard

from ..urdf.own_hand import own_hand

QUICK = SacConfig(steps=60, warm_up=20, batch=8, buffer=200, checkpoint_steps=30)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sac") / "run"
    (temporary := folder.with_name("temporary")).mkdir()
    with pytest.MonkeyPatch.context() as here:
        here.setattr(tempfile, "tempdir", str(temporary))
        train_sac(QUICK, folder)
    return folder


@pytest.mark.slow
def test_a_training_leaves_no_log_outside_its_folder(run: Path) -> None:
    assert list(run.with_name("temporary").glob("SB3-*")) == []


def test_the_channels_are_target_and_hand() -> None:
    plain, env = HandImitationEnv(), TwoChannels(HandImitationEnv())
    check_env(env, warn=False, skip_render_check=True)
    beside, _ = plain.reset(seed=3)
    seen, _ = env.reset(seed=3)
    assert seen.shape == (2, 56, 56)
    np.testing.assert_array_equal(np.hstack(seen), beside[..., 0])
    action = np.zeros(12, np.float32)
    assert env.step(action)[1] == pytest.approx(REWARD_SCALE * plain.step(action)[1])


@pytest.mark.slow
def test_the_policy_moves_as_the_environment_does(run: Path) -> None:
    hand, policy = load_network(run)
    assert isinstance(policy, SacPolicy)
    env = TwoChannels(HandImitationEnv(12, epsilon=0.0, horizon=STEPS))
    seen, _ = env.reset(seed=5)
    target = torch.from_numpy(seen[:1] > 0)
    for _ in range(STEPS):
        with torch.no_grad():
            action = policy.act(torch.from_numpy(seen)[None] / 255.0)[0].numpy()
        seen, *_ = env.step(action)
    with torch.no_grad():
        angles = policy(target.float())
    np.testing.assert_array_equal(hard(hand, angles)[0].numpy(), seen[1] > 0)


@pytest.mark.slow
def test_a_training_goes_on_and_refuses_another(run: Path) -> None:
    with pytest.raises(InputError, match="already holds a run"):
        train_sac(QUICK, run)
    with pytest.raises(InputError, match="seed was 0, now 1"):
        train_sac(SacConfig(**{**vars(QUICK), "seed": 1}), run, resume=True)
    made = train_sac(SacConfig(**{**vars(QUICK), "steps": 90}), run, resume=True)
    assert made["steps"] == 90
    assert 0.0 < made["iou"] < 1.0


@pytest.mark.slow
def test_a_hand_of_ones_own_is_kept_with_the_run(tmp_path: Path) -> None:
    file, run = tmp_path / "own.urdf", tmp_path / "run"
    file.write_text(own_hand())
    config = SacConfig(**{**vars(QUICK), "steps": 25, "urdf": str(file)})
    train_sac(config, run)
    file.unlink()
    train_sac(SacConfig(**{**vars(config), "steps": 30}), run, resume=True)
    hand, policy = load_network(run)
    assert hand.dof == 11
    assert policy(torch.zeros(1, 56, 56)).shape == (1, 11)


@pytest.mark.slow
def test_evaluate_judges_it_as_the_others(run: Path) -> None:
    done = CliRunner().invoke(app, ["imitate", "evaluate", "--model", str(run), "--targets", "3", "--json"])
    found = json.loads(done.stdout)
    assert found["method"] == "sac"
    assert 0.0 < found["mean_iou"] < 1.0
    _, policy = load_network(run)
    with pytest.raises(ConfigError, match="does not go with this run: its network is for sac"):
        Imitator(HandModel(), policy, "network+refine")
    with pytest.raises(ConfigError, match="sac needs a trained network"):
        Imitator(HandModel(), None, "sac")
