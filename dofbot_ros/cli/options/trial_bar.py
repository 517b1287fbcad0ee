"""What people see of a series of trials while it runs: a bar, a line for each trial, and how an interruption ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dofbot_ros.core.console import console, live_region


class TrialBar:
    """A progress bar in a context.

    Args:
        what: is being done first.
        done: trials that have been run before.
        total: trials of the series.
    """

    def __init__(self, what: str, done: int, total: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._region = ExitStack()
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task(what, total=total, completed=done)

    def __enter__(self) -> TrialBar:
        self._region.enter_context(live_region())
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def describe(self, what: str) -> None:
        """Say what is being done now."""
        self._progress.update(self._task, description=what)

    def advance(self, line: str) -> None:
        """A trial is over: `line` in rich's markup says how it went."""
        self._progress.advance(self._task)
        console.print(line, highlight=False, soft_wrap=True)

    def stop(self) -> None:
        """Take the bar away for questions to a person."""
        self._progress.stop()
        self._region.close()


@contextmanager
def interruptible(out: Path) -> Iterator[None]:
    """Ctrl-C, and SIGTERM alike, say how the series in the folder `out` goes on, and end the command with 130."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        console.print(f"interrupted; the same command goes on: {escape(str(out))} holds what has been done")
        raise typer.Exit(130) from None
