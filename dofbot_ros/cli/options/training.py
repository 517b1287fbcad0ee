"""The options that commands which train have in common, and how they go over a configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from dofbot_ros.cli.options.checks import device_name

ConfigOption = Annotated[Path | None, typer.Option(help="YAML; by default config/grasp.yaml, grasp_ranker.yaml.")]
EpochsOption = Annotated[int | None, typer.Option(min=1, help="Instead of the configuration's.")]
TrainSeedOption = Annotated[int | None, typer.Option(min=0, help="Instead of the configuration's.")]
DeviceOption = Annotated[
    str,
    typer.Option(callback=device_name, help="cpu, cuda or cuda:N; auto: a GPU where there is one and it is quicker."),
]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with the training that was interrupted.")]

Settings = TypeVar("Settings")


def settings_of(kind: type[Settings], name: str, config: Path | None, given: Mapping[str, Any]) -> Settings:
    """The settings of a training.

    Args:
        kind: their dataclass.
        name: of the shipped file in config/.
        config: a file to take instead.
        given: fields that the command line sets; None leaves the file's.
    """
    from dofbot_ros.config.loader import load_yaml
    from dofbot_ros.core.resources import share_file

    changed: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    loaded: Any = load_yaml(kind, config or share_file("config", name))
    settings: Settings = replace(loaded, **changed)
    return settings
