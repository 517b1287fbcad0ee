"""A MediaPipe without models in its wheel: where model files are looked for, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.teleop.config import MODES, Mode, TeleopConfig
from dofbot_ros.teleop.input.model_files import HAND_MODEL, MODELS, ModelFile, find_model, model_folder


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_found_in_the_folder_or_where_it_is_named(model: ModelFile, tmp_path: Path) -> None:
    (tmp_path / model.name).touch()
    assert find_model(model, folder=tmp_path) == tmp_path / model.name
    assert find_model(model, str(tmp_path / model.name), tmp_path / "elsewhere") == tmp_path / model.name


@pytest.mark.parametrize("model", MODELS)
def test_an_absent_model_is_one_line_with_its_address_and_its_place(model: ModelFile, tmp_path: Path) -> None:
    with pytest.raises(InputError) as told:
        find_model(model, folder=tmp_path)
    line = str(told.value)
    assert "\n" not in line
    assert f"-o {tmp_path / model.name} {model.url}" in line
    assert model.setting in line
    with pytest.raises(InputError, match=f"{model.setting}: no model file {tmp_path}/mine.task"):
        find_model(model, f"{tmp_path}/mine.task")


def test_the_folder_is_the_users() -> None:
    assert model_folder({"XDG_DATA_HOME": "/data"}) == Path("/data/dofbot_ros/mediapipe")
    assert model_folder({}) == Path.home() / ".local/share/dofbot_ros/mediapipe"


@pytest.mark.parametrize("mode", MODES)
def test_a_mediapipe_without_models_says_what_it_needs(
    mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As from 0.10.30 on, which have the Tasks API alone."""
    mediapipe = pytest.importorskip("mediapipe", reason="mediapipe is an extra: pip install 'dofbot_ros[teleop]'")
    from dofbot_ros.teleop.input.mediapipe_detector import MediapipeDetector

    monkeypatch.delattr(mediapipe, "solutions", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(InputError, match=HAND_MODEL.name):
        MediapipeDetector(TeleopConfig(mode=mode))
    (model_folder() / HAND_MODEL.name).parent.mkdir(parents=True)
    (model_folder() / HAND_MODEL.name).write_bytes(b"not a model")
    with pytest.raises(InputError, match="is no model for MediaPipe's HandLandmarker"):
        MediapipeDetector(TeleopConfig(mode=mode))
