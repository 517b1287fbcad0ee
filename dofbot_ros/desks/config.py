"""The kinds of desk by name or file: the errors of their arm, camera and blocks together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.config.ranges import Checked
from dofbot_ros.core.resources import share_file
from dofbot_ros.desks.error_model import ArmErrors, BlockErrors, CameraErrors
from dofbot_ros.errors import UsageError, one_of
from dofbot_ros.sim.rendering.flaws import TableKind

OWN = "own"
"""The desk without errors: the simulation as it is."""
NAMES = (OWN, "careful", "typical", "rough")
CALIBRATED = "calibrated"
"""After a colon behind the name of a desk: its software has been told what a calibration without error finds."""


@dataclass(frozen=True)
class DeskConfig(Checked):
    """One kind of desk.

    Attributes:
        name: as reports show it.
        tables: what the table may look like; one is drawn for each installation.
        camera, blocks, arm: the errors.
    """

    name: str = OWN
    tables: tuple[TableKind, ...] = ("plain",)
    camera: CameraErrors = field(default_factory=CameraErrors)
    blocks: BlockErrors = field(default_factory=BlockErrors)
    arm: ArmErrors = field(default_factory=ArmErrors)

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if not self.tables:
            yield "tables must name at least one kind of table"


def name_and_told(desk: str | Path) -> tuple[str, str]:
    """The name or file of a desk, and what stands after the colon behind it: CALIBRATED, a folder, or nothing."""
    name, colon, told = str(desk).rpartition(":")
    return (name, told) if colon else (str(desk), "")


def numbers_in(folder: Path) -> list[int]:
    """The installations whose calibration a folder holds.

    Raises:
        UsageError: it holds none.
    """
    numbers = sorted(int(path.name) for path in folder.glob("*/") if path.name.isdigit())
    if not numbers:
        raise UsageError(
            f"{folder} is no folder of calibrations, which `dofbot bench calibration --desk NAME --out FOLDER` makes; "
            f"what may follow a desk's colon is one, or {CALIBRATED}"
        )
    return numbers


def desk_label(desk: str, seed: int) -> str:
    """Kind and number of a desk, for reports: `desk` is a name or a file, `seed` says which installation of it."""
    return desk if desk == OWN else f"{Path(desk).stem} {seed}"


def load_desk(desk: str | Path) -> DeskConfig:
    """The ranges of a desk.

    Args:
        desk: own, careful, typical, rough, or the path of a file like config/desks/typical.yaml; what follows after
            a colon (see name_and_told) changes no errors.

    Raises:
        InputError: no such desk, and no such file.
        ConfigError: the file cannot be used, and where.
    """
    desk, told = name_and_told(desk)
    if told and told != CALIBRATED:
        numbers_in(Path(told))
    if desk == OWN:
        return DeskConfig()
    if desk in NAMES:
        return _shipped(desk)
    if not Path(desk).is_file():
        raise UsageError(f"{one_of('desk', desk, NAMES)}, or the path of a desk file")
    return load_yaml(DeskConfig, desk)


@lru_cache(maxsize=len(NAMES))
def _shipped(name: str) -> DeskConfig:
    return load_yaml(DeskConfig, share_file("config", "desks", f"{name}.yaml"))
