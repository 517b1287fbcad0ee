"""`dofbot policy domain-gap`: what the change of world costs policies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dofbot_ros.cli.options.desk import chosen_desk
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.cli.policy.options import EPISODES, HOPPER, WorkersOption, processes, refuse
from dofbot_ros.core.console import JsonOption, emit
from dofbot_ros.errors import UsageError, optional_packages

if TYPE_CHECKING:
    from rich.progress import TaskID


def domain_gap(
    *,
    out: Annotated[Path, typer.Option(help="Folder for results, table and chart; a second call goes on there.")],
    task: Annotated[str | None, typer.Option(help="hopper: its policies; else those of the arm.")] = None,
    models: Annotated[
        list[Path] | None, typer.Option("--model", help="A run's folder, as often as wanted; all shipped by default.")
    ] = None,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="Of each policy in each domain; by default 500, 50 of the hopper.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Hopper: train every kind of policy with so many seeds in --out first.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode of each.")] = 0,
    desk: Annotated[
        list[str] | None,
        typer.Option(help="Measure policies on this desk, too: careful, typical, rough, a file; repeatable."),
    ] = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what the change of world costs: policies in source and target, beside their bars, as table and chart."""
    if task == HOPPER:
        refuse({"--desk": desk, "--workers": workers}, "not for the hopper")
        from dofbot_ros.cli.lab.hopper import gap_of_hopper

        _told(gap_of_hopper(out=out, models=models, episodes=episodes, seed=seed, seeds=seeds), as_json)
        return
    if task is not None:
        raise UsageError(f"domain-gap takes --task hopper, or no task for the arm's policies, got {task}")
    refuse({"--seeds": seeds}, "only for --task hopper")
    episodes = episodes or EPISODES
    with optional_packages("learn", "measuring policies"):
        from dofbot_ros.policy.evaluation import domain_gap as gap
    with progress_bar("{task.fields[rate]}") as bar:
        lines: dict[str, TaskID] = {}

        def report(row: str, done: int, succeeded: int) -> None:
            if row not in lines:
                lines[row] = bar.add_task(row, total=episodes, rate="")
            bar.update(lines[row], completed=done, rate=f"{succeeded / done:.1%} succeed")

        result = gap.domain_gap(
            models or gap.shipped_policies(),
            out,
            episodes,
            seed,
            workers=processes(workers),
            desks=[chosen_desk(name, None, 0)[0] for name in desk or []],
            report=report,
        )
    _told(result, as_json)


def _told(result: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        emit(result, as_json, "")
    else:
        typer.echo(Path(result["table"]).read_text(encoding="utf-8"))
