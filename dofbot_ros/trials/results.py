"""results.json: a series of trials that can be interrupted at any time and gone on with."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.core.statistics import wilson
from dofbot_ros.errors import InputError
from dofbot_ros.trials.protocol import ProtocolConfig
from dofbot_ros.trials.trial import TrialRecord

FILE = "results.json"
IMAGES = "images"


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
        return self.desk if self.desk == "own" else f"{Path(self.desk).stem} {self.desk_seed}"


@dataclass(frozen=True)
class Results:
    """The trials of a series that have been run."""

    series: Series
    trials: tuple[TrialRecord, ...] = ()

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
            "localisation_mm": _spread([e for t in self.trials for e in t.localisation_mm]),
            "placing_mm": _spread([t.error_mm for t in judged if t.placed and t.error_mm is not None]),
            "cycle_s": _spread([t.cycle_s for t in self.trials if t.cycle_s is not None])["median"],
        }


def load(out: Path, series: Series) -> Results:
    """What has been run of `series` in the folder `out`; no trials where there is nothing yet.

    Raises:
        InputError: the folder holds another series, or a file that is not readable.
    """
    path = out / FILE
    if not path.exists():
        return Results(series)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        results = from_mapping(Results, {key: content[key] for key in ("series", "trials")}, str(path))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is no results file ({error}): move it away, or give another --out") from error
    if results.series != series:
        held = results.series
        what = f"another series (seed {held.seed}, backend {held.backend}, desk {held.desk_label})"
        if (held.seed, held.backend, held.desk_label) == (series.seed, series.backend, series.desk_label):
            what = "this series under other conditions"
        raise InputError(f"{path} holds {what}: give another --out, or move it away")
    return results


def save(out: Path, results: Results) -> None:
    """Write results.json whole or not at all, so that it is valid whenever the program is cut short."""
    path, draft = out / FILE, out / f".{FILE}.part"
    content = {**to_mapping(results), "summary": results.summary()}
    draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, path)


def image_path(out: Path, number: int, when: str) -> Path:
    """Where the picture `before` or `after` of a trial lies."""
    return out / IMAGES / f"{number:04d}_{when}.jpg"


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"median": None, "p95": None}
    median, p95 = np.percentile(values, [50, 95])
    return {"median": float(median), "p95": float(p95)}
