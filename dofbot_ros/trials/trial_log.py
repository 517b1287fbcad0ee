"""The folder of a series of trials: what it is, and a line for each trial, whole however the program ends."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.core.files import write_whole
from dofbot_ros.errors import InputError

SERIES, TRIALS = "series.json", "trials.jsonl"
IMAGES, EPISODES = "images", "episodes"
S = TypeVar("S")
"""What makes trials comparable, a dataclass: a folder holds those of one series."""
R = TypeVar("R")
"""What came of a trial, a dataclass."""


class TrialLog(Generic[S, R]):
    """One folder. Make it by `open_folder` to write, by `read_folder` to read.

    Attributes:
        folder: where it is.
        series: what it holds.
        records: the trials, in the order in which they were run.
    """

    def __init__(self, folder: Path, series: S, records: list[R]) -> None:
        self.folder = folder
        self.series = series
        self.records = records

    def append(self, record: R) -> None:
        """Write a trial down; when this returns it is on the disk, and before that it is not there at all."""
        with (self.folder / TRIALS).open("ab") as file:
            file.write(_line(record).encode())
            file.flush()
            os.fsync(file.fileno())
        self.records.append(record)

    def image_path(self, label: str, when: str) -> Path:
        """Where the picture `before` or `after` of a trial lies."""
        return image_path(self.folder, label, when)


def image_path(folder: Path, label: str, when: str) -> Path:
    """Where the picture `before` or `after` of the trial `label` lies in the folder of its series."""
    return folder / IMAGES / f"{label}_{when}.jpg"


@contextmanager
def open_folder(
    folder: Path, series: S, record: type[R], difference: Callable[[S, S], str], earlier: Sequence[R] = ()
) -> Iterator[TrialLog[S, R]]:
    """The log of `series` in `folder`, which is made when it is not there; nobody else can write it meanwhile.

    Args:
        folder: where it is.
        series: what is to be run.
        record: class of its trials.
        difference: says what the folder holds and what is wanted, where these are two series.
        earlier: trials that a new log begins with.

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
            log = read_folder(folder, type(series), record)
            if log.series != series:
                raise InputError(f"{folder} holds {difference(log.series, series)}: take another --out")
            _cut_torn_line(folder / TRIALS)
        else:
            log = TrialLog(folder, series, list(earlier))
            if earlier:
                write_whole(folder / TRIALS, "".join(_line(one) for one in earlier))
            write_whole(folder / SERIES, json.dumps(to_mapping(series), indent=1) + "\n")
        (folder / IMAGES).mkdir(exist_ok=True)
        yield log
    finally:
        os.close(lock)


def read_folder(folder: Path, series: type[S], record: type[R]) -> TrialLog[S, R]:
    """What `folder` holds.

    Raises:
        InputError: no series, or files that cannot be understood.
    """
    path = folder / SERIES
    if not path.exists():
        raise InputError(f"{folder} holds no trials: there is no {SERIES}; `dofbot trials run --out {folder}` makes it")
    held = from_mapping(series, _json(path.read_bytes(), str(path)), str(path))
    records = []
    path = folder / TRIALS
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []  # a line without its end was cut short
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        records.append(from_mapping(record, _json(line, where), where))
    return TrialLog(folder, held, records)


def _line(record: object) -> str:
    return json.dumps(to_mapping(record)) + "\n"


def _json(text: bytes, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no JSON ({error}): move it away, or take another --out") from error


def _cut_torn_line(path: Path) -> None:
    """A writer that was killed leaves half a line; that trial is run again."""
    if path.exists():
        content = path.read_bytes()
        os.truncate(path, content.rfind(b"\n") + 1)
