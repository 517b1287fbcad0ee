"""The option --state-file of measurements that go on after Ctrl-C, and how such a one ends early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from dofbot_ros.core.console import warn
from dofbot_ros.core.result_file import Interrupted

StateFileOption = Annotated[
    Path | None,
    typer.Option("--state-file", help="File that keeps what is done, to go on from after Ctrl-C.", dir_okay=False),
]


def until_interrupted(measure: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
    """What `measure` returns, or had measured when Ctrl-C came; and whether that is all of it."""
    try:
        return measure(), True
    except Interrupted as interruption:
        return interruption.result, False


def end_early(done: int, of: int, what: str, state: Path | None) -> None:
    """Say that a measurement is not whole, and leave with 130."""
    kept = f"the same command goes on from {state}" if state else "--state-file FILE would have kept them"
    warn(f"interrupted after {done} of {of} {what}: the figures are those of {done}; {kept}")
    raise typer.Exit(130)
