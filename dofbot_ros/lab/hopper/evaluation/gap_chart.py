"""The hopper's domain gap as a chart of six pairs, beside that of the system it follows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dofbot_ros.lab.hopper.evaluation.gap_report import ORIGINAL, Group

COLOURS = {"source": "#4477aa", "target": "#ee9944"}


def chart(groups: Sequence[Group], path: Path) -> None:
    """Write a PNG: pairs of source and target in the first 500 steps and in whole episodes, with the seeds as points.

    Args:
        groups: measured; those trained in target are left out.
        path: of the picture.
    """
    from matplotlib.figure import Figure

    measured = {(group.obs, group.randomize): group for group in groups if group.trained_in == "source"}
    figure = Figure(figsize=(12.0, 4.2), layout="constrained")
    panels = figure.subplots(1, 3, sharey=False)
    titles = ("original: SAC, 500 steps", "here: first 500 steps", "here: whole episodes, 1000 steps")
    for panel, title in enumerate(titles):
        axes = panels[panel]
        for place, key in enumerate(ORIGINAL):
            group = measured.get(key)
            for side, domain in enumerate(("source", "target")):
                x = place + 0.38 * (side - 0.5)
                if panel == 0:
                    values: tuple[float, ...] = (ORIGINAL[key][side],)
                elif group is None:
                    if side == 0:
                        axes.text(place, 30.0, "not\nmeasured", ha="center", va="bottom", fontsize=7)
                    continue
                else:
                    values = getattr(group, domain + ("_500" if panel == 1 else ""))
                axes.bar(x, float(np.mean(values)), 0.36, color=COLOURS[domain], label=domain if place == 0 else None)
                if panel:
                    axes.plot([x] * len(values), values, "k.", markersize=4)
        axes.set_xticks(range(len(ORIGINAL)), [f"{obs}\n{level}" for obs, level in ORIGINAL], fontsize=8)
        axes.set_xlim(-0.7, len(ORIGINAL) - 0.3)
        axes.set_title(title, fontsize=10)
        axes.set_ylim(0.0, 2000.0 if panel < 2 else 4000.0)
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
    panels[0].set_ylabel("mean return")
    panels[0].legend(frameon=False)
    figure.savefig(path, dpi=110)
