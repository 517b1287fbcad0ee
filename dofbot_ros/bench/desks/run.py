"""Runs jobs on desks and sums up: one row for each desk and job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dofbot_ros.bench.desks.jobs import JOBS, WHOLE, Ablation, Outcome, world_name
from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.core.result_file import ResultFile
from dofbot_ros.core.statistics import wilson
from dofbot_ros.desks.config import load_desk
from dofbot_ros.errors import UsageError, one_of


def measure(
    desks: Sequence[str],
    jobs: Sequence[str],
    trials: int,
    *,
    seed: int = 0,
    path: Path | None = None,
    ablation: Ablation = WHOLE,
    done_only: bool = False,
    report: Callable[[Outcome | None, int], None] = lambda _outcome, _total: None,
) -> dict[str, Any]:
    """Run the first `trials` trials of every job on every desk, those that `path` already holds left out.

    Args:
        desks: names or files.
        jobs: keys of JOBS.
        trials: of each job on each desk; each on an installation of its own.
        seed: of the installations and scenes.
        path: file that keeps what is done.
        ablation: what is left out.
        done_only: run nothing, sum up what `path` holds.
        report: told each outcome, and how many there are to be in all; first with None.

    Returns:
        rows: for each desk and job world, job, n, success, interval, first_attempt, error_mm, seen_off_mm, seconds,
        causes; and seed and without.

    Raises:
        InputError: no such desk or job.
    """
    for desk in desks:
        load_desk(desk)
    for job in jobs:
        if job not in JOBS:
            raise UsageError(one_of("job", job, JOBS))
    # One thread: more cost time and save none at this size.
    cv2.setNumThreads(1)
    without = [name for name, kept in asdict(ablation).items() if not kept]
    file = ResultFile(path, "dofbot bench desks", {"seed": seed, "without": without}, to_mapping, _read)
    done = {(outcome.world, outcome.job, outcome.number): outcome for outcome in file.results}
    total = len(desks) * len(jobs) * trials
    report(None, total)
    # Number by number, so that an interrupted measurement knows something of every desk.
    for number in range(trials):
        for desk in desks:
            for job in jobs:
                outcome = done.get((desk, job, number))
                if outcome is None and done_only:
                    continue
                if outcome is None:
                    outcome = JOBS[job](desk, number, seed, ablation)
                    file.add(outcome)
                report(outcome, total)
    return summary(file.results, desks, jobs, trials) | {"seed": seed, "without": without}


def _read(data: Any) -> Outcome:
    return from_mapping(Outcome, data, "a trial")


def summary(outcomes: Sequence[Outcome], desks: Sequence[str], jobs: Sequence[str], trials: int) -> dict[str, Any]:
    """The rows of what has been done."""
    rows = []
    for desk in desks:
        for job in jobs:
            mine = [o for o in outcomes if (o.world, o.job) == (desk, job) and o.number < trials]
            if mine:
                rows.append(_row(world_name(desk), job, mine))
    return {"rows": rows}


def _row(world: str, job: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    n, done = len(outcomes), sum(o.success for o in outcomes)
    return {
        "world": world,
        "job": job,
        "n": n,
        "success": done / n,
        "interval": list(wilson(done, n)),
        "first_attempt": sum(o.first for o in outcomes) / n,
        "error_mm": _spread([o.error_mm for o in outcomes if o.success and o.error_mm is not None]),
        "seen_off_mm": _spread([o.seen_off_mm[0] for o in outcomes if o.seen_off_mm]),
        "seconds": _spread([o.seconds for o in outcomes if o.seconds is not None])["median"],
        "causes": dict(Counter(o.cause for o in outcomes if o.cause).most_common()),
    }


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"median": None, "p95": None}
    median, p95 = np.percentile(values, [50, 95])
    return {"median": float(median), "p95": float(p95)}
