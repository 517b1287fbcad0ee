"""`dofbot bench calibration`: what a calibration finds of errors that it is not told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dofbot_ros.cli.options.checks import one_thread
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.core.console import JsonOption, emit
from dofbot_ros.errors import UsageError


def calibration(
    *,
    as_json: JsonOption = False,
    seeds: Annotated[int, typer.Option(min=1, help="Arms.")] = 20,
    poses: Annotated[int, typer.Option(min=20, help="Of each arm, chosen by the planner.")] = 60,
    first: Annotated[int, typer.Option(min=0, help="Seed, or installation, of the first arm.")] = 0,
    desk: Annotated[
        str | None,
        typer.Option(
            help="careful, typical, rough or a desk file: render what the camera sees of its installations. By default "
            "the errors are of a typical desk, and what is seen is computed."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="With --desk: folder for the calibration files of each; a second call goes on there, and --desk "
            "NAME:FOLDER of other commands tells the software what they hold."
        ),
    ] = None,
) -> None:
    """Calibrate simulated arms with hidden errors: what is found against what is true, median and worst."""
    if (desk is None) != (out is None):
        raise UsageError("--desk and --out go together: --desk typical --out FOLDER")
    if desk is not None:
        from dofbot_ros.desks.config import OWN, load_desk, name_and_told

        load_desk(desk)
        if name_and_told(desk)[1] or desk == OWN:
            raise UsageError(f"--desk {desk}: a desk is wanted whose errors nobody has been told, such as typical")
    one_thread()
    result: dict[str, Any] = {}
    with progress_bar("{task.fields[told]}") as bar:
        task = bar.add_task("arms", total=seeds, told="")
        if desk is not None and out is not None:
            from dofbot_ros.bench.calibrating.simulated import measure as measure_desk

            def at(number: int, pose: int) -> None:
                bar.update(task, told=f"installation {number}, pose {pose}")

            for result in measure_desk(desk, seeds, poses, first=first, folder=out, done=at):
                bar.update(task, advance=1, told=f"{len(result['refused'])} refused")
        else:
            from dofbot_ros.bench.calibrating.calibration import measure

            for result in measure(seeds, poses, first):
                bar.update(task, advance=1, told=f"tool {result['tool_mm']['median']:.2f} mm off")
    emit(result, as_json, "Calibration against hidden truth")
