"""`dofbot analyze live|prune`: watch a network learn; what is left of it when it is pruned."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dofbot_ros.cli.analysis.options import SeedOption
from dofbot_ros.cli.options.checks import from_options
from dofbot_ros.cli.options.progress import progress_bar
from dofbot_ros.core.console import JsonOption, console, emit
from dofbot_ros.errors import InputError, UsageError, optional_packages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dofbot_ros.lab.live.recorder import Frame

PACE_S = 1 / 30
"""Frames are served no faster than people see them [s]."""

DataOption = Annotated[str, typer.Option(help="xor, spiral, circle, or a CSV whose last column is 0 or 1.")]
ActivationOption = Annotated[str, typer.Option(help="tanh or relu.")]


def live(
    *,
    data: DataOption = "xor",
    layers: Annotated[str, typer.Option(help="Units of each layer: inputs, hidden ones, one output.")] = "2,5,5,5,5,1",
    activation: ActivationOption = "tanh",
    steps: Annotated[int, typer.Option(min=1, help="Of Adam, each on all points.")] = 300,
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=10.0, help="Of Adam.")] = 0.02,
    frames: Annotated[int, typer.Option(min=2, max=2000, help="Evenly over the steps.")] = 75,
    sample: Annotated[int | None, typer.Option(min=0, help="Whose activations the links of a GIF carry.")] = None,
    seed: SeedOption = 0,
    out: Annotated[Path | None, typer.Option(help="F.gif or F.html; the page plays, pauses, steps.")] = None,
    window: Annotated[bool, typer.Option("--window", help="In a window: space, arrows, s for the sample, q.")] = False,
    serve: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of this machine for a browser; 0 for any.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Watch a small network learn: its weights, activations and what each neuron answers over the plane."""
    with optional_packages("learn", "watching a network learn"):
        from dofbot_ros.lab.live.data_sets import load_data_set
        from dofbot_ros.lab.live.film import write_gif
        from dofbot_ros.lab.live.learner import LearnConfig, learn
        from dofbot_ros.lab.live.page import write_page
    if out is None and not window and serve is None:
        raise UsageError("say where to watch: --out F.gif, --out F.html, --window or --serve PORT")
    if out is not None and out.suffix not in (".gif", ".html"):
        raise UsageError(f"--out ends in .gif or .html, got {out}")
    points = load_data_set(data, seed=seed)
    with from_options():
        config = LearnConfig(_layers(layers), activation, steps, learning_rate, frames, seed)  # type: ignore[arg-type]
    if sample is not None and sample >= min(config.watched, len(points)):
        raise UsageError(f"--sample is one of the {min(config.watched, len(points))} that are watched, got {sample}")
    title = f"{points.name}, {layers}, seed {seed}"
    coming = learn(points, config)
    if window:
        from dofbot_ros.lab.live.window import play

        seen = play(coming, title)
    elif serve is not None:
        seen = _serve(coming, serve, title, config.frames)
    else:
        seen = _collect(coming, config.frames)
    result: dict[str, Any] = {"steps": seen[-1].step, "loss": seen[-1].loss, "right": seen[-1].score}
    if out is not None:
        size = write_page(seen, out, title) if out.suffix == ".html" else write_gif(seen, out, title, sample)
        result |= {"file": str(out), "bytes": size}
    emit(result, as_json, title)


def prune(
    *,
    data: DataOption = "spiral",
    layers: Annotated[str, typer.Option(help="Units of each layer: inputs, hidden ones, one output.")] = "2,48,48,1",
    rounds: Annotated[int, typer.Option(min=1, max=10, help="Each takes away half of the links that are left.")] = 6,
    steps: Annotated[int, typer.Option(min=1, help="Of Adam in each training.")] = 400,
    seeds: Annotated[int, typer.Option(min=2, max=50, help="Networks, side by side.")] = 5,
    seed: SeedOption = 0,
    out: Annotated[Path, typer.Option(help="Folder of the chart; nothing in it is overwritten.")] = Path("analysis"),
    as_json: JsonOption = False,
) -> None:
    """Measure the lottery ticket: accuracy against the share of links left, four ways to go on from them."""
    with optional_packages("learn", "pruning"):
        from dofbot_ros.lab.live.data_sets import load_data_set
        from dofbot_ros.lab.live.prune import PruneConfig, prune_network, write_chart
    config = PruneConfig(_layers(layers), rounds, steps, seeds, seed)
    points = load_data_set(data, 1000, seed)
    with progress_bar("{task.fields[left]}") as bar:
        line = bar.add_task("trainings", total=rounds + 1, left="")
        result = prune_network(
            points, config, lambda done, left: bar.update(line, completed=done, left=f"{left:.1%} of the links left")
        )
    emit({**result, "picture": str(write_chart(result, out))}, as_json, f"Accuracy on held-out points of {points.name}")


def _layers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--layers are whole numbers with commas: 2,5,5,1; got {text!r}") from error


def _collect(coming: Iterator[Frame], total: int) -> list[Frame]:
    seen: list[Frame] = []
    with progress_bar("{task.fields[loss]}") as bar:
        line = bar.add_task("frames", total=total, loss="")
        for frame in coming:
            seen.append(frame)
            bar.update(line, completed=len(seen), loss=f"loss {frame.loss:.3f}")
    return seen


def _serve(coming: Iterator[Frame], port: int, title: str, total: int) -> list[Frame]:
    """Serve frames as they come, and the page until Ctrl-C."""
    from dofbot_ros.lab.live.server import FrameServer

    seen: list[Frame] = []
    with FrameServer(port, title) as server:
        console.print(f"watch it at {server.url}; Ctrl-C ends", highlight=False)
        try:
            due = time.monotonic()
            for frame in coming:
                seen.append(frame)
                server.send(frame)
                due += PACE_S
                time.sleep(max(0.0, due - time.monotonic()))
            server.finish()
            console.print(f"all {len(seen)} of {total} frames are there", highlight=False)
            while True:
                time.sleep(3600.0)
        except KeyboardInterrupt:
            pass
    if not seen:
        raise InputError("interrupted before the first frame")
    return seen
