"""`dofbot demo`: the main job, over and over: find a block in the camera image, take it, put it where it belongs."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from dofbot_ros.cli.options.desk import DeskOption, DeskSeedOption, chosen_desk, told_of
from dofbot_ros.cli.options.view import ViewOption, console_beside
from dofbot_ros.core.console import JsonOption, console, emit

if TYPE_CHECKING:
    from dofbot_ros.trials.place import PlaceRecord
    from dofbot_ros.trials.results import Series


class Backend(str, Enum):
    """What stands behind the ROS interface."""

    sim = "sim"
    emulator = "emulator"


def demo(
    *,
    trials: Annotated[int, typer.Option(min=1, help="How many trials the series has.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the scenes and the targets.")] = 0,
    out: Annotated[
        Path, typer.Option(help="Folder of report.html, results.json and pictures; trials that are there are kept.")
    ] = Path("demo"),
    backend: Annotated[
        Backend,
        typer.Option(help="sim: the simulated arm; emulator: the same behind driver_node and an emulated servo bus."),
    ] = Backend.sim,
    rtf: Annotated[
        float, typer.Option(min=0, help="Simulated seconds a second, sim only; 0: as fast as possible.")
    ] = 2.0,
    desk: DeskOption = "own",
    desk_seed: DeskSeedOption = None,
    view: ViewOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run trials of finding, grasping and placing a block in simulation, through the interface of the real arm.

    Starts the demo stack in a ROS domain of its own and ends it again. Interrupted by Ctrl-C, the same command goes on
    where it was.
    """
    from dofbot_ros.cli.options.trial_bar import interruptible
    from dofbot_ros.trials.reporting.report import report_places
    from dofbot_ros.trials.results import Series, load

    where, number = chosen_desk(desk, desk_seed, seed)
    series = Series(seed, backend.value, desk=where, desk_seed=number)
    out.mkdir(parents=True, exist_ok=True)
    load(out, series)  # a folder that cannot be used is told before anything starts
    try:
        with interruptible(out):
            _run(series, trials, out, rtf, view)
    finally:
        figures = report_places(out, load(out, series).first(trials))
    emit(figures, as_json, "Finding, grasping and placing a block")


def _run(series: Series, trials: int, out: Path, rtf: float, view: bool) -> None:
    """Run what is missing, with a progress bar and a line for each trial."""
    from dofbot_ros.arm.robot import load_robot
    from dofbot_ros.cli.options.trial_bar import TrialBar
    from dofbot_ros.ros.clients.trial_client import trial_client
    from dofbot_ros.ros.runtime.managed_stack import WORLD_NODES, managed_stack
    from dofbot_ros.trials.results import load
    from dofbot_ros.trials.runner import run_series
    from dofbot_ros.vision.cameras.identity import require_same_camera
    from dofbot_ros.vision.markers.block_layout import load_blocks

    done = len(load(out, series).first(trials).trials)
    if done == trials:
        console.print(f"{escape(str(out))} holds all {trials} trials")
        return
    told = told_of(series.desk, series.desk_seed, out / "belief")
    given = {"rtf": str(rtf), **told}
    with (
        TrialBar("starting the demo stack", done, trials) as bar,
        managed_stack("demo", series.backend, given) as check,
        console_beside(view, series=(out, trials)),
        trial_client(WORLD_NODES[series.backend], check) as arm,
    ):
        require_same_camera(out, arm.camera(), begun=done > 0)
        bar.describe("trials")

        def after_trial(record: PlaceRecord) -> None:
            bar.advance(_line(record))

        robot, blocks = load_robot(told.get("calibration_file", "")), load_blocks(told.get("blocks_file") or None)
        run_series(arm, robot, blocks, series, trials=trials, out=out, after_trial=after_trial)


def _line(record: PlaceRecord) -> str:
    marks: dict[bool | None, str] = {True: "[green]placed[/green]", False: "[red]not placed[/red]", None: "not judged"}
    parts: list[Any] = [f"trial {record.number:3}  {record.block or '-':7} {marks[record.placed]}"]
    if record.error_mm is not None:
        parts.append(f"{record.error_mm:.1f} mm off")
    if record.cycle_s is not None:
        parts.append(f"{record.cycle_s:.1f} s")
    if record.setbacks:
        parts.append(f"{record.attempts} attempts ({escape('; '.join(record.setbacks))})")
    if record.cause and record.cause != record.reason:
        parts.append(escape(record.cause))
    if record.reason:
        parts.append(escape(record.reason))
    return ", ".join(parts)
