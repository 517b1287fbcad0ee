"""`dofbot bench desks`: what the jobs of the arm achieve on desks whose errors the software is not told."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.cli.options.state_file import StateFileOption
from dofbot_ros.core.console import JsonOption, console, emit
from dofbot_ros.errors import UsageError

if TYPE_CHECKING:
    from dofbot_ros.bench.desks.jobs import Outcome


class Part(str, Enum):
    """What bears a desk's errors."""

    trim = "trim"
    tolerance = "tolerance"
    sight = "sight"


def desks(
    *,
    desk: Annotated[
        list[str] | None,
        typer.Option(
            help="own, careful, typical, rough, or a desk file; typical:calibrated is told what a calibration without "
            "error finds. May be repeated; by default all of these."
        ),
    ] = None,
    job: Annotated[
        list[str] | None,
        typer.Option(help="What is done, such as demo or 'policy state'; may be repeated, by default all."),
    ] = None,
    trials: Annotated[
        int, typer.Option(min=1, help="Of each job on each desk, each on an installation of its own.")
    ] = 40,
    seed: Annotated[int, typer.Option(min=0, help="Of the installations and scenes.")] = 0,
    without: Annotated[
        list[Part] | None,
        typer.Option(help="Leave out part of what bears errors, to see its worth; demo, and sight of grasps."),
    ] = None,
    state: StateFileOption = None,
    done_only: Annotated[
        bool, typer.Option("--done-only", help="Run nothing: sum up what the file of --state-file holds.")
    ] = False,
    chart: Annotated[
        Path | None, typer.Option(help="Draw the figures of this call: a .png, .svg or .pdf.", dir_okay=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the jobs of the arm on desks with the errors of real ones, without ROS: success, interval, causes."""
    from dofbot_ros.bench.desks.chart import check_format, draw_ladder
    from dofbot_ros.bench.desks.jobs import JOBS, Ablation
    from dofbot_ros.bench.desks.run import measure
    from dofbot_ros.desks.config import NAMES

    if chart is not None:
        check_format(chart)
    if done_only and (state is None or not state.exists()):
        raise UsageError("--done-only sums up the file of --state-file: name one that is there")
    left = Ablation(**{part.value: False for part in without or []})
    with progress_bar("{task.fields[last]}") as bar:
        task = bar.add_task("desks", total=None, last="")

        def report(outcome: Outcome | None, total: int) -> None:
            bar.update(task, total=total)
            if outcome is not None:
                word = "done" if outcome.success else outcome.cause or "failed"
                bar.update(task, advance=1, last=escape(f"{outcome.world} {outcome.job} {outcome.number}: {word}"))

        result = measure(
            desk or [*NAMES[:-1], "typical:calibrated", NAMES[-1]],
            job or list(JOBS),
            trials,
            seed=seed,
            path=state,
            ablation=left,
            done_only=done_only,
            report=report,
        )
    if chart is not None:
        draw_ladder(result["rows"], chart)
        console.print(f"chart in {escape(str(chart))}", highlight=False)
    if as_json:
        emit(result, True, "")
        return
    Console().print(_table(result["rows"]))
    if state is not None:
        console.print(f"{escape(str(state))} holds every trial", highlight=False)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("world", "job", "n", "success", "95 %", "first", "error mm", "seen off mm", "causes")
    for row in rows:
        low, high = row["interval"]
        table.add_row(
            row["world"],
            row["job"],
            str(row["n"]),
            f"{100 * row['success']:.1f} %",
            f"{100 * low:.0f} to {100 * high:.0f}",
            f"{100 * row['first_attempt']:.0f} %",
            *(_two(row[name]) for name in ("error_mm", "seen_off_mm")),
            ", ".join(f"{cause} {count}" for cause, count in row["causes"].items()),
        )
    return table


def _two(spread: dict[str, float | None]) -> str:
    return "-" if spread["median"] is None else f"{spread['median']:.1f}, {spread['p95']:.1f}"
