"""The option --view: the operator's console beside a stack that a command runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dofbot_ros.supervisor import Command, ProcessGroup

READY_S = 30.0

ViewOption = Annotated[
    bool,
    typer.Option("--view", help="Serve the operator's console beside it (docs/console.md); its address is printed."),
]


@contextmanager
def console_beside(
    view: bool,
    namespace: str = "",
    environment: Mapping[str, str] | None = None,
    series: tuple[Path, int] | None = None,
) -> Iterator[None]:
    """With `view`, a console for the arm of this ROS domain; it ends with the context.

    Args:
        view: whether it is wanted.
        namespace: of the arm.
        environment: of the console's process; None: this one's.
        series: folder and number of the trials whose progress the page shows; None for none.
    """
    if not view:
        yield
        return
    words = [sys.executable, "-c", "from dofbot_ros.cli.main import main; main()", "console", "--page-port", "0"]
    if namespace:
        words += ["--namespace", namespace]
    if series:
        words += ["--series", str(series[0]), "--trials", str(series[1])]
    with ProcessGroup([Command("console", tuple(words), required=False)], environment) as group:
        group.wait_ready(READY_S)  # what it prints comes before the command's own panel
        yield
