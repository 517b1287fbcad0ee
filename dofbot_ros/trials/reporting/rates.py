"""A page of success rates with a chart of their intervals: of two series against each other, and of a policy."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dofbot_ros.core.statistics import wilson
from dofbot_ros.trials.reporting import page

COLOURS = {"A": "#2c6fbb", "B": "#d97706", "": "#2c6fbb"}
CHART_LEFT, CHART_WIDTH = 10.0, 400.0
"""Of the picture of a rate, 0 to 100 % [units]."""


def write_comparison(result: Mapping[str, Any], a: Path, b: Path, path: Path) -> Path:
    """Write the page of a comparison. Returns its path.

    Args:
        result: of trials.compare.compare.
        a, b: folders of the series.
        path: HTML file to write.

    Raises:
        DependencyError: jinja2 is not installed.
    """
    parts = [("in all", result), *result["by_condition"].items()]
    notes = [f"{name}: {part['verdict']}." for name, part in parts]
    if result["left_out"]:
        notes.append(f"Left out, as only one of them has it: {', '.join(result['left_out'])}.")
    differs = ", ".join(result["not_the_same"])
    notes.append(f"The series differ in: {differs}." if differs else "The series differ in nothing that is noted.")
    content = {
        "title": "Two series of grasp trials",
        "subtitle": f"A = {a}, B = {b}; in all: trials (condition and number) that both have",
        "cards": [{"value": _points(result), "name": "A less B, in all", "note": result["verdict"]}],
        "rows": [row for name, part in parts for row in _pair(name, part)],
        "notes": notes,
        "command": shlex.join(["dofbot", "trials", "compare", str(a), str(b)]),
    }
    return page.write_file(path, "rates.html", content)


def write_evaluation(result: Mapping[str, Any], policy: Path, path: Path) -> Path:
    """Write the page of a measured policy; as write_comparison.

    Args:
        result: of `dofbot policy evaluate`: task, obs, domain, episodes, success_rate and what else was measured.
        policy: folder of the policy.
        path: HTML file to write.
    """
    trials = int(result["episodes"])
    successes = round(float(result["success_rate"]) * trials)
    known = ("success_rate", "interval", "episodes", "report")
    notes = [f"{key}: {value:.4g}" if isinstance(value, float) else f"{key}: {value}" for key, value in result.items()
             if key not in known]  # fmt: skip
    content = {
        "title": f"Policy: {result['task']} from {result['obs']}",
        "subtitle": f"{policy}; {trials} episodes, judged by what is true of the simulated world",
        "cards": [{"value": f"{100 * successes / trials:.1f} %", "name": "succeeded", "note": f"{trials} episodes"}],
        "rows": [_row("all episodes", (successes, trials), "")],
        "notes": notes,
        "command": shlex.join(["dofbot", "policy", "evaluate", "--model", str(policy), "--episodes", str(trials)]),
    }
    return page.write_file(path, "rates.html", content)


def _points(part: Mapping[str, Any]) -> str:
    return f"{100 * part['difference']:+.0f} points"


def _pair(name: str, part: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_row(f"{name}: {which}", (part[key]["lifted"], part[key]["trials"]), which) for which, key in
            (("A", "a"), ("B", "b"))]  # fmt: skip


def _row(name: str, counts: tuple[int, int], which: str) -> dict[str, Any]:
    successes, trials = counts
    share, (low, high) = successes / trials, wilson(successes, trials)
    return {
        "name": name,
        "count": f"{successes} of {trials}",
        "share": f"{100 * share:.0f} %",
        "interval": f"{100 * low:.0f} to {100 * high:.0f} %",
        "low": _x(low),
        "high": _x(high),
        "dot": _x(share),
        "colour": COLOURS[which],
    }


def _x(share: float) -> float:
    return round(CHART_LEFT + CHART_WIDTH * share, 1)
