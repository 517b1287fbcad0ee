"""The options --desk and --desk-seed, the same for every command that simulates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DeskOption = Annotated[
    str,
    typer.Option(
        help="Errors that the software is not told: own (none), careful, typical, rough, or a file; with :calibrated "
        "after it what a calibration without error finds is told, with :FOLDER what is in that folder of calibrations."
    ),
]
DeskSeedOption = Annotated[
    int | None, typer.Option(min=0, help="Which installation of that desk; by default that of --seed.")
]


def told_of(desk: str, desk_seed: int, folder: Path) -> dict[str, str]:
    """Arguments of a stack on a desk, with files of what its software is told in `folder`; none on the own desk."""
    from dofbot_ros.desks.config import OWN
    from dofbot_ros.desks.installation import install
    from dofbot_ros.sim.config import load_world_config

    if desk == OWN:
        return {}
    files = install(desk, desk_seed, load_world_config()).belief.save(folder)
    camera_info = files.pop("camera_info_file")
    return {"desk": desk, "desk_seed": str(desk_seed), "camera_info_url": camera_info, **files}


def chosen_desk(desk: str, desk_seed: int | None, seed: int) -> tuple[str, int]:
    """The desk, a file by its absolute path, and the number of the installation.

    Raises:
        InputError: no such desk.
        ConfigError: a file that cannot be used.
    """
    from dofbot_ros.desks.config import CALIBRATED, OWN, load_desk, name_and_told

    load_desk(desk)  # one that cannot be used is told before anything starts
    if desk == OWN:
        return OWN, 0
    name, told = name_and_told(desk)
    name = str(Path(name).resolve()) if Path(name).is_file() else name
    told = str(Path(told).resolve()) if told not in ("", CALIBRATED) else told
    return f"{name}:{told}" if told else name, seed if desk_seed is None else desk_seed
