"""The hopper's domain gap as a table, beside the bars that were set and the figures of the task it follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dofbot_ros.core.statistics import bootstrap_mean

ORIGINAL = {
    ("state", "none"): (1410.0, 1230.0),
    ("state", "wide"): (790.0, 745.0),
    ("image", "none"): (445.0, 195.0),
    ("image", "wide"): (45.0, 45.0),
    ("pipeline", "none"): (160.0, 50.0),
    ("pipeline", "wide"): (135.0, 25.0),
}
"""Source and target of the first system, read by eye off its chart: episodes of 500 steps, SAC."""

SEEDS_WANTED = 5
"""Seeds for which the bars were set."""


@dataclass(frozen=True)
class Group:
    """Policies that differ in their seed alone.

    Attributes:
        obs, randomize, trained_in: of the policies.
        episodes: of each in each domain.
        source, target: mean return of each policy.
        source_500, target_500: the same, of the first 500 steps.
        source_interval, target_interval: of the mean over policies (bootstrap, 95 %).
        drop_interval: of what a policy loses from source to target, on average.
    """

    obs: str
    randomize: str
    trained_in: str
    episodes: int
    source: tuple[float, ...]
    target: tuple[float, ...]
    source_500: tuple[float, ...]
    target_500: tuple[float, ...]
    source_interval: tuple[float, float]
    target_interval: tuple[float, float]
    drop_interval: tuple[float, float]

    @property
    def drop(self) -> float:
        """Mean loss from source to target."""
        return float(np.mean(self.source) - np.mean(self.target))

    def to_row(self) -> dict[str, Any]:
        """Plain values."""
        means = {"mean_source": float(np.mean(self.source)), "mean_target": float(np.mean(self.target))}
        return {**vars(self), "seeds": len(self.source), **means, "drop": self.drop}


@dataclass(frozen=True)
class Verdict:
    """A bar, and whether it is met; `measured` is None where a row is missing."""

    what: str
    bar: str
    measured: str | None
    met: bool


def judge(groups: Sequence[Group]) -> list[Verdict]:
    """Every bar beside what was measured."""
    by = {(group.obs, group.randomize): group for group in groups if group.trained_in == "source"}
    ceiling = next((group for group in groups if group.trained_in == "target"), None)
    none, wide = by.get(("state", "none")), by.get(("state", "wide"))
    verdicts = [
        _least("state none, source", none.source if none else None, 3000.0),
        _least("state none, source, first 500 steps", none.source_500 if none else None, 1500.0),
        _least("state wide, target", wide.target if wide else None, 2500.0),
    ]
    if none and wide:
        shown = f"{wide.drop:.0f} of {none.drop:.0f}"
        verdicts.append(
            Verdict("drop of state wide, of that of none", "half at most", shown, wide.drop <= none.drop / 2)
        )
        low, high = difference_interval(none, wide)
        several = min(len(none.source), len(wide.source)) > 1
        told = f"{low:.0f} to {high:.0f}" if several else None
        verdicts.append(Verdict("difference of both drops, 95 % interval", "above 0", told, several and low > 0.0))
    for obs, bar in (("pipeline", 1500.0), ("image", 1200.0)):
        for domain in ("source", "target"):
            rows: list[tuple[float, ...]] = [getattr(group, domain) for key, group in by.items() if key[0] == obs]
            best = max(rows, key=np.mean, default=None)
            verdicts.append(_least(f"{obs}, {domain} (the better level)", best, bar))
    shown_ceiling = None if ceiling is None else f"{np.mean(ceiling.target):.0f}"
    verdicts.append(Verdict("state trained in target, target", "reported", shown_ceiling, ceiling is not None))
    return verdicts


def difference_interval(none: Group, wide: Group) -> tuple[float, float]:
    """Of the mean drop with none less that with wide (bootstrap over the seeds of both, 95 %)."""
    rng = np.random.default_rng(0)
    drops = [np.subtract(group.source, group.target) for group in (none, wide)]
    means = [drop[rng.integers(len(drop), size=(10_000, len(drop)))].mean(axis=1) for drop in drops]
    low, high = np.quantile(means[0] - means[1], [0.025, 0.975])
    return float(low), float(high)


def table(groups: Sequence[Group], verdicts: Sequence[Verdict]) -> str:
    """Both as Markdown."""
    lines = [
        "| observation | randomised | trained in | seeds | source | 95 % | target | 95 % | drop "
        "| source, 500 steps | target, 500 steps | original |",
        "|---" * 12 + "|",
    ]
    for group in groups:
        original = ORIGINAL.get((group.obs, group.randomize)) if group.trained_in == "source" else None
        told = "" if original is None else f"{original[0]:.0f} / {original[1]:.0f}"
        several = len(group.source) > 1
        intervals = (group.source_interval, group.target_interval)
        source, target = (f"{low:.0f} to {high:.0f}" if several else "" for low, high in intervals)
        cells = [
            *(group.obs, group.randomize, group.trained_in, str(len(group.source))),
            *(f"{np.mean(group.source):.0f}", source, f"{np.mean(group.target):.0f}", target, f"{group.drop:.0f}"),
            *(f"{np.mean(group.source_500):.0f}", f"{np.mean(group.target_500):.0f}", told),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| bar | asked | measured | |", "|---" * 4 + "|"]
    for verdict in verdicts:
        word = "not measured" if verdict.measured is None else "met" if verdict.met else "**missed**"
        lines.append(f"| {verdict.what} | {verdict.bar} | {verdict.measured or ''} | {word} |")
    fewest = min((len(group.source) for group in groups), default=0)
    if fewest < SEEDS_WANTED:
        told = f"The bars ask for {SEEDS_WANTED} seeds; some rows have {fewest}: intervals over so few are too narrow."
        lines += ["", told]
    return "\n".join(lines) + "\n"


def _least(what: str, values: Sequence[float] | None, bar: float) -> Verdict:
    if not values:
        return Verdict(what, f"{bar:.0f}", None, False)
    low, high = bootstrap_mean(values, np.random.default_rng(0))
    mean = float(np.mean(values))
    shown = f"{mean:.0f} ({low:.0f} to {high:.0f})" if len(values) > 1 else f"{mean:.0f}, one seed"
    return Verdict(what, f"{bar:.0f}", shown, mean >= bar)
