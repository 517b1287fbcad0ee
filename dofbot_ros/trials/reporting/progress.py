"""How far a series of trials is, read from its folder while another process runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dofbot_ros.errors import InputError
from dofbot_ros.trials.log import read_log
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.reporting.report import places_in
from dofbot_ros.trials.runner import missing
from dofbot_ros.trials.trial_log import SERIES


@dataclass(frozen=True)
class Progress:
    """A series at one moment.

    Attributes:
        done: trials that have been run.
        total: trials that there are to be.
        succeeded, failed: of those done; the others count neither way.
        running: what runs now, or would be next; "" at the end.
        trials: name, success and words of each trial done, in their order.
    """

    done: int
    total: int
    succeeded: int
    failed: int
    running: str
    trials: tuple[tuple[str, bool | None, str], ...]


def progress_of(folder: Path, trials: int) -> Progress | None:
    """How far the series in `folder` is; None before it has begun.

    Args:
        folder: of `dofbot trials run` or `dofbot demo`.
        trials: of each condition, or of a demo in all.

    Raises:
        InputError: a file there cannot be understood.
    """
    if not (folder / SERIES).exists():
        return None
    places = places_in(folder)
    if places is not None:
        records = places.first(trials).trials
        told = [(f"trial {r.number}", r.placed, r.reason or _off(r.error_mm)) for r in records]
        left = sorted(set(range(trials)) - {r.number for r in records})
        return _progress(told, trials, f"trial {left[0]}" if left else "")
    log = read_log(folder)
    protocol = log.series.protocol
    todo = missing(log, protocol, trials)
    told = [(r.label, r.success, _words(r)) for r in log.records]
    return _progress(told, len(told) + len(todo), todo[0].label if todo else "")


def _progress(told: Sequence[tuple[str, bool | None, str]], total: int, running: str) -> Progress:
    marks = [success for _, success, _ in told]
    return Progress(len(told), total, marks.count(True), marks.count(False), running, tuple(told))


def _off(error_mm: float | None) -> str:
    return "" if error_mm is None else f"{error_mm:.1f} mm off"


def _words(record: PickRecord) -> str:
    return ": ".join(part for part in (record.outcome, record.reason) if part)


class SeriesWatch:
    """A series as the console shows it: read anew when one of its files has changed.

    Args:
        folder, trials: as progress_of.
    """

    def __init__(self, folder: Path, trials: int) -> None:
        self._folder, self._trials = folder, trials
        self._stamp: tuple[int, ...] = ()
        self._told: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        """What the page shows, as plain data; empty before the series has begun."""
        files = [path for name in (SERIES, "trials.jsonl", "results.json") if (path := self._folder / name).exists()]
        stamp = tuple(path.stat().st_mtime_ns for path in files)
        if stamp != self._stamp:
            self._stamp = stamp
            self._told = self._read()
        return self._told

    def _read(self) -> dict[str, Any]:
        try:
            progress = progress_of(self._folder, self._trials)
        except InputError as error:
            return {"trouble": str(error)}
        if progress is None:
            return {}
        last = [list(trial) for trial in progress.trials[-200:]]
        return {**vars(progress), "trials": last, "folder": str(self._folder)}
