"""The options that commands which train have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[Path | None, typer.Option(help="YAML; by default config/grasp.yaml, grasp_ranker.yaml.")]
EpochsOption = Annotated[int | None, typer.Option(min=1, help="Instead of the configuration's.")]
TrainSeedOption = Annotated[int | None, typer.Option(min=0, help="Instead of the configuration's.")]
DeviceOption = Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with the training that was interrupted.")]
