"""Opens files of trained networks: bounded in size, of the expected format, and never by running what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from dofbot_ros.core.files import whole_file
from dofbot_ros.errors import DependencyError, InputError

MAX_MODEL = 512 * 2**20
"""Largest file of a network that is read; the largest of this package has 1 MB [bytes]."""
MAX_CHECKPOINT = 4 * 2**30
"""Largest checkpoint that is read, optimiser and lessons included [bytes]."""


def model_bytes(path: Path, what: str) -> bytes:
    """The content of a network's file.

    Args:
        path: the file.
        what: it should be, in messages: "policy".

    Raises:
        InputError: no such file, or one that no network has the size of.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MODEL + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_MODEL:
        raise InputError(f"{path} is no {what}: it is longer than {MAX_MODEL // 2**20} MB")
    return content


def networks_digest(folder: Path) -> str:
    """What tells the networks of one run from another's: a pipeline has two. The head of the SHA-256 of all.

    Raises:
        InputError: there is no network in `folder`.
    """
    networks = sorted(folder.glob("*.onnx"))
    if not networks:
        raise InputError(f"{folder} holds no policy")
    return hashlib.sha256(b"".join(path.read_bytes() for path in networks)).hexdigest()[:32]


def open_onnx(path: Path, what: str) -> Any:
    """An onnxruntime session on one core.

    It is made from the file's bytes alone: tensors that an ONNX file refers to in other files are not followed.

    Args:
        path: the .onnx file.
        what: it should be, in messages: "policy".

    Raises:
        DependencyError: onnxruntime is not installed.
        InputError: no such file, or no ONNX that can run.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise DependencyError("onnxruntime", "learn", f"running a {what}") from error
    content = model_bytes(path, what)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InputError(f"{path} is no {what}: {first_words(error)}") from error


def load_tensors(source: Path | IO[bytes], where: object, device: Any = "cpu") -> Any:
    """What torch.save wrote, if it is tensors in plain containers; other objects would run code when they are loaded.

    Args:
        source: a path, or an open file.
        where: names the source in messages.
        device: where the tensors go.

    Raises:
        InputError: it holds other objects, is damaged, or is larger than MAX_CHECKPOINT.
    """
    import torch

    if isinstance(source, Path) and source.is_file() and source.stat().st_size > MAX_CHECKPOINT:
        raise InputError(f"{where} is no checkpoint: it is longer than {MAX_CHECKPOINT // 2**30} GB")
    try:
        return torch.load(source, map_location=device, weights_only=True)
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror or error}") from error
    except Exception as error:
        raise InputError(f"{where} is damaged, or holds more than tensors: it is not loaded") from error


def load_safetensors(path: Path, what: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Tensors (torch) by name, and the texts that go with them.

    Raises:
        InputError: no such file, or no safetensors.
    """
    from safetensors import safe_open

    if path.is_file() and path.stat().st_size > MAX_MODEL:
        raise InputError(f"{path} is no {what}: it is longer than {MAX_MODEL // 2**20} MB")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except Exception as error:
        raise InputError(f"{path} is no {what} (safetensors): {first_words(error)}") from error


def save_safetensors(state: Mapping[str, Any], path: Path, texts: Mapping[str, str]) -> None:
    """Write tensors (torch) by name, and texts that go with them, whole or not at all."""
    from safetensors.torch import save_file

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with whole_file(path) as draft:
        save_file(plain, draft, metadata=dict(texts))


def load_state(network: Any, state: Any, where: object) -> None:
    """Put tensors into a torch module.

    Raises:
        InputError: they are those of another network.
    """
    try:
        network.load_state_dict(state)
    except Exception as error:
        raise InputError(f"{where} holds the weights of another network: {first_words(error)}") from error


def matching_state(path: Path, wanted: Mapping[str, Any], what: str, device: Any = "cpu") -> dict[str, Any]:
    """Those tensors (torch) of a file that have the names and shapes of `wanted`.

    Args:
        path: a state dict, .safetensors, or .pth of tensors only.
        wanted: by name.
        what: the file should hold, in messages: "weights of torchvision's mobilenet_v3_small".
        device: where the tensors go.

    Raises:
        InputError: the file cannot be read, or its tensors are others.
    """
    from torch import Tensor

    if path.suffix == ".safetensors":
        state: Any = load_safetensors(path, "backbone")[0]
    else:
        state = load_tensors(path, path, device)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path} is no state dict: tensors by name are expected")
    for name, value in wanted.items():
        if name not in state:
            raise InputError(f"{path} holds no {name}: {what} are expected")
        if state[name].shape != value.shape:
            raise InputError(f"{path}: {name} is {tuple(state[name].shape)}, expected {tuple(value.shape)}")
    return {name: state[name] for name in wanted}


@contextmanager
def taking(where: object) -> Iterator[None]:
    """Around code that takes what was loaded for a checkpoint of its own.

    Raises:
        InputError: it is none; `where` names it.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise InputError(f"{where} is no checkpoint of this kind: {first_words(error)}") from error


def first_words(error: BaseException) -> str:
    """The head of an error's message, on one line."""
    return " ".join(str(error).split())[:200]
