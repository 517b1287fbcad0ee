"""The ladder as a picture: for each job how often it succeeds on each desk, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.errors import DependencyError, InputError

COLOURS = ("#16794a", "#3a7ca5", "#5b9bd5", "#d97706", "#b3261e")
"""From the desk without errors to the roughest."""


FORMATS = (".png", ".svg", ".pdf")


def check_format(path: Path) -> None:
    """Refuse a picture that draw_ladder would not write, before anything is measured.

    Raises:
        InputError: another ending than one of FORMATS.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"a chart is no {path.suffix or 'file without an ending'}: name a .png, .svg or .pdf")


def draw_ladder(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the picture; its format is that of the file's ending.

    Args:
        rows: of run.summary(): world, job, n, success, interval.
        path: of the picture.

    Raises:
        InputError: no rows, or another format than one of FORMATS.
        DependencyError: matplotlib is not installed.
    """
    check_format(path)
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("matplotlib", "sim", "the chart") from error
    if not rows:
        raise InputError("nothing has been measured yet: there is nothing to draw")
    worlds, jobs = (list(dict.fromkeys(row[key] for row in rows)) for key in ("world", "job"))
    figure = Figure(figsize=(9.0, 1.2 + 1.9 * len(jobs)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(jobs), 1, sharex=True, squeeze=False)[:, 0]
    for ax, job in zip(axes, jobs, strict=True):
        mine = {row["world"]: row for row in rows if row["job"] == job}
        for place, world in enumerate(worlds):
            row = mine.get(world)
            if row is None:
                ax.text(1.0, place, "not measured", va="center", fontsize=9, color="#666666")
                continue
            share, (low, high) = 100.0 * row["success"], (100.0 * bound for bound in row["interval"])
            colour = COLOURS[min(round(place * (len(COLOURS) - 1) / max(len(worlds) - 1, 1)), len(COLOURS) - 1)]
            ax.barh(place, share, color=colour, height=0.7)
            bounds = np.array([[share - low], [high - share]])
            ax.errorbar(share, place, xerr=np.maximum(bounds, 0.0), color="#222222", capsize=3, lw=1.2)
            ax.text(101.5, place, f"{round(row['success'] * row['n'])} of {row['n']}", va="center", fontsize=9)
        ax.set_yticks(range(len(worlds)), worlds)
        ax.set_ylim(len(worlds) - 0.5, -0.5)
        ax.set_xlim(0.0, 115.0)
        ax.set_xticks(range(0, 101, 20))
        ax.set_title(job, loc="left", fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("success [%], with its 95 % interval")
    figure.savefig(path, dpi=110)
