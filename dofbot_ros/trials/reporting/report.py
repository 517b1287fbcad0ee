"""Report and figures of the series in a folder, of whichever kind it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dofbot_ros.errors import InputError
from dofbot_ros.trials.log import PickLog, read_log
from dofbot_ros.trials.reporting import pick_report, place_report
from dofbot_ros.trials.reporting.pick_summary import summary
from dofbot_ros.trials.results import Results, read_results
from dofbot_ros.trials.trial_log import SERIES


def report_folder(folder: Path) -> dict[str, Any]:
    """Write report.html of the series in `folder`. Returns its figures.

    Raises:
        InputError: it holds no trials, or files that cannot be understood.
        DependencyError: jinja2 is not installed.
    """
    results = places_in(folder)
    if results is None:
        log = read_log(folder)
        if not log.records:
            raise InputError(f"{folder} holds no trial yet")
        return report_picks(log)
    if not results.trials:
        raise InputError(f"{folder} holds no trial yet")
    return report_places(folder, results)


def report_picks(log: PickLog) -> dict[str, Any]:
    """Write report.html of grasp trials, where there are any. Returns their figures."""
    path = pick_report.write_report(log) if log.records else None
    return {"desk": log.series.desk_label, **summary(log.records), "report": str(path)}


def report_places(folder: Path, results: Results) -> dict[str, Any]:
    """Write report.html of pick-and-place trials, where there are any. Returns their figures."""
    path = place_report.write_report(folder, results) if results.trials else None
    return {**results.summary(), "report": str(path)}


def places_in(folder: Path) -> Results | None:
    """The pick-and-place trials in a folder; None where it holds others, or none."""
    path = folder / SERIES
    if path.exists():
        try:
            content = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            return None  # read_log says what is wrong with it
        if not isinstance(content, dict) or "planner" in content:
            return None
    return read_results(folder)
