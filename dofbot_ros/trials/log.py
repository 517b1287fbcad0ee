"""The folder of a series of grasp trials: what it is, and a line for each trial, whole however the program ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.errors import InputError
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.placement import PickProtocol

SERIES, TRIALS = "series.json", "trials.jsonl"
IMAGES, EPISODES = "images", "episodes"


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
        return self.desk if self.desk == "own" else f"{Path(self.desk).stem} {self.desk_seed}"


class PickLog:
    """One folder. Make it by `open_log` to write, by `read_log` to read.

    Attributes:
        folder: where it is.
        series: what it holds.
        records: the trials, in the order in which they were run.
    """

    def __init__(self, folder: Path, series: PickSeries, records: list[PickRecord]) -> None:
        self.folder = folder
        self.series = series
        self.records = records

    def done(self) -> set[tuple[str, int]]:
        """Condition and number of what has been run."""
        return {(record.condition, record.number) for record in self.records}

    def append(self, record: PickRecord) -> None:
        """Write a trial down; when this returns it is on the disk, and before that it is not there at all."""
        with (self.folder / TRIALS).open("ab") as file:
            file.write(json.dumps(to_mapping(record)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.records.append(record)

    def image_path(self, label: str, when: str) -> Path:
        """Where the picture `before` or `after` of a trial lies."""
        return self.folder / IMAGES / f"{label}_{when}.jpg"


@contextmanager
def open_log(folder: Path, series: PickSeries) -> Iterator[PickLog]:
    """The log of `series` in `folder`, which is made when it is not there; nobody else can write it meanwhile.

    Raises:
        InputError: the folder holds another series, somebody is writing it, or a file cannot be understood.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{folder} is being written by another run") from error
        if (folder / SERIES).exists():
            log = read_log(folder)
            if log.series != series:
                raise InputError(
                    f"{folder} holds another series ({_difference(log.series, series)}): take another --out"
                )
            _cut_torn_line(folder / TRIALS)
        else:
            _write_whole(folder / SERIES, json.dumps(to_mapping(series), indent=1) + "\n")
            log = PickLog(folder, series, [])
        (folder / IMAGES).mkdir(exist_ok=True)
        yield log
    finally:
        os.close(lock)


def read_log(folder: Path) -> PickLog:
    """What `folder` holds.

    Raises:
        InputError: no series, or files that cannot be understood.
    """
    path = folder / SERIES
    if not path.exists():
        raise InputError(f"{folder} holds no trials: there is no {SERIES}; `dofbot trials run --out {folder}` makes it")
    series = from_mapping(PickSeries, _json(path.read_bytes(), str(path)), str(path))
    records = []
    path = folder / TRIALS
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []  # a line without its end was cut short
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        records.append(from_mapping(PickRecord, _json(line, where), where))
    return PickLog(folder, series, records)


def _json(text: bytes, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no JSON ({error}): move it away, or take another --out") from error


def _cut_torn_line(path: Path) -> None:
    """Whoever was killed while writing leaves half a line; the trial is run again."""
    if path.exists():
        content = path.read_bytes()
        os.truncate(path, content.rfind(b"\n") + 1)


def _write_whole(path: Path, text: str) -> None:
    draft = path.with_suffix(".part")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def _difference(held: PickSeries, wanted: PickSeries) -> str:
    """What is different, in words."""
    for name in ("planner", "backend", "seed", "judge", "model"):
        mine, theirs = getattr(held, name), getattr(wanted, name)
        if mine != theirs:
            return f"{name} {mine if mine != '' else 'none'}, not {theirs if theirs != '' else 'none'}"
    before, after = to_mapping(held.protocol), to_mapping(wanted.protocol)
    changed = ", ".join(key for key in before if before[key] != after[key])
    return f"its protocol {held.protocol.name} differs in: {changed}"
