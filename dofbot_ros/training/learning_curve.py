"""How a run learns: a line of JSON now and then, and the picture of them all at its end."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dofbot_ros.core.files import whole_file, write_whole

LOG, PICTURE = "progress.jsonl", "learning_curve.png"


class LearningCurve:
    """What became of a run, those of its parts before an interruption included.

    Args:
        folder: of the run; `progress.jsonl` and `learning_curve.png` are put there.
        resume: go on with what the folder holds.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._path, self._picture = folder / LOG, folder / PICTURE
        self.lines: list[dict[str, Any]] = []
        if resume and self._path.exists():
            text = self._path.read_text(encoding="utf-8")
            # A line that was cut off counts as not written.
            self.lines = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        self._rewrite()

    def go_on(self, phase: str, done: int) -> None:
        """Forget what a phase noted beyond its last checkpoint: that is learned anew."""
        self.lines = [line for line in self.lines if line["phase"] != phase or line["done"] <= done]
        self._rewrite()

    def add(self, phase: str, done: int, values: Mapping[str, float]) -> None:
        """Note how the run is; what is not known yet (nan) is left out.

        Args:
            phase: what `done` counts: "steps", "episodes".
            done: so far.
            values: by name, as they stand beside their axis: {"success rate": 0.4}.
        """
        known = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        if not known:
            return
        line = {"phase": phase, "done": done, **known}
        self.lines.append(line)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def draw(self) -> Path | None:
        """Draw every value over what its phase counts, one below the other. None where nothing was noted."""
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator

        drawn: dict[tuple[str, str], list[tuple[int, float]]] = {}
        for line in self.lines:
            for name in line.keys() - {"phase", "done"}:
                drawn.setdefault((line["phase"], name), []).append((line["done"], line[name]))
        if not drawn:
            return None
        figure = Figure(figsize=(7, 2.6 * len(drawn)), layout="constrained")
        panels = figure.subplots(len(drawn), squeeze=False)[:, 0]
        for axes, (phase, name) in zip(panels, sorted(drawn), strict=True):
            axes.plot(*zip(*drawn[phase, name], strict=True), marker="." if len(drawn[phase, name]) < 3 else "")
            axes.set_xlabel(phase)
            axes.set_ylabel(name)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.3)
        with whole_file(self._picture) as draft:
            figure.savefig(draft, dpi=110)
        return self._picture

    def _rewrite(self) -> None:
        write_whole(self._path, "".join(json.dumps(line) + "\n" for line in self.lines))
