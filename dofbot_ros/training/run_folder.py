"""The folder of a training run: begun once, gone on with under the same configuration, its files whole at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.utils.tensorboard import SummaryWriter

from dofbot_ros.config.loader import load_yaml, save_yaml
from dofbot_ros.core.files import whole_file
from dofbot_ros.core.model_files import load_tensors
from dofbot_ros.errors import InputError

AUTO = "auto"
CONFIG, DRAWS, TENSORBOARD = "train.yaml", "draws.jsonl", "tensorboard"


class RunFolder:
    """One run. Nothing is written before `begin`, so that what is refused leaves no folder.

    Args:
        path: of the folder.
        resume: go on with the run that is there.
        mark: the file by which a run is known.
        config_file: name of the configuration.
        needed: there has to be a run to go on with; otherwise resuming without one begins it.

    Raises:
        InputError: there is a run already, or none to resume.
    """

    def __init__(self, path: Path, *, resume: bool, mark: str, config_file: str = CONFIG, needed: bool = True) -> None:
        self.path, self._config_file = path, config_file
        begun = (path / mark).exists()
        if begun and not resume:
            raise InputError(f"{path} already holds a run: go on with --resume, or take another --out")
        if resume and needed and not begun:
            raise InputError(f"{path / mark} does not exist: nothing to resume; leave out --resume to begin a run")
        self.resumed = begun

    def require_same(self, config: Any, growing: Sequence[str] = ()) -> None:
        """Compare a resumed run's configuration, a dataclass, with `config`; fields that are `growing` may differ.

        Raises:
            InputError: it was begun with another one.
        """
        file = self.path / self._config_file
        if not self.resumed or not file.exists():
            return
        changed = changes(asdict(load_yaml(type(config), file)), asdict(config), growing)
        if changed:
            raise InputError(f"{self.path} was trained with another configuration ({changed}): that is in {file}")

    def begin(self, config: Any = None) -> None:
        """Make the folder, and write its configuration, a dataclass, down."""
        self.path.mkdir(parents=True, exist_ok=True)
        if config is not None:
            save_yaml(config, self.path / self._config_file)

    def board(self) -> SummaryWriter:
        """Where TensorBoard's figures of the run go; to be closed."""
        return SummaryWriter(str(self.path / TENSORBOARD))

    def save(self, name: str, state: Any) -> None:
        """Write tensors in plain containers to the file `name`, whole or not at all."""
        with whole_file(self.path / name) as draft:
            torch.save(state, draft)

    def load(self, name: str, device: Any = "cpu") -> Any:
        """What save() wrote to the file `name`; an empty dict where there is no such file.

        Raises:
            InputError: it holds other objects, or is damaged.
        """
        file = self.path / name
        return load_tensors(file, file, device) if file.exists() else {}


def changes(before: Mapping[str, Any], now: Mapping[str, Any], growing: Sequence[str] = ()) -> str:
    """In words, the settings that differ between two configurations, but for those that are `growing`."""
    names = [name for name in {**before, **now} if before.get(name) != now.get(name) and name not in growing]
    return ", ".join(f"{name} was {before.get(name)}, now {now.get(name)}" for name in names)


def one_core() -> None:
    """Networks of a few hundred thousand weights are slower on several cores than on one: take one from now on."""
    torch.set_num_threads(1)


def training_device(name: str, *, pictures: bool = True) -> torch.device:
    """Where to train: cpu, cuda, cuda:N, or auto: a GPU where there is one.

    Args:
        name: of the device.
        pictures: whether the network sees pictures. Networks from state are small and quicker on a CPU, which `auto`
            takes for them.

    Raises:
        InputError: there is none such.
    """
    if name == AUTO:
        name = "cuda" if pictures and torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return device
