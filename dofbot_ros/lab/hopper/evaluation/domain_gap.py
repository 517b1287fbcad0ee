"""What the change of world costs hopper policies: every kind over several seeds, in source and target."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.core.model_files import networks_digest
from dofbot_ros.core.statistics import bootstrap_mean
from dofbot_ros.errors import InputError
from dofbot_ros.lab.hopper.evaluation.evaluate import HopperEvaluateConfig, evaluate_hopper
from dofbot_ros.lab.hopper.evaluation.gap_report import Group, judge, table
from dofbot_ros.lab.hopper.policy import HopperPolicy
from dofbot_ros.policy.interface.spec import MODEL

RESULTS, TABLE, CHART = "results.jsonl", "domain_gap.md", "domain_gap.png"
DOMAINS = ("source", "target")

Report = Callable[[str, int, float], None]
"""Told what is measured, how many episodes are done, and their mean return."""


def hopper_gap(
    policies: Sequence[Path], out: Path, episodes: int, seed: int, report: Report | None = None
) -> dict[str, Any]:
    """Measure policies in both domains and write results, table and chart.

    Args:
        policies: run folders; those alike but for their seed are one row.
        out: folder for results.jsonl, from which a later call goes on, domain_gap.md and domain_gap.png.
        episodes: of each policy in each domain.
        seed: of the first episode of each.
        report: see Report.

    Returns:
        `rows` and `bars` as plain values; `table` and `chart`, the files.

    Raises:
        InputError: there is no policy, or a folder holds none.
    """
    from dofbot_ros.lab.hopper.evaluation.gap_chart import chart

    if not policies:
        raise InputError("there is no hopper policy to measure: give runs with --model, or --seeds to train them")
    specs = {folder: HopperPolicy(folder).spec for folder in policies}
    out.mkdir(parents=True, exist_ok=True)
    known = _known(out / RESULTS)
    found: dict[tuple[str, str, str], dict[str, list[dict[str, Any]]]] = {}
    for folder, spec in specs.items():
        training = spec.training
        key = (spec.obs, training.get("randomize", "none"), training.get("domain", "source"))
        group = found.setdefault(key, {domain: [] for domain in DOMAINS})
        for domain in DOMAINS:
            name = f"{_digest(folder)} {domain} {episodes} {seed}"
            if name not in known:

                def told(done: int, mean: float, what: str = f"{folder.name} in {domain}") -> None:
                    if report is not None:
                        report(what, done, mean)

                known[name] = evaluate_hopper(HopperEvaluateConfig(folder, episodes, domain, seed), told)
                line = {"key": name, "policy": folder.name, **known[name]}
                with (out / RESULTS).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
            group[domain].append(known[name])
    groups = [_group(key, results, episodes) for key, results in sorted(found.items())]
    verdicts = judge(groups)
    (out / TABLE).write_text(table(groups, verdicts), encoding="utf-8")
    chart(groups, out / CHART)
    return {
        "rows": [group.to_row() for group in groups],
        "bars": [vars(verdict) for verdict in verdicts],
        "table": str(out / TABLE),
        "chart": str(out / CHART),
    }


def _group(key: tuple[str, str, str], results: dict[str, list[dict[str, Any]]], episodes: int) -> Group:
    means = {domain: [float(one["mean_return"]) for one in results[domain]] for domain in DOMAINS}
    half = {domain: [float(one["return_500"]) for one in results[domain]] for domain in DOMAINS}
    drops = [source - target for source, target in zip(means["source"], means["target"], strict=True)]

    def interval(values: list[float]) -> tuple[float, float]:
        return bootstrap_mean(values, np.random.default_rng(0))

    return Group(
        *key,
        episodes=episodes,
        source=tuple(means["source"]),
        target=tuple(means["target"]),
        source_500=tuple(half["source"]),
        target_500=tuple(half["target"]),
        source_interval=interval(means["source"]),
        target_interval=interval(means["target"]),
        drop_interval=interval(drops),
    )


def _known(path: Path) -> dict[str, dict[str, Any]]:
    """Measurements of earlier calls."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return {str(one["key"]): dict(one) for one in map(json.loads, lines)}
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} was not written by this command ({error}): take another --out") from error


def _digest(folder: Path) -> str:
    """Of all networks in the folder: a pipeline has two."""
    if not (folder / MODEL).exists():
        raise InputError(f"{folder / MODEL} does not exist: a finished run of `dofbot policy train` is needed")
    return networks_digest(folder)
