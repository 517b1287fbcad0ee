"""A trained network as files: safetensors with its description inside, and ONNX for machines without torch."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.config.loader import from_mapping
from dofbot_ros.core.model_files import first_words, load_safetensors, load_state, open_onnx, save_safetensors
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.crop import CHANNELS, SIZE, Inputs
from dofbot_ros.grasp.detection.network_config import NetworkConfig
from dofbot_ros.grasp.detection.normalise import network_input
from dofbot_ros.grasp.detection.view import TopDownView

Logits = NDArray[np.float32]
"""Of every view, rotation and pixel, (n, rotations, size, size)."""

WEIGHTS, ONNX = "model.safetensors", "model.onnx"

RANKER_WEIGHTS, RANKER_ONNX = "ranker.safetensors", "ranker.onnx"
"""The ranking network's, beside those of the map's network."""


@dataclass(frozen=True)
class ModelInfo:
    """What has to be known of a network to use it.

    Attributes:
        network: its shape.
        view: what it looks at.
        data: how its training data were made.
        training: how it was trained.
    """

    network: NetworkConfig
    view: TopDownView
    data: dict[str, Any]
    training: dict[str, Any]


class Ranker(Protocol):
    """A ranking network that is ready to use."""

    def logits(self, close_ups: Inputs) -> NDArray[np.float32]:
        """Logits (n,) of grasps that close_up.close_ups shows."""
        ...


class GraspModel(Protocol):
    """A network that is ready to use."""

    info: ModelInfo
    ranker: Ranker | None

    def logits(self, images: ImageArray) -> Logits:
        """Grasp logits (n, rotations, size, size) of views, RGB (n, size, size, 3)."""
        ...


class OnnxRanker:
    """A ranking network run by onnxruntime on one core.

    Args:
        path: an .onnx file that `export_ranker` wrote.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._session = path, open_onnx(path, "ranking network")

    def logits(self, close_ups: Inputs) -> NDArray[np.float32]:
        """Logits (n,) of grasps that close_up.close_ups shows.

        Raises:
            InputError: the network answers something else, or numbers that are not finite.
        """
        return _run(self._session, self._path, {"close_ups": close_ups}, (len(close_ups),))


class OnnxModel:
    """A network run by onnxruntime on one core, and the ranking network where one lies beside it.

    Args:
        path: an .onnx file that `export_onnx` wrote.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._session = path, open_onnx(path, "grasp network")
        beside = path.with_name(RANKER_ONNX)
        self.ranker: Ranker | None = OnnxRanker(beside) if beside.exists() else None
        described = self._session.get_modelmeta().custom_metadata_map.get("info")
        if described is None:
            raise InputError(f"{path} holds no description of its view: `dofbot grasp train` writes one")
        self.info = _info(described, path)

    def logits(self, images: ImageArray) -> Logits:
        """Grasp logits (n, rotations, size, size) of views, RGB (n, size, size, 3).

        Raises:
            InputError: the views have another size, or the network answers something else than logits, or numbers that
                are not finite.
        """
        size = self.info.view.size
        if images.shape[1:] != (size, size, 3):
            raise InputError(f"this network takes views of {size}x{size} pixels in colour, got {images.shape[1:]}")
        shape = (len(images), self.info.network.rotations, size, size)
        return _run(self._session, self._path, {"view": network_input(images)}, shape)


def _run(session: Any, path: Path, given: dict[str, NDArray[Any]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The one output of a network; it must have `shape` and be finite."""
    try:
        answer = np.asarray(session.run(None, given)[0], np.float32)
    except Exception as error:  # onnxruntime's own kinds, of which it exports none
        raise InputError(f"{path} does not take what grasp networks take: {first_words(error)}") from error
    if answer.shape != shape:
        raise InputError(f"{path} answers {answer.shape}, a grasp network of its kind answers {shape}")
    if not np.isfinite(answer).all():
        raise InputError(f"{path} answers numbers that are not finite: are its weights damaged?")
    return answer


def load_model(run: Path | None = None) -> OnnxModel:
    """The network of a training run's folder, or of an .onnx file; without an argument the shipped one.

    Raises:
        InputError: there is none.
    """
    return OnnxModel(_onnx_file(run or shipped_model()))


def shipped_model() -> Path:
    """The file of the network that comes with this package."""
    return share_file("models", "grasp", ONNX)


def digest(run: Path) -> str:
    """What tells one network from another: the head of the SHA-256 of its files."""
    network = _onnx_file(run)
    ranker = network.with_name(RANKER_ONNX)
    return hashlib.sha256(network.read_bytes() + (ranker.read_bytes() if ranker.exists() else b"")).hexdigest()[:16]


def _onnx_file(run: Path) -> Path:
    path = run / ONNX if run.is_dir() else run
    if not path.exists():
        raise InputError(f"{path} does not exist: --model takes a folder that `dofbot grasp train` wrote")
    return path


def save_weights(network: Any, info: ModelInfo, path: Path) -> None:
    """Write a network's tensors and its description as safetensors."""
    save_safetensors(network.state_dict(), path, {"info": json.dumps(asdict(info))})


def load_weights(path: Path) -> tuple[Any, ModelInfo]:
    """The network (torch, in eval mode) and its description that save_weights wrote."""
    from dofbot_ros.grasp.detection.network import MobileUNet

    state, texts = load_safetensors(path, "grasp network")
    described = texts.get("info")
    if described is None:
        raise InputError(f"{path} holds no description of its network: `dofbot grasp train` writes one")
    info = _info(described, path)
    network = MobileUNet(info.network)
    load_state(network, state, path)
    return network.eval(), info


def export_onnx(network: Any, info: ModelInfo, path: Path) -> None:
    """Write a network, in eval mode, for onnxruntime; its description goes with it."""
    import onnx
    import torch

    _export(network, torch.zeros(1, 3, info.view.size, info.view.size), path, "view")
    model = onnx.load(str(path))
    entry = model.metadata_props.add()
    entry.key, entry.value = "info", json.dumps(asdict(info))
    onnx.save(model, str(path))


def save_ranker(network: Any, config: Any, path: Path) -> None:
    """Write a ranking network's tensors and how it was trained (a dataclass) as safetensors."""
    save_safetensors(network.state_dict(), path, {"config": json.dumps(asdict(config))})


def load_ranker(path: Path) -> Any:
    """The ranking network (torch, in eval mode) that save_ranker wrote."""
    from dofbot_ros.grasp.detection.ranker import GraspRanker, RankerConfig

    state, texts = load_safetensors(path, "ranking network")
    network = GraspRanker(from_mapping(RankerConfig, _described(texts.get("config", "{}"), path), str(path)))
    load_state(network, state, path)
    return network.eval()


def export_ranker(network: Any, path: Path) -> None:
    """Write a ranking network, in eval mode, for onnxruntime."""
    import torch

    _export(network, torch.zeros(1, CHANNELS, SIZE, SIZE), path, "close_ups")


def _export(network: Any, shown: Any, path: Path, name: str) -> None:
    """Write a network whose input `name` looks as `shown`, any number of them at once, and whose output are logits."""
    import torch

    with warnings.catch_warnings():
        # The tracer warns of each numpy value that it takes for a constant: the place of the cells, which is one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (shown,),
            str(path),
            input_names=[name],
            output_names=["logits"],
            dynamic_axes={name: {0: "n"}, "logits": {0: "n"}},
            opset_version=17,
            dynamo=False,
        )


def _info(described: str, path: Path) -> ModelInfo:
    return from_mapping(ModelInfo, _described(described, path), str(path))


def _described(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} describes itself in no JSON: {first_words(error)}") from error
