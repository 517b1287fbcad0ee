"""What has to be known of a hopper policy to run it: what it sees, where and how it learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.spec import SPEC

TASK, ACTIONS = "hopper", 3

MEMORY = "memory"
"""Name of the input for what a network carries from period to period; its second output is the next one."""


@dataclass(frozen=True)
class HopperSpec:
    """Beside policy.onnx in a run's folder.

    Attributes:
        task: hopper.
        obs: state, pipeline or image.
        history: frames that a policy from pictures sees; 1 from state.
        training: algorithm, domain, level, seed, steps, commit.
    """

    task: Literal["hopper"] = "hopper"
    obs: Literal["state", "pipeline", "image"] = "state"
    history: int = 1
    training: dict[str, str] = field(default_factory=dict)


def load_hopper_spec(folder: Path) -> HopperSpec:
    """The spec of a policy's folder.

    Raises:
        InputError: there is none.
        ConfigError: it is of another task, or damaged.
    """
    path = folder / SPEC
    if not path.exists():
        raise InputError(f"{path} does not exist: a folder is needed that `dofbot policy train --task hopper` wrote")
    return load_yaml(HopperSpec, path)
