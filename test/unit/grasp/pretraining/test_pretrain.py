"""What a backbone is taught: each task learns, a resumed run is the run, and grasp training begins with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ..bar_views import ROTATIONS, bars

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

from dofbot_ros.errors import InputError  # noqa: E402
from dofbot_ros.grasp.detection.model_io import WEIGHTS, load_weights  # noqa: E402
from dofbot_ros.grasp.detection.network import BACKBONE, MobileUNet, load_backbone  # noqa: E402
from dofbot_ros.grasp.detection.network_config import NetworkConfig  # noqa: E402
from dofbot_ros.grasp.detection.normalise import network_input  # noqa: E402
from dofbot_ros.grasp.learning.augment import AugmentConfig  # noqa: E402
from dofbot_ros.grasp.learning.dataset import TRAIN_FILE, VAL_FILE, save  # noqa: E402
from dofbot_ros.grasp.learning.train import TrainConfig, Trainer  # noqa: E402
from dofbot_ros.grasp.pretraining.labelled_views import LabelledViews, outline_moments  # noqa: E402
from dofbot_ros.grasp.pretraining.pretrain import PretrainConfig, Pretrainer  # noqa: E402
from dofbot_ros.grasp.pretraining.tasks import TASKS, TaskName  # noqa: E402
from dofbot_ros.policy.perception.keypoint_backbone import load_pose_backbone, pose_backbone  # noqa: E402
from dofbot_ros.policy.perception.keypoint_network import PoseNetwork, scaled  # noqa: E402
from dofbot_ros.vision.cameras.frame_files import read_image  # noqa: E402

SIZE = 32
QUICK = PretrainConfig(views=96, epochs=4, batch=16, network=NetworkConfig(rotations=ROTATIONS, width=16))


def drawn(n: int, seed: int = 0) -> LabelledViews:
    """White rectangles and discs on dark tables."""
    rng = np.random.default_rng(seed)
    images, family, place = [], [], []
    for _ in range(n):
        image = np.full((SIZE, SIZE, 3), 40, np.uint8)
        middle, kind = rng.uniform(10, SIZE - 10, 2), int(rng.integers(2))
        if kind:
            angle, half = rng.uniform(0, np.pi), np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * (7.0, 2.5)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            outline = half @ turn.T + middle
        else:
            around = np.linspace(0, 2 * np.pi, 24, endpoint=False)
            outline = 5.0 * np.stack([np.cos(around), np.sin(around)], axis=1) + middle
        cv2.fillConvexPoly(image, np.rint(outline[:, ::-1]).astype(np.int32), (230, 230, 230))
        images.append(image)
        family.append(kind)
        place.append(outline_moments(outline))
    return LabelledViews(np.array(images), np.array(family), np.array(place))


def trained(run: Path, on: TaskName, *, epochs: int = 4, resume: bool = False) -> list[float]:
    lines: list[float] = []
    Pretrainer(drawn(96), 2, run, replace(QUICK, on=on, epochs=epochs), resume=resume).train(
        lambda line: lines.append(line.train_loss)
    )
    return lines


@pytest.mark.slow
@pytest.mark.parametrize("on", TASKS)
def test_each_task_learns_and_shows_what_it_learned(on: TaskName, tmp_path: Path) -> None:
    losses = trained(tmp_path, on)
    assert losses[-1] < 0.8 * losses[0]
    picture = read_image(tmp_path / "examples.png")
    assert picture.std() > 10.0
    assert (tmp_path / "loss_curves.png").exists()


@pytest.mark.slow
def test_a_resumed_run_is_the_run(tmp_path: Path) -> None:
    trained(tmp_path / "whole", "pose")
    with pytest.raises(InputError, match="--resume"):
        trained(tmp_path / "whole", "pose")
    half = Pretrainer(drawn(96), 2, tmp_path / "half", replace(QUICK, on="pose"))

    def stop(line: object) -> None:
        if half.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half.train(stop)
    assert len(trained(tmp_path / "half", "pose", resume=True)) == 2
    whole, again = (load_file(tmp_path / name / BACKBONE) for name in ("whole", "half"))
    assert all(torch.equal(whole[name], again[name]) for name in whole)


@pytest.mark.slow
def test_grasp_training_begins_with_the_front_and_may_leave_it_as_it_is(tmp_path: Path) -> None:
    trained(tmp_path / "backbone", "classification", epochs=1)
    (tmp_path / "data").mkdir()
    for seed, name in enumerate((TRAIN_FILE, VAL_FILE)):
        save(bars(24, seed), tmp_path / "data" / name)
    config = TrainConfig(
        NetworkConfig(rotations=ROTATIONS, width=16), AugmentConfig(shift=2), epochs=1, batch=12, freeze=True
    )
    with pytest.raises(InputError, match="freeze keeps a backbone that has learned something"):
        Trainer([tmp_path / "data"], tmp_path / "run", config)
    taught = load_file(tmp_path / "backbone" / BACKBONE)
    for name, freeze in (("frozen", True), ("free", False)):
        run = tmp_path / name
        Trainer([tmp_path / "data"], run, replace(config, freeze=freeze), backbone=tmp_path / "backbone").train()
        state = load_weights(run / WEIGHTS)[0].state_dict()
        same = all(torch.equal(state[key], value) for key, value in taught.items())
        assert same == freeze


@pytest.mark.parametrize("on", TASKS)
def test_the_pose_networks_front_learns_too(on: TaskName, tmp_path: Path) -> None:
    lines: list[float] = []
    config = replace(QUICK, on=on, backbone="pose", epochs=3)
    Pretrainer(drawn(96), 2, tmp_path, config, make_backbone=pose_backbone).train(
        lambda line: lines.append(line.train_loss)
    )
    assert lines[-1] < lines[0]
    assert read_image(tmp_path / "examples.png").std() > 10.0
    network = PoseNetwork()
    load_pose_backbone(network, tmp_path)
    kept = load_file(tmp_path / BACKBONE)
    assert {name.partition(".")[0] for name in kept} == {"front", "around"}
    assert all(torch.equal(network.state_dict()[name], value) for name, value in kept.items())
    with pytest.raises(InputError, match="holds no features"):
        load_backbone(MobileUNet(), tmp_path)


def test_the_fronts_are_not_mixed_up(tmp_path: Path) -> None:
    trained(tmp_path / "grasp", "pose", epochs=1)
    with pytest.raises(InputError, match="grasp pretrain --backbone pose"):
        load_pose_backbone(PoseNetwork(), tmp_path / "grasp")
    with pytest.raises(InputError, match="backbone was grasp, now pose"):
        Pretrainer(
            drawn(96), 2, tmp_path / "grasp", replace(QUICK, on="pose", epochs=1, backbone="pose"),
            make_backbone=pose_backbone, resume=True,
        )  # fmt: skip


def test_the_front_is_given_views_as_the_pose_network_is_given_pictures() -> None:
    images = drawn(2).images
    as_pictures = pose_backbone().module[0](torch.from_numpy(network_input(images)))
    wanted = scaled(torch.from_numpy(images).permute(0, 3, 1, 2).float())
    assert torch.allclose(as_pictures, wanted, atol=1e-4)
