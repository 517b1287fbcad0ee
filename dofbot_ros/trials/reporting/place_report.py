"""report.html of pick-and-place trials: figures, ways of the blocks, and every trial with its pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dofbot_ros.trials.protocol import ProtocolConfig
from dofbot_ros.trials.reporting.page import colour, histogram, thumbnail, tone, unit, write_page
from dofbot_ros.trials.results import Results
from dofbot_ros.trials.trial import TrialRecord
from dofbot_ros.trials.trial_log import image_path


def write_report(out: Path, results: Results) -> Path:
    """Write the report of the series into its folder. Returns its path.

    Raises:
        DependencyError: jinja2 is not installed.
    """
    return write_page(out, "place_report.html", _content(out, results))


def _content(out: Path, results: Results) -> dict[str, Any]:
    series, summary, trials = results.series, results.summary(), results.trials
    desk = "" if series.desk == "own" else f" --desk {series.desk} --desk-seed {series.desk_seed}"
    cycles = [t.cycle_s for t in trials if t.cycle_s is not None]
    errors = [t.error_mm for t in trials if t.placed and t.error_mm is not None]
    return {
        "title": "Block placing trials",
        "subtitle": f"{len(trials)} trials, seed {series.seed}, backend {series.backend}, desk {series.desk_label}",
        "cards": _cards(summary),
        "map": _map(trials, series.protocol),
        "charts": [
            histogram("Arm time of a trial", "seconds, looking included", cycles),
            histogram("Distance from the target", "millimetres, of the blocks that were placed", errors),
        ],
        "rows": [_row(out, trial) for trial in trials],
        "tolerance": f"{1e3 * series.protocol.tolerance:g}",
        "attempts": series.protocol.attempts,
        "command": f"dofbot demo --trials {len(trials)} --seed {series.seed} --backend {series.backend}{desk}",
    }


def _cards(summary: dict[str, Any]) -> list[dict[str, str]]:
    judged = summary["placed"] is not None
    if judged:
        low, high = summary["interval"]
        rate = f"{summary['placed']} of {summary['trials']}"
        note = (
            f"{100 * summary['success_rate']:.1f}\u00a0%, 95\u00a0% interval {100 * low:.1f} to {100 * high:.1f}\u00a0%"
        )
    else:
        rate, note = f"{summary['seen_placed']} of {summary['trials']}", "by the last image; the true poses were hidden"
    first = f"{summary['first_attempt']} at the first attempt" if judged else ""
    localised, placing = summary["localisation_mm"], summary["placing_mm"]
    return [
        {"value": rate, "name": "placed", "note": note},
        {
            "value": unit(localised["median"], "mm", 2),
            "name": "localisation",
            "note": f"median; p95 {unit(localised['p95'], 'mm', 2)}",
        },
        {
            "value": unit(summary["cycle_s"], "s", 1),
            "name": "a trial",
            "note": f"median arm time; {first}".rstrip("; "),
        },
        {
            "value": unit(placing["median"], "mm", 1),
            "name": "off target",
            "note": f"median; p95 {unit(placing['p95'], 'mm', 1)}",
        },
    ]


def _map(trials: Sequence[TrialRecord], protocol: ProtocolConfig) -> dict[str, Any]:
    """The table from above in a picture of 320 x 216: forward is up, 560 units a metre."""

    def at(x: float, y: float) -> tuple[float, float]:
        return round(160.0 - 560.0 * y, 1), round(190.0 - 560.0 * x, 1)

    arcs = []
    for radius, direction in ((protocol.radius[1], 1.0), (protocol.radius[0], -1.0)):
        ends = [
            at(radius * math.cos(a), radius * math.sin(a))
            for a in (direction * protocol.azimuth, -direction * protocol.azimuth)
        ]
        arcs.append((ends, 560.0 * radius, 1 if direction > 0 else 0))
    (outer, outer_r, _), (inner, inner_r, _) = arcs
    sector = (
        f"M {outer[0][0]} {outer[0][1]} A {outer_r} {outer_r} 0 0 1 {outer[1][0]} {outer[1][1]} "
        f"L {inner[0][0]} {inner[0][1]} A {inner_r} {inner_r} 0 0 0 {inner[1][0]} {inner[1][1]} Z"
    )
    ways = []
    for trial in trials:
        if trial.start is None or trial.target is None:
            continue
        (x1, y1), (x2, y2) = at(*trial.start[:2]), at(*trial.target)
        ways.append({"x1": x1, "y1": y1, "x2": x2, "y2": y2, "colour": colour(trial.placed)})
    (right, top), (left, bottom) = at(0.05, -0.06), at(-0.015, 0.06)
    return {
        "sector": sector,
        "ways": ways,
        "base": {"x": left, "y": top, "w": round(right - left, 1), "h": round(bottom - top, 1)},
    }


def _row(out: Path, trial: TrialRecord) -> dict[str, Any]:
    verdict = {True: "placed", False: "not placed", None: "seen placed" if trial.seen_placed else "not judged"}
    tool = ""
    if trial.pick_tilt_deg is not None and trial.place_tilt_deg is not None and trial.roll_deg is not None:
        tool = f"{trial.pick_tilt_deg:.0f}°, {trial.place_tilt_deg:.0f}°, {trial.roll_deg:.0f}°"
    error = trial.error_mm if trial.error_mm is not None else trial.seen_error_mm
    return {
        "number": trial.number,
        "block": trial.block,
        "scene": trial.scene_seed,
        "before": thumbnail(image_path(out, f"{trial.number:04d}", "before")),
        "after": thumbnail(image_path(out, f"{trial.number:04d}", "after")),
        "verdict": verdict[trial.placed],
        "tone": tone(trial.placed),
        "reason": f"{trial.cause}: {trial.reason}" if trial.cause not in ("", trial.reason) else trial.reason,
        "setbacks": trial.setbacks,
        "sight": trial.sight,
        "error": unit(error, "mm", 1),
        "localised": unit(max(trial.localisation_mm, default=None), "mm", 2),
        "cycle": unit(trial.cycle_s, "s", 1),
        "attempts": trial.attempts,
        "tool": tool,
    }
