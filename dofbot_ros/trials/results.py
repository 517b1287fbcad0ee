"""The log of a series of pick-and-place trials, its figures, and results.json, which shows both to other programs."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.core.files import write_whole
from dofbot_ros.core.statistics import spread, wilson
from dofbot_ros.desks.config import desk_label
from dofbot_ros.errors import InputError
from dofbot_ros.trials.place import PlaceRecord
from dofbot_ros.trials.protocol import ProtocolConfig
from dofbot_ros.trials.trial_log import SERIES, TrialLog, open_folder, read_folder

FILE = "results.json"


@dataclass(frozen=True)
class Series:
    """What makes trials comparable: two runs with equal series are one.

    Attributes:
        seed: of scenes and targets.
        backend: sim, or emulator.
        protocol: the conditions.
        desk: name or file of the desk it runs on.
        desk_seed: which installation of that desk.
    """

    seed: int
    backend: str
    protocol: ProtocolConfig = field(default_factory=ProtocolConfig)
    desk: str = "own"
    desk_seed: int = 0

    @property
    def desk_label(self) -> str:
        """Kind and number of the desk, for reports."""
        return desk_label(self.desk, self.desk_seed)


PlaceLog: TypeAlias = TrialLog[Series, PlaceRecord]


@dataclass(frozen=True)
class Results:
    """The trials of a series that have been run."""

    series: Series
    trials: tuple[PlaceRecord, ...] = ()

    def first(self, trials: int) -> Results:
        """Only the first `trials` trials of the series, in their order."""
        chosen = sorted((t for t in self.trials if t.number < trials), key=lambda t: t.number)
        return replace(self, trials=tuple(chosen))

    def summary(self) -> dict[str, Any]:
        """The figures of the series: counts, rates with their interval, millimetres, seconds; None without data."""
        judged = [t for t in self.trials if t.placed is not None]
        placed = sum(bool(t.placed) for t in judged)
        first = sum(bool(t.placed) and t.attempts == 1 for t in judged)
        return {
            "desk": self.series.desk_label,
            "trials": len(self.trials),
            "placed": placed if judged else None,
            "success_rate": placed / len(judged) if judged else None,
            "interval": list(wilson(placed, len(judged))) if judged else None,
            "seen_placed": sum(t.seen_placed for t in self.trials),
            "first_attempt": first if judged else None,
            "first_attempt_rate": first / len(judged) if judged else None,
            "causes": dict(Counter(t.cause for t in self.trials if t.cause).most_common()),
            "localisation_mm": spread([e for t in self.trials for e in t.localisation_mm]),
            "placing_mm": spread([t.error_mm for t in judged if t.placed and t.error_mm is not None]),
            "cycle_s": spread([t.cycle_s for t in self.trials if t.cycle_s is not None])["median"],
        }


def open_results(out: Path, series: Series) -> AbstractContextManager[PlaceLog]:
    """The log of `series` in the folder `out`, to write; see trial_log.open_folder."""
    return open_folder(out, series, PlaceRecord, _difference, load(out, series).trials)


def load(out: Path, series: Series) -> Results:
    """What has been run of `series` in the folder `out`; no trials where there is nothing yet.

    Raises:
        InputError: the folder holds another series, or a file that is not readable.
    """
    held = read_results(out) or Results(series)
    if held.series != series:
        raise InputError(f"{out} holds {_difference(held.series, series)}: give another --out, or move it away")
    return held


def read_results(out: Path) -> Results | None:
    """What the folder `out` holds; None where it holds no series.

    Raises:
        InputError: a file that is not readable.
    """
    if (out / SERIES).exists():
        log = read_folder(out, Series, PlaceRecord)
        return Results(log.series, tuple(log.records))
    return _of_file(out / FILE) if (out / FILE).exists() else None


def save(out: Path, results: Results) -> None:
    """Write results.json whole or not at all, so that it is valid whenever the program is cut short."""
    content = {**to_mapping(results), "summary": results.summary()}
    write_whole(out / FILE, json.dumps(content, indent=1) + "\n")


def _of_file(path: Path) -> Results:
    """A series that an earlier version kept in results.json alone."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return from_mapping(Results, {key: content[key] for key in ("series", "trials")}, str(path))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is no results file ({error}): move it away, or give another --out") from error


def _difference(held: Series, wanted: Series) -> str:
    """What `held` is, seen from `wanted`."""
    if (held.seed, held.backend, held.desk_label) == (wanted.seed, wanted.backend, wanted.desk_label):
        return "this series under other conditions"
    return f"another series (seed {held.seed}, backend {held.backend}, desk {held.desk_label})"
