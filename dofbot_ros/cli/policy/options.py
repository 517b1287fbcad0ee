"""What the commands about policies share: options, and how one that does not apply is refused."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from dofbot_ros.errors import UsageError

HOPPER = "hopper"
"""The task of the laboratory's policies; all others are the arm's."""

EPISODES = 500
"""In which policies of the arm are measured by default."""

WorkersOption = Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")]


def processes(count: int | None) -> int:
    """How many were asked for, or one a core."""
    return count or os.cpu_count() or 1


def refuse(options: Mapping[str, object], why: str) -> None:
    """Say of options that were given what they cannot do here, rather than pass over them."""
    given = [name for name, value in options.items() if value]
    if given:
        raise UsageError(f"{', '.join(given)}: {why}")
