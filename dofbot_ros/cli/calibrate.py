"""`dofbot calibrate ...`: measuring one arm, its cameras and its table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dofbot_ros.cli.checks import one_thread
from dofbot_ros.cli.output import JsonOption, emit

app = typer.Typer(no_args_is_help=True)


@app.callback()
def root() -> None:
    """Calibrate the arm, its cameras and the table; docs/calibration.md says in which order."""


@app.command("bundle")
def bundle(
    data: Annotated[Path, typer.Option(help="Folder with hand_eye_samples.csv.", show_default=False)],
    as_json: JsonOption = False,
    shuffles: Annotated[int, typer.Option(min=1, help="Random partitions of the cross-validation.")] = 5,
) -> None:
    """Fit servos, wrist camera and base height to recorded samples, and cross-validate: rays against tags, in mm."""
    one_thread()
    from dofbot_ros.calibration.real_arm import measure

    emit(measure(data, shuffles), as_json, "Bundle adjustment of a wrist camera")
