"""The .task files that MediaPipe needs from 0.10.30 on, when its wheel holds no models: their addresses and places."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dofbot_ros.errors import InputError

GOOGLE = "https://storage.googleapis.com/mediapipe-models"


@dataclass(frozen=True)
class ModelFile:
    """A .task file of MediaPipe's Tasks API.

    Attributes:
        name: of the file.
        url: where Google serves it.
        setting: the parameter of config/teleop.yaml that names another place.
        what: it finds.
    """

    name: str
    url: str
    setting: str
    what: str


HAND_MODEL = ModelFile(
    "hand_landmarker.task",
    f"{GOOGLE}/hand_landmarker/hand_landmarker/float16/1/hand_landmarker.task",
    "camera.hand_model",
    "hands",
)
BODY_MODEL = ModelFile(
    "pose_landmarker_full.task",
    f"{GOOGLE}/pose_landmarker/pose_landmarker_full/float16/1/pose_landmarker_full.task",
    "camera.body_model",
    "bodies",
)
MODELS = (HAND_MODEL, BODY_MODEL)


def brings_models(version: str) -> bool:
    """Whether the wheel of this version of MediaPipe holds its models; 0.10.21 is the last that does."""
    return tuple(int(number) for number in version.split(".")[:3]) <= (0, 10, 21)


def model_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that is searched: $XDG_DATA_HOME/dofbot_ros/mediapipe, by default below ~/.local/share."""
    data = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "dofbot_ros" / "mediapipe"


def find_model(model: ModelFile, named: str = "", folder: Path | None = None) -> Path:
    """The file of a model.

    Args:
        model: which one.
        named: path from the configuration; "" searches `folder`.
        folder: where it is searched; None is `model_folder()`.

    Raises:
        InputError: it is not there; the message names its address and the place where it belongs.
    """
    path = Path(named).expanduser() if named else (folder or model_folder()) / model.name
    if path.is_file():
        return path
    if named:
        raise InputError(f"{model.setting}: no model file {path}; MediaPipe's is at {model.url}")
    raise InputError(
        f"this MediaPipe brings no models, and finding {model.what} needs {model.name}: "
        f"{how_to_get(model, path.parent)}, or name the file in {model.setting}"
    )


def how_to_get(model: ModelFile, folder: Path) -> str:
    """The command that downloads a model to where it is searched."""
    return f"curl --create-dirs -o {folder / model.name} {model.url}"
