"""Progress of long commands: how far they are, how it goes, how long it will take."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dofbot_ros.core.console import console, live_region


@contextmanager
def progress_bar(last: str) -> Iterator[Progress]:
    """Progress with an ETA; Ctrl-C ends the command with exit code 130.

    Args:
        last: format of the column between count and times, as rich's TextColumn takes it.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager's way of saying Ctrl-C
    columns = BarColumn(), MofNCompleteColumn(), TextColumn(last), TimeElapsedColumn(), TimeRemainingColumn()
    try:
        with live_region(), Progress(TextColumn("{task.description}"), *columns, console=console) as bar:
            yield bar
    except KeyboardInterrupt:
        console.print("interrupted")
        raise typer.Exit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)
