"""The log of a series of grasp trials, and what makes such trials comparable."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from dofbot_ros.config.loader import to_mapping
from dofbot_ros.desks.config import desk_label
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.placement import PickProtocol
from dofbot_ros.trials.trial_log import TrialLog, open_folder, read_folder


@dataclass(frozen=True)
class PickSeries:
    """What makes trials comparable: a folder holds those of one series.

    Attributes:
        planner: aruco, cnn or policy.
        backend: sim, emulator or serial.
        seed: of the placements.
        judge: truth, camera or person.
        model: which network or policy: its digest; "" without one.
        protocol: the conditions.
        desk: name or file of the desk that is simulated.
        desk_seed: which installation of that desk.
    """

    planner: str
    backend: str
    seed: int
    judge: str
    model: str
    protocol: PickProtocol
    desk: str = "own"
    desk_seed: int = 0

    @property
    def desk_label(self) -> str:
        """Kind and number of the desk, for reports."""
        return desk_label(self.desk, self.desk_seed)


PickLog: TypeAlias = TrialLog[PickSeries, PickRecord]


def open_log(folder: Path, series: PickSeries) -> AbstractContextManager[PickLog]:
    """The log of `series` in `folder`, to write; see trial_log.open_folder."""
    return open_folder(folder, series, PickRecord, _difference)


def read_log(folder: Path) -> PickLog:
    """What `folder` holds; see trial_log.read_folder."""
    return read_folder(folder, PickSeries, PickRecord)


def _difference(held: PickSeries, wanted: PickSeries) -> str:
    """What is different, in words."""
    for name in ("planner", "backend", "seed", "judge", "model", "desk", "desk_seed"):
        mine, theirs = getattr(held, name), getattr(wanted, name)
        if mine != theirs:
            return f"another series ({name} {mine if mine != '' else 'none'}, not {theirs if theirs != '' else 'none'})"
    before, after = to_mapping(held.protocol), to_mapping(wanted.protocol)
    changed = ", ".join(key for key in before if before[key] != after[key])
    return f"another series (its protocol {held.protocol.name} differs in: {changed})"
