"""What a pretrained backbone is worth: every backbone at every number of grasps, resumable, and drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pybullet")

from dofbot_ros.bench import pretraining
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.network import BACKBONE, MobileUNet
from dofbot_ros.grasp.learning.dataset import TRAIN_FILE, VAL_FILE, GraspData, save
from dofbot_ros.vision.cameras.frame_files import read_image


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Grasps of which every second held."""
    rng = np.random.default_rng(0)
    n = 40
    folder = tmp_path / "data"
    folder.mkdir()
    made = GraspData(
        rng.integers(0, 255, (n, 64, 64, 3), dtype=np.uint8),
        np.stack([rng.integers(0, 64, n), rng.integers(0, 64, n), rng.integers(0, 8, n)], axis=1),
        np.arange(n) % 2 == 1,
        np.full(n, "bar"),
        {"rotations": 8},
    )
    for name in (TRAIN_FILE, VAL_FILE):
        save(made, folder / name)
    return folder


@pytest.fixture
def backbone(tmp_path: Path) -> Path:
    from dofbot_ros.core.model_files import save_safetensors

    folder = tmp_path / "taught"
    folder.mkdir()
    state = {f"features.{name}": value for name, value in MobileUNet().features.state_dict().items()}
    save_safetensors(state, folder / BACKBONE, {})
    return folder


@pytest.mark.slow
def test_every_front_is_measured_at_every_number_of_grasps_once(
    data: Path, backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretraining, "STEPS", 1)
    told: list[pretraining.Trained] = []

    def measure(seeds: int) -> dict[str, Any]:
        told.clear()
        bench = pretraining.Pretraining(data, [backbone], [10], seeds, 1, out=tmp_path / "out")
        return bench.measure(report=told.append)

    rows = measure(1)["rows"]
    assert [(row["backbone"], row["grasps"], row["seeds"]) for row in rows] == [("none", 10, 1), ("taught", 10, 1)]
    assert all(0.0 <= row["interval"][0] <= row["success"] <= row["interval"][1] <= 1.0 for row in rows)

    def unasked(*_: object, **__: object) -> None:
        raise AssertionError("trained a second time")

    monkeypatch.setattr(pretraining, "Trainer", unasked)
    assert measure(1)["rows"] == rows
    assert len(told) == 2
    drawn = [replace(told[0], grasps=grasps, lifted=grasps // 40, attempts=30) for grasps in (100, 300, 1000)]
    pretraining.draw([pretraining._row([row]) for row in drawn], tmp_path / "chart.png")
    assert read_image(tmp_path / "chart.png").std() > 10.0


def test_what_is_not_there_is_told_before_anything_is_trained(data: Path, backbone: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds 20 grasps that held, 30 asked for"):
        pretraining.Pretraining(data, [backbone], [30], 1, 1, out=tmp_path / "out")
    with pytest.raises(InputError, match="the same name"):
        pretraining.Pretraining(data, [backbone, backbone], [10], 1, 1, out=tmp_path / "out")
    with pytest.raises(InputError, match="nothing"):
        pretraining.Pretraining(data, [backbone, tmp_path / "nothing"], [10], 1, 1, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
