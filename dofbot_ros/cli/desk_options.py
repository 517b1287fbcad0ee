"""The options --desk and --desk-seed, the same for every command that simulates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DeskOption = Annotated[
    str, typer.Option(help="Errors that the software is not told: own (none), careful, typical, rough, or a file.")
]
DeskSeedOption = Annotated[
    int | None, typer.Option(min=0, help="Which installation of that desk; by default that of --seed.")
]


def chosen_desk(desk: str, desk_seed: int | None, seed: int) -> tuple[str, int]:
    """The desk, a file by its absolute path, and the number of the installation.

    Raises:
        InputError: no such desk.
        ConfigError: a file that cannot be used.
    """
    from dofbot_ros.desks.config import OWN, load_desk

    load_desk(desk)  # one that cannot be used is told before anything starts
    if desk == OWN:
        return OWN, 0
    path = str(Path(desk).resolve()) if Path(desk).is_file() else desk
    return path, seed if desk_seed is None else desk_seed
