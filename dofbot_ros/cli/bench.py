"""`dofbot bench NAME`: the command lines of the measurements in dofbot_ros/bench."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def root() -> None:
    """Measure one part of the stack and print its figures; --json prints one object for machines."""
