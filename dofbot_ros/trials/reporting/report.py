"""report.html: one file that shows a series of trials, pictures included."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dofbot_ros.errors import DependencyError
from dofbot_ros.trials.protocol import ProtocolConfig
from dofbot_ros.trials.results import Results
from dofbot_ros.trials.trial import TrialRecord
from dofbot_ros.trials.trial_log import image_path
from dofbot_ros.vision.cameras.frame_files import read_image
from dofbot_ros.vision.cameras.frames import CameraError

FILE = "report.html"
THUMBNAIL = (400, 300)
THUMBNAIL_QUALITY = 72
CHART_LEFT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 20.0, 310.0, 18.0, 184.0
GOOD, BAD, UNKNOWN = "#16794a", "#b3261e", "#5c6675"


def write_report(out: Path, results: Results) -> Path:
    """Write the report of the series into its folder. Returns its path.

    Raises:
        DependencyError: jinja2 is not installed.
    """
    path = out / FILE
    path.write_text(render(FILE, _content(out, results)), encoding="utf-8")
    return path


def render(template: str, content: dict[str, Any]) -> str:
    """A page from one of the templates beside this file.

    Raises:
        DependencyError: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader
    except ImportError as error:
        raise DependencyError("jinja2", "sim", "the report") from error
    loader = FileSystemLoader(Path(__file__).parent)
    pages = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return pages.get_template(template).render(**content)


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
        {"value": _mm(localised["median"]), "name": "localisation", "note": f"median; p95 {_mm(localised['p95'])}"},
        {"value": _seconds(summary["cycle_s"]), "name": "a trial", "note": f"median arm time; {first}".rstrip("; ")},
        {"value": _mm(placing["median"], 1), "name": "off target", "note": f"median; p95 {_mm(placing['p95'], 1)}"},
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
        colour = UNKNOWN if trial.placed is None else GOOD if trial.placed else BAD
        ways.append({"x1": x1, "y1": y1, "x2": x2, "y2": y2, "colour": colour})
    (right, top), (left, bottom) = at(0.05, -0.06), at(-0.015, 0.06)
    return {
        "sector": sector,
        "ways": ways,
        "base": {"x": left, "y": top, "w": round(right - left, 1), "h": round(bottom - top, 1)},
    }


def histogram(title: str, unit: str, values: Sequence[float]) -> dict[str, Any]:
    """Bars, ticks and the median of a histogram in a picture of 320 x 216."""
    if not values:
        return {"title": title, "unit": "no data", "bars": [], "ticks": [], "lines": []}
    width = _bin_width(max(values) - min(values))
    first = math.floor(min(values) / width)
    count = max(1, math.floor(max(values) / width) - first + 1)
    edges = width * (first + np.arange(count + 1))
    counts = np.histogram(values, edges)[0]

    def x(value: float) -> float:
        share = (value - float(edges[0])) / float(edges[-1] - edges[0])
        return round(CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * share, 1)

    bars = []
    for i, n in enumerate(counts):
        height = (CHART_BOTTOM - CHART_TOP) * float(n) / float(counts.max())
        label = f"{edges[i]:g} to {edges[i + 1]:g}: {n}"
        w = max(x(edges[i + 1]) - x(edges[i]) - 1.0, 0.5)
        bars.append({"x": x(edges[i]), "y": round(CHART_BOTTOM - height, 1), "w": w, "h": height, "label": label})
    every = math.ceil(len(edges) / 8)
    median = float(np.median(values))
    anchor = "start" if x(median) < 100 else "end" if x(median) > 240 else "middle"
    return {
        "title": title,
        "unit": unit,
        "bars": bars,
        "ticks": [{"x": x(e), "label": f"{e:g}"} for e in edges[::every].round(6)],
        "lines": [{"x": x(median), "label": f"median {median:.1f}", "colour": "#d97706", "anchor": anchor}],
    }


def _bin_width(span: float) -> float:
    """A round width that gives about a dozen bars."""
    raw = max(span, 1e-3) / 12.0
    power = 10.0 ** math.floor(math.log10(raw))
    return float(next((step * power for step in (1.0, 2.0, 5.0) if step * power >= raw), 10.0 * power))


def _row(out: Path, trial: TrialRecord) -> dict[str, Any]:
    verdict = {True: "placed", False: "not placed", None: "seen placed" if trial.seen_placed else "not judged"}
    tone = {True: "good", False: "bad", None: ""}
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
        "tone": tone[trial.placed],
        "reason": f"{trial.cause}: {trial.reason}" if trial.cause not in ("", trial.reason) else trial.reason,
        "setbacks": trial.setbacks,
        "sight": trial.sight,
        "error": _mm(error, 1),
        "localised": _mm(max(trial.localisation_mm, default=None)),
        "cycle": _seconds(trial.cycle_s),
        "attempts": trial.attempts,
        "tool": tool,
    }


def thumbnail(path: Path) -> str:
    """The picture as a small JPEG in base64; "" where there is none that can be read."""
    if not path.exists():
        return ""
    try:
        image = read_image(path)
    except CameraError:
        return ""  # the others of the report are worth more
    small = cv2.resize(image, THUMBNAIL, interpolation=cv2.INTER_AREA)
    jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY])[1]
    return base64.b64encode(jpeg.tobytes()).decode("ascii")


def _mm(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f} mm"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"
