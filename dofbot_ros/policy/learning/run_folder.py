"""A training's folder: claimed once, gone on with by the same configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.errors import InputError
from dofbot_ros.policy.learning.checkpoint import CHECKPOINT

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CONFIG, DRAWS = "train.yaml", "draws.jsonl"


def claim_run(
    config: DataclassInstance, run: Path, resume: bool, *, may_grow: Sequence[str], checkpoint: str = CHECKPOINT
) -> None:
    """Check that a training may write into `run`.

    Args:
        config: of the training, as it is kept in `run`/train.yaml.
        run: its folder.
        resume: go on with what is there.
        may_grow: names of what a resumed training may have more of.
        checkpoint: name of the file from which it goes on.

    Raises:
        InputError: the run already exists, is not there to go on with, or was configured differently.
    """
    if not resume:
        if (run / checkpoint).exists():
            raise InputError(f"{run} already holds a run: go on with --resume, or take another --out")
        return
    if not (run / checkpoint).exists():
        raise InputError(f"{run / checkpoint} does not exist: nothing to resume; leave out --resume to begin a run")
    before, now = asdict(load_yaml(type(config), run / CONFIG)), asdict(config)
    changed = [f"{k} was {before[k]}, now {now[k]}" for k in now if before[k] != now[k] and k not in may_grow]
    if changed:
        words = ", ".join(changed)
        raise InputError(f"{run} was trained with another configuration ({words}): that is in {run / CONFIG}")


def check_device(name: str) -> None:
    """Prepare torch for networks of this size, on one core.

    Raises:
        InputError: there is no such device.
    """
    # They run slower on several cores than on one.
    torch.set_num_threads(1)
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} cannot be used here: {str(error).splitlines()[0]}") from error
