"""What reports of trials are made of: one HTML file with its pictures inside, its charts, its words for numbers."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dofbot_ros.errors import DependencyError
from dofbot_ros.vision.cameras.frame_files import read_image
from dofbot_ros.vision.cameras.frames import CameraError

FILE = "report.html"
THUMBNAIL = (400, 300)
THUMBNAIL_QUALITY = 72
CHART_LEFT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 20.0, 310.0, 18.0, 184.0
GOOD, BAD, UNKNOWN = "#16794a", "#b3261e", "#5c6675"


def write_page(folder: Path, template: str, content: dict[str, Any]) -> Path:
    """Write report.html into `folder` from one of the templates beside this file. Returns its path.

    Raises:
        DependencyError: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader
    except ImportError as error:
        raise DependencyError("jinja2", "sim", "the report") from error
    loader = FileSystemLoader(Path(__file__).parent)
    pages = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    path = folder / FILE
    path.write_text(pages.get_template(template).render(**content), encoding="utf-8")
    return path


def histogram(title: str, unit: str, values: Sequence[float]) -> dict[str, Any]:
    """Bars, ticks and the median of a histogram in a picture of 320 x 216."""
    if not values:
        return {"title": title, "unit": "no data", "bars": [], "ticks": [], "lines": []}
    width = _bin_width(max(values) - min(values))
    first = math.floor(min(values) / width)
    count = max(1, math.floor(max(values) / width) - first + 1)
    edges = width * (first + np.arange(count + 1))
    # A value may lie beyond the outermost edge by a rounding of it.
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]

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


def unit(value: float | None, name: str, digits: int = 0) -> str:
    """A figure with its unit; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f} {name}"


def tone(success: bool | None) -> str:
    """Style of a trial's word: good, bad, or "" where it does not count."""
    return {True: "good", False: "bad", None: ""}[success]


def colour(success: bool | None) -> str:
    """Colour of a trial in a chart."""
    return {True: GOOD, False: BAD, None: UNKNOWN}[success]
