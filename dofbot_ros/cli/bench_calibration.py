"""`dofbot bench calibration`: what a calibration finds of errors that it is not told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dofbot_ros.cli.options.checks import one_thread
from dofbot_ros.core.console import JsonOption, emit
from dofbot_ros.core.progress import progress_bar


def calibration(
    as_json: JsonOption = False,
    seeds: Annotated[int, typer.Option(min=1, help="Arms with the hidden errors of a typical desk.")] = 20,
    poses: Annotated[int, typer.Option(min=5, help="Of the arm, chosen by the planner.")] = 60,
    first: Annotated[int, typer.Option(min=0, help="Seed of the first arm.")] = 0,
    rendered: Annotated[
        Path | None, typer.Option(help="Render the pictures of one arm and detect its markers; session file to write.")
    ] = None,
) -> None:
    """Calibrate simulated arms with hidden errors: what is found against what is true, median and worst."""
    one_thread()
    result: dict[str, Any] = {}
    with progress_bar("{task.fields[tool]}") as bar:
        if rendered is not None:
            from dofbot_ros.bench.calibrating.simulated import measure as measure_one

            one = bar.add_task("poses", total=poses, tool="")
            result = measure_one(first, poses, rendered, lambda n: bar.update(one, completed=n, total=max(poses, n)))
        else:
            from dofbot_ros.bench.calibrating.calibration import measure

            task = bar.add_task("arms", total=seeds, tool="")
            for result in measure(seeds, poses, first):
                bar.update(task, advance=1, tool=f"tool {result['tool_mm']['median']:.2f} mm off")
    emit(result, as_json, "Calibration against hidden truth")
