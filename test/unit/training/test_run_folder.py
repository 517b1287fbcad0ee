"""The folder of a training run: begun once, resumed under the same configuration, whole whenever it is cut short."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("tensorboard")

from dofbot_ros.errors import InputError  # noqa: E402
from dofbot_ros.training.run_folder import CONFIG, RunFolder, training_device  # noqa: E402

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Config:
    steps: int = 10
    width: int = 32


def test_a_run_is_begun_once_and_resumed_where_it_was(tmp_path: Path) -> None:
    first = RunFolder(tmp_path / "run", resume=False, mark=CHECKPOINT)
    assert not first.resumed
    assert not first.path.exists(), "what may still be refused leaves no folder"
    first.begin(Config())
    assert first.load(CHECKPOINT) == {}
    first.save(CHECKPOINT, {"epoch": 3, "weights": torch.ones(2)})
    with pytest.raises(InputError, match="already holds a run: go on with --resume"):
        RunFolder(first.path, resume=False, mark=CHECKPOINT)
    second = RunFolder(first.path, resume=True, mark=CHECKPOINT)
    assert second.resumed
    assert second.load(CHECKPOINT)["epoch"] == 3
    assert {file.name for file in first.path.iterdir()} == {CONFIG, CHECKPOINT}


def test_nothing_to_resume_is_refused_or_begun(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"checkpoint\.pt does not exist: nothing to resume"):
        RunFolder(tmp_path, resume=True, mark=CHECKPOINT)
    assert not RunFolder(tmp_path, resume=True, mark=CHECKPOINT, needed=False).resumed


def test_another_configuration_is_refused_but_for_what_may_grow(tmp_path: Path) -> None:
    RunFolder(tmp_path, resume=False, mark=CONFIG).begin(Config())
    again = RunFolder(tmp_path, resume=True, mark=CONFIG)
    again.require_same(Config(steps=20), growing=("steps",))
    for other in (Config(steps=20), replace(Config(), width=64)):
        with pytest.raises(InputError, match="trained with another configuration"):
            again.require_same(other)


def test_a_device_that_is_not_there_is_told() -> None:
    assert training_device("cpu").type == "cpu"
    with pytest.raises(InputError, match="device 'abacus' cannot be used here"):
        training_device("abacus")


def test_auto_is_a_gpu_for_networks_that_see_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert training_device("auto").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert training_device("auto", pictures=False).type == "cpu"
    wanted = []
    monkeypatch.setattr(torch, "zeros", lambda *_, device: wanted.append(device))
    assert training_device("auto").type == "cuda"
    assert [device.type for device in wanted] == ["cuda"]
