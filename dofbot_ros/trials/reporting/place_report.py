"""report.html of pick-and-place trials: figures, ways of the blocks, and every trial with its pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dofbot_ros.trials.place import PlaceRecord
from dofbot_ros.trials.protocol import ProtocolConfig
from dofbot_ros.trials.reporting import page
from dofbot_ros.trials.reporting.chart import histogram
from dofbot_ros.trials.results import Results
from dofbot_ros.trials.trial_log import image_path
from dofbot_ros.vision.cameras.identity import read_camera


def write_report(out: Path, results: Results) -> Path:
    """Write the report of the series into its folder. Returns its path.

    Raises:
        DependencyError: jinja2 is not installed.
    """
    return page.write_page(out, "place_report.html", _content(out, results))


def _content(out: Path, results: Results) -> dict[str, Any]:
    series, summary, trials = results.series, results.summary(), results.trials
    desk = "" if series.desk == "own" else f" --desk {series.desk} --desk-seed {series.desk_seed}"
    cycles = [t.cycle_s for t in trials if t.cycle_s is not None]
    errors = [t.error_mm for t in trials if t.placed and t.error_mm is not None]
    return {
        "title": "Block placing trials",
        "subtitle": ", ".join(
            [
                "1 trial" if len(trials) == 1 else f"{len(trials)} trials",
                f"seed {series.seed}",
                f"backend {series.backend}",
                f"desk {series.desk_label}",
                *([f"camera: {camera}"] if (camera := read_camera(out)) is not None else []),
            ]
        ),
        "cards": _cards(summary),
        "map": _map(trials, series.protocol),
        "charts": [
            histogram("Arm time of a trial", "seconds, looking included", cycles),
            histogram("Distance from the target", "millimetres, of the blocks that were placed", errors),
        ],
        "columns": ["Off target", "Localised within", "Arm time", "Attempts"],
        "tool_column": "Tilts, roll",
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
            "value": page.unit(localised["median"], "mm", 2),
            "name": "localisation",
            "note": f"median; p95 {page.unit(localised['p95'], 'mm', 2)}",
        },
        {
            "value": page.unit(summary["cycle_s"], "s", 1),
            "name": "a trial",
            "note": f"median arm time; {first}".rstrip("; "),
        },
        {
            "value": page.unit(placing["median"], "mm", 1),
            "name": "off target",
            "note": f"median; p95 {page.unit(placing['p95'], 'mm', 1)}",
        },
    ]


def _map(trials: Sequence[PlaceRecord], protocol: ProtocolConfig) -> dict[str, Any]:
    arcs = []
    for radius, direction in ((protocol.radius[1], 1.0), (protocol.radius[0], -1.0)):
        ends = [
            page.on_map(radius * math.cos(a), radius * math.sin(a))
            for a in (direction * protocol.azimuth, -direction * protocol.azimuth)
        ]
        arcs.append((ends, page.MAP_SCALE * radius, 1 if direction > 0 else 0))
    (outer, outer_r, _), (inner, inner_r, _) = arcs
    sector = (
        f"M {outer[0][0]} {outer[0][1]} A {outer_r} {outer_r} 0 0 1 {outer[1][0]} {outer[1][1]} "
        f"L {inner[0][0]} {inner[0][1]} A {inner_r} {inner_r} 0 0 0 {inner[1][0]} {inner[1][1]} Z"
    )
    ways = []
    for trial in trials:
        if trial.start is None or trial.target is None:
            continue
        (x1, y1), (x2, y2) = page.on_map(*trial.start[:2]), page.on_map(*trial.target)
        colour, row = page.colour(trial.placed), f"trial-{trial.number}"
        ways.append({"x1": x1, "y1": y1, "x2": x2, "y2": y2, "colour": colour, "id": row})
    return page.table_map(
        "Ways of the blocks, seen from above",
        "Starts and targets of the blocks",
        "Rings: where a block was found. Dots: its target. Red: not placed.",
        {"sector": sector, "ways": ways},
    )


def _row(out: Path, trial: PlaceRecord) -> dict[str, Any]:
    verdict = {True: "placed", False: "not placed", None: "seen placed" if trial.seen_placed else "not judged"}
    tool = ""
    if trial.pick_tilt_deg is not None and trial.place_tilt_deg is not None and trial.roll_deg is not None:
        tool = f"{trial.pick_tilt_deg:.0f}°, {trial.place_tilt_deg:.0f}°, {trial.roll_deg:.0f}°"
    error = trial.error_mm if trial.error_mm is not None else trial.seen_error_mm
    return {
        "id": f"trial-{trial.number}",
        "label": f"{trial.number:04d}",
        "name": trial.number,
        "object": trial.block,
        "hint": f"scene seed {trial.scene_seed}",
        "before": page.thumbnail(image_path(out, f"{trial.number:04d}", "before")),
        "after": page.thumbnail(image_path(out, f"{trial.number:04d}", "after")),
        "outcome": verdict[trial.placed],
        "tone": page.tone(trial.placed),
        "reason": f"{trial.cause}: {trial.reason}" if trial.cause not in ("", trial.reason) else trial.reason,
        "notes": [*(f"before: {setback}" for setback in trial.setbacks), *([trial.sight] if trial.sight else [])],
        "numbers": [
            page.unit(error, "mm", 1),
            page.unit(max(trial.localisation_mm, default=None), "mm", 2),
            page.unit(trial.cycle_s, "s", 1),
            trial.attempts,
        ],
        "tool": tool,
    }
