"""`dofbot bench pretraining`: what a pretrained backbone is worth where grasps are few."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from dofbot_ros.cli.options.checks import one_thread
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.core.console import JsonOption, console, emit
from dofbot_ros.errors import optional_packages

if TYPE_CHECKING:
    from dofbot_ros.bench.pretraining import Trained


def pretraining(
    *,
    data: Annotated[Path, typer.Option(help="Folder of `dofbot grasp collect --failures`.")],
    out: Annotated[Path, typer.Option(help="Folder for networks, results and chart; a second call goes on there.")],
    backbone: Annotated[
        list[Path], typer.Option(help="A run of `dofbot grasp pretrain`, named by its folder; may be repeated.")
    ],
    grasps: Annotated[
        list[int] | None, typer.Option(min=10, help="To learn from; repeatable; by default 100, 300 and 1000.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each.")] = 3,
    attempts: Annotated[int, typer.Option(min=1, help="Of each network, on held-out families.")] = 500,
    freeze: Annotated[bool, typer.Option("--freeze", help="Leave pretrained backbones as they are.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that carry out grasps.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Train grasp networks on few grasps, with pretrained backbones and without, and measure them."""
    with optional_packages("learn", "training"):
        from dofbot_ros.bench.pretraining import Pretraining, draw

    one_thread()
    bench = Pretraining(data, backbone, grasps or [100, 300, 1000], seeds, attempts, out=out, freeze=freeze)
    with progress_bar("{task.fields[last]}") as bar:
        task = bar.add_task("networks", total=len(bench.wanted), last="")

        def report(row: Trained) -> None:
            said = f"{row.backbone}, {row.grasps} grasps: {row.lifted} of {row.attempts} lifted"
            bar.update(task, advance=1, last=said)

        result = bench.measure(workers, report)
    draw(result["rows"], out / "pretraining.png")
    console.print(f"chart in {out / 'pretraining.png'}", highlight=False, soft_wrap=True)
    if as_json:
        emit(result, True, "")
    else:
        Console().print(_table(result["rows"]))


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("grasps", "backbone", "lifted", "95 %", "seeds from", "to")
    for row in rows:
        low, high = row["interval"]
        shares = (f"{100.0 * row[name]:.1f} %" for name in ("lowest", "highest"))
        interval = f"{100.0 * low:.0f} to {100.0 * high:.0f}"
        table.add_row(str(row["grasps"]), row["backbone"], f"{100.0 * row['success']:.1f} %", interval, *shares)
    return table
