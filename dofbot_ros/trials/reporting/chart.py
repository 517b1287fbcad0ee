"""The histogram of a report of trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

CHART_LEFT, CHART_RIGHT, CHART_TOP, CHART_BOTTOM = 20.0, 310.0, 18.0, 184.0


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
