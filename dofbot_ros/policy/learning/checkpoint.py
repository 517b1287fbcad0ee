"""Checkpoints of stable-baselines3 models: written as the library does, read without running anything that they hold.

The library's own load() unpickles parts of a checkpoint, and all of a replay buffer; whoever made the file then decides
what runs. Here a run that goes on builds its model from its configuration, and takes only tensors and counters from the
checkpoint, and only arrays from the buffer.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.save_util import recursive_setattr
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.core.files import whole_file
from dofbot_ros.core.model_files import MAX_MODEL, first_words, load_tensors
from dofbot_ros.errors import InputError

CHECKPOINT, BUFFER, OLD_BUFFER = "checkpoint.zip", "replay.npz", "replay.pkl"

_COUNTERS = ("num_timesteps", "_episode_num", "_n_updates")
_ROWS = ("actions", "rewards", "dones", "timeouts")
_HINDSIGHT_ROWS = ("ep_start", "ep_length")
_OBSERVATIONS = ("observations", "next_observations")


def save_checkpoint(model: BaseAlgorithm, run: Path) -> None:
    """Replace the checkpoint in a run's folder only once the new one is whole."""
    if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None and model.replay_buffer.size():
        with whole_file(run / BUFFER) as draft:
            save_buffer(model, draft)
    with whole_file(run / CHECKPOINT) as draft:
        model.save(draft)


def load_model(model: BaseAlgorithm, path: Path) -> None:
    """Put the weights, the optimisers' state and the counters of a checkpoint into a model that was built anew.

    Raises:
        InputError: no checkpoint, one of another model, or one with objects where tensors belong.
    """
    names, variables = model._get_torch_save_params()
    try:
        with zipfile.ZipFile(path) as archive:
            counters = json.loads(_member(archive, path, "data"))
            states = {name: _tensors(archive, path, f"{name}.pth", model.device) for name in names}
            single = _tensors(archive, path, "pytorch_variables.pth", model.device) if variables else {}
    except (OSError, ValueError, RecursionError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is no checkpoint: {first_words(error)}") from error
    try:
        model.set_parameters(states, exact_match=True, device=model.device)
        for name in variables:
            value = single[name]
            if not isinstance(value, torch.Tensor):
                raise TypeError(f"{name} is no tensor")
            recursive_setattr(model, f"{name}.data", value.data)
    except Exception as error:
        raise InputError(f"{path} holds the weights of another model: {first_words(error)}") from error
    for name in _COUNTERS:
        value = counters.get(name, 0) if isinstance(counters, dict) else None
        if not hasattr(model, name):
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise InputError(f"{path} is no checkpoint: its {name} is no count")
        setattr(model, name, value)


def save_buffer(model: OffPolicyAlgorithm, path: Path) -> None:
    """Write what is in the model's replay buffer as arrays (.npz)."""
    buffer: Any = model.replay_buffer
    size = buffer.size()
    arrays: dict[str, NDArray[Any]] = {name: values[:size] for name, values in _held(buffer).items()}
    arrays["at"] = np.array([buffer.pos, int(buffer.full)])
    if isinstance(buffer, HerReplayBuffer):
        arrays["episode_start"] = buffer._current_ep_start
    with path.open("wb") as file:
        np.savez(file, **arrays)


def load_buffer(model: OffPolicyAlgorithm, path: Path) -> None:
    """Put the arrays of save_buffer() into the model's replay buffer.

    Raises:
        InputError: no such file, or arrays of another buffer.
    """
    buffer: Any = model.replay_buffer
    arrays = load_arrays(path, "replay buffer")
    wanted = _held(buffer)
    size = len(arrays["actions"]) if "actions" in arrays and arrays["actions"].ndim else -1
    for name, held in wanted.items():
        given = arrays.get(name)
        if given is None or given.dtype != held.dtype or given.shape != (size, *held.shape[1:]) or size > len(held):
            raise InputError(f"{path} is no replay buffer of this model: {name} is missing, or is another's")
    capacity = len(buffer.actions)
    at, start = arrays.get("at"), arrays.get("episode_start", np.zeros(buffer.n_envs, np.int64))
    begun = at is not None and at.tolist() == [size, 0]
    wrapped = at is not None and at.shape == (2,) and at[1] == 1 and 0 <= at[0] < size == capacity
    if at is None or not (begun or wrapped):
        raise InputError(f"{path} is no replay buffer of this model: it does not say where it goes on")
    places = [start, *(arrays[name] for name in _HINDSIGHT_ROWS if name in wanted)]
    if start.shape != (buffer.n_envs,) or any(np.any(p < 0) or np.any(p > capacity) for p in places):
        raise InputError(f"{path} is no replay buffer of this model: its episodes are longer than it is")
    for name, held in wanted.items():
        held[:size] = arrays[name]
    buffer.pos, buffer.full = int(at[0]), bool(at[1])
    if isinstance(buffer, HerReplayBuffer):
        buffer._current_ep_start = start.astype(np.int64)
        buffer.truncate_last_trajectory()


def _held(buffer: Any) -> dict[str, NDArray[Any]]:
    """The buffer's arrays by name; observations of several parts have a name each."""
    rows = _ROWS + (_HINDSIGHT_ROWS if isinstance(buffer, HerReplayBuffer) else ())
    held: dict[str, NDArray[Any]] = {name: getattr(buffer, name) for name in rows}
    for group in _OBSERVATIONS:
        values = getattr(buffer, group)
        held |= {f"{group}.{n}": part for n, part in values.items()} if isinstance(values, dict) else {group: values}
    return held


def _tensors(archive: zipfile.ZipFile, path: Path, name: str, device: torch.device) -> Any:
    return load_tensors(io.BytesIO(_member(archive, path, name)), f"{name} of {path}", device)


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    if name not in archive.namelist():
        raise InputError(f"{path} is no checkpoint of this model: it holds no {name}")
    if archive.getinfo(name).file_size > MAX_MODEL:
        raise InputError(f"{path} is no checkpoint: its {name} is longer than {MAX_MODEL // 2**20} MB")
    return archive.read(name)
