"""The imitation's environment, its training, its figures, and what it makes of photos."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import cv2
import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("torch", reason="the imitation needs the extra learn")

import torch
from command_line import CliRunner
from gymnasium.utils.env_checker import check_env

from dofbot_ros.cli.main import app
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.errors import ConfigError, InputError, UsageError
from dofbot_ros.lab.imitation.env import ENV_ID, HandImitationEnv
from dofbot_ros.lab.imitation.hand import HandModel
from dofbot_ros.lab.imitation.imitator import Imitator, load_network
from dofbot_ros.lab.imitation.mask import cut_out
from dofbot_ros.lab.imitation.photos import evaluate_photos, follow
from dofbot_ros.lab.imitation.train import ImitationTrainConfig, train_imitation
from dofbot_ros.vision.cameras.frames import CameraError

HANDS = Path(__file__).resolve().parents[5] / "shared" / "data" / "hands"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imitation") / "run"
    train_imitation(ImitationTrainConfig(steps=8, batch=16, checkpoint_steps=4), folder)
    return folder


def test_gymnasiums_checker_passes() -> None:
    check_env(gym.make(ENV_ID).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_targets_angles_earn_most(mirror: bool) -> None:
    env = HandImitationEnv(17, mirror=mirror)
    seen, _ = env.reset(seed=1)
    assert seen.shape == (56, 112, 3)
    span = env.model.upper.numpy() - env.model.lower.numpy()
    action = 2.0 * (env.target_angles - env.model.lower.numpy()) / span - 1.0
    seen, reward, ended, _, info = env.step(action.astype(np.float32))
    assert info["is_success"]
    assert ended
    assert reward > -0.001
    np.testing.assert_array_equal(seen[:, :56], seen[:, 56:])


def test_a_pid_takes_time_and_arrives() -> None:
    env = HandImitationEnv(control="pid", horizon=40)
    env.reset(seed=2)
    goal = np.full(12, 0.5, np.float32)
    lower, upper = env.model.lower.numpy(), env.model.upper.numpy()
    wanted = lower + 0.75 * (upper - lower)
    env.step(goal)
    first = np.abs(env.angles - wanted).max()
    for _ in range(20):
        env.step(goal)
    assert first > 0.1
    assert np.abs(env.angles - wanted).max() < 0.02


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"resolution": 2}, "resolution must be at least 8"),
        ({"epsilon": 1.5}, "epsilon must lie in 0..1"),
        ({"control": "magic"}, "control must be position or pid"),
        ({"mask": "magic"}, "mask .magic. is not one of grabcut, skin"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        HandImitationEnv(**options)


def test_a_training_goes_on_and_refuses_another(run: Path) -> None:
    with pytest.raises(InputError, match="already holds a run"):
        train_imitation(ImitationTrainConfig(steps=8, batch=16), run)
    made = train_imitation(ImitationTrainConfig(steps=10, batch=16, checkpoint_steps=4), run, resume=True)
    assert made["steps"] == 10
    model, network = load_network(run)
    assert model.dof == 12
    angles = network(torch.zeros(2, 56, 56)).detach()
    assert (angles >= model.lower).all()
    assert (angles <= model.upper).all()


def test_a_folder_without_a_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no imitation network"):
        load_network(tmp_path)
    with pytest.raises(ConfigError, match="needs a trained network"):
        Imitator(HandModel(), None, "network")


@pytest.mark.slow
def test_evaluate_prints_the_keys_that_were_asked_for(run: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    words = f"imitate evaluate --model {run} --targets 4 --steps 20 --sheet {sheet} --json"
    done = CliRunner().invoke(app, words.split())
    found = json.loads(done.stdout)
    assert {"mean_iou", "interval", "baseline_iou", "xor_px", "joint_rms_rad", "finger_state_accuracy"} <= set(found)
    assert found["ms_per_image"] > 0
    assert found["mean_iou"] > 0.4
    assert cv2.imread(str(sheet)) is not None


@pytest.mark.slow
@pytest.mark.parametrize("dof", [12, 17])
def test_the_shipped_networks_are_used_where_no_model_is_named(dof: int) -> None:
    def evaluated(*words: str) -> dict[str, Any]:
        done = CliRunner().invoke(app, ["imitate", "evaluate", "--dof", str(dof), "--targets", "4", "--json", *words])
        return json.loads(done.stdout)

    default, alone = evaluated(), evaluated("--method", "network")
    assert (default["method"], default["dof"]) == ("network+refine", dof)
    assert default["mean_iou"] > alone["mean_iou"] > default["baseline_iou"] + 0.1


def test_a_hand_without_a_network_is_refused_in_one_line() -> None:
    for words, why in (("--dof 13", "dof must be 12 or 17"), ("--method sac", "needs a trained network")):
        done = CliRunner().invoke(app, ["imitate", "evaluate", *words.split()])
        assert isinstance(done.exception, UsageError)
        assert why in str(done.exception)


@pytest.mark.slow
def test_the_baseline_needs_no_model() -> None:
    done = CliRunner().invoke(app, ["imitate", "evaluate", "--method", "landmarks", "--targets", "3", "--json"])
    found = json.loads(done.stdout)
    assert found["method"] == "landmarks"
    assert found["mean_iou"] == pytest.approx(found["baseline_iou"], abs=1e-6)
    words = "imitate evaluate --method landmarks+refine --targets 3 --json"
    refined = CliRunner().invoke(app, words.split())
    assert json.loads(refined.stdout)["mean_iou"] > found["mean_iou"]


@pytest.mark.slow
@pytest.mark.skipif(not HANDS.is_dir(), reason="the photos of hands in ../shared/data are not here")
def test_photos_are_cut_out_and_imitated(tmp_path: Path) -> None:
    pytest.importorskip("mediapipe", reason="hands are found by MediaPipe, extra teleop")
    for name in ("four.jpg", "rock.jpg"):
        (tmp_path / name).write_bytes((HANDS / name).read_bytes())
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((200, 200, 3), 180, np.uint8))
    found = evaluate_photos(Imitator(HandModel(17), None, "landmarks"), tmp_path)
    assert found["no_hand"] == ["wall.png"]
    assert found["photos"] == 3
    assert found["mean_iou"] > 0.6
    made = follow(Imitator(HandModel(17), None, "landmarks"), str(tmp_path), tmp_path / "out", ManualClock())
    assert made["frames"] == 3
    lines = [json.loads(line) for line in (tmp_path / "out" / "angles.jsonl").read_text().splitlines()]
    wall = lines[-1]
    assert wall["hand"] is False
    assert wall["angles"] == lines[-2]["angles"]
    assert not math.isnan(made["mean_iou"])


@pytest.mark.slow
@pytest.mark.skipif(not HANDS.is_dir(), reason="the photos of hands in ../shared/data are not here")
@pytest.mark.parametrize("control", ["position", "pid"])
def test_photos_are_targets_too(control: str, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe", reason="hands are found by MediaPipe, extra teleop")
    (tmp_path / "four.jpg").write_bytes((HANDS / "four.jpg").read_bytes())
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((200, 200, 3), 180, np.uint8))
    env = gym.make(
        ENV_ID, source=str(tmp_path), resolution=40, epsilon=0.3, mask="grabcut", dof=17, mirror=True, control=control
    )
    seen, _ = env.reset(seed=1)
    assert seen.shape == (40, 80, 3)
    low, high = env.unwrapped.model.lower.numpy(), env.unwrapped.model.upper.numpy()
    told = 2.0 * (env.unwrapped.target_angles - low) / (high - low) - 1.0
    for _ in range(12):
        _, _, ended, _, info = env.step(told.astype(np.float32))
        if ended:
            break
    assert info["iou"] > 0.5


def test_a_source_without_hands_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("mediapipe", reason="hands are found by MediaPipe, extra teleop")
    with pytest.raises(InputError, match="holds no photos"):
        HandImitationEnv(source=str(tmp_path))
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((200, 200, 3), 180, np.uint8))
    with pytest.raises(InputError, match="shows no hand"):
        HandImitationEnv(source=str(tmp_path))
    with pytest.raises(CameraError, match=r"nothing\.mp4"):
        HandImitationEnv(source=str(tmp_path / "nothing.mp4"))


def test_a_source_that_is_not_there_leaves_no_folder(tmp_path: Path) -> None:
    pytest.importorskip("mediapipe", reason="hands are found by MediaPipe, extra teleop")
    words = ["imitate", "run", "--source", str(tmp_path / "nothing.mp4"), "--out", str(tmp_path / "out")]
    assert "no such video file" in str(CliRunner().invoke(app, words).exception)
    assert not (tmp_path / "out").exists()


def test_another_mask_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"mask .magic. is not one of grabcut, skin"):
        cut_out(np.zeros((4, 4, 3), np.uint8), None, "magic")
