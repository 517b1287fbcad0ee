"""What the change of world costs each policy: success in source and target, beside the bars that were set."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dofbot_ros.core.model_files import networks_digest
from dofbot_ros.core.resources import share_file
from dofbot_ros.desks.config import OWN
from dofbot_ros.errors import InputError
from dofbot_ros.policy.evaluation.evaluate import EvaluateConfig, evaluate
from dofbot_ros.policy.interface.spec import SPEC, load_spec

RESULTS, TABLE, CHART = "results.jsonl", "domain_gap.md", "domain_gap.png"
DOMAINS = ("source", "target")

BARS = {
    ("reach", "state", "source"): 1.0,
    ("pick", "state", "source"): 0.98,
    ("pick", "state", "target"): 0.95,
    ("pick", "image", "source"): 0.85,
    ("pick", "image", "target"): 0.80,
    ("pick", "pipeline", "source"): 0.85,
    ("pick", "pipeline", "target"): 0.80,
}
"""Success rates asked of policies that were trained with `wide`."""

LARGEST_SHARE = 0.5
"""Of the drop from source to target without randomisation that may remain with `wide`."""

DROPS = (("pick", "state"),)
"""Of which this is asked; the table shows what the others lose."""

Report = Callable[[str, int, int], None]
"""Told which row is measured, how many episodes are done and how many of them succeeded."""


@dataclass(frozen=True)
class Row:
    """One policy in one domain.

    Attributes:
        task, obs, randomize: of the policy.
        domain: source or target, or the word desk and its name.
        episodes: measured.
        success_rate: share of them whose goal was truly reached at their end.
        interval: of it, Wilson's, 95 %.
        policy: name of its folder.
        model: first half of the SHA-256 of its networks.
        seed: of the first episode.
    """

    task: str
    obs: str
    randomize: str
    domain: str
    episodes: int
    success_rate: float
    interval: tuple[float, float]
    policy: str
    model: str
    seed: int


@dataclass(frozen=True)
class Verdict:
    """A bar, and whether it is met.

    Attributes:
        what: is asked for.
        bar: what is wanted.
        measured: what there is; None where a row is missing.
        met: whether it does.
    """

    what: str
    bar: str
    measured: str | None
    met: bool


def shipped_policies() -> list[Path]:
    """Folders of all policies of this package, in order of their names.

    Raises:
        InputError: it has none.
    """
    return sorted(spec.parent for spec in share_file("models", "policy").glob(f"*/{SPEC}"))


def domain_gap(
    policies: Sequence[Path],
    out: Path,
    episodes: int,
    seed: int,
    *,
    workers: int = 1,
    desks: Sequence[str] = (),
    report: Report | None = None,
) -> dict[str, Any]:
    """Measure policies in both domains, in the nodes' physics, and write table and chart.

    Args:
        policies: folders of policies.
        out: folder for results.jsonl, from which a later call goes on, domain_gap.md and domain_gap.png.
        episodes: of each row.
        seed: of the first episode of each row.
        workers: processes over which the episodes are spread; that changes nothing in the result.
        desks: names or files of desks in which policies are measured, too; rows name them as domains.
        report: see Report.

    Returns:
        `rows`, `bars` (of shipped policies alone): as plain values; `table`, `chart`: the files.

    Raises:
        InputError: a folder holds no policy, or there is none.
    """
    if not policies:
        raise InputError("there is no policy to measure: give runs with --model")
    digests = {folder: networks_digest(folder) for folder in policies}
    out.mkdir(parents=True, exist_ok=True)
    known = _known(out / RESULTS)
    rows = []
    for folder, digest in digests.items():
        configs = [EvaluateConfig(folder, episodes, domain, seed) for domain in DOMAINS]
        configs += [EvaluateConfig(folder, episodes, seed=seed, desk=desk) for desk in desks]
        for config in configs:
            key = (digest, _world(config), episodes, seed)
            row = known.get(key) or _measure(config, workers, report)
            if key not in known:
                with (out / RESULTS).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(row)) + "\n")
            rows.append(row)
    rows.sort(key=lambda row: (row.task, row.obs, row.randomize))
    # The bars were set for the policies that are shipped: a run of somebody else's has its own.
    ours = {networks_digest(folder) for folder in shipped_policies()}
    asked = [row for row in rows if row.model in ours]
    verdicts = judge(asked) if asked else []
    (out / TABLE).write_text(table(rows, verdicts), encoding="utf-8")
    _chart(rows, out / CHART, ours)
    return {
        "rows": [asdict(row) for row in rows],
        "bars": [asdict(verdict) for verdict in verdicts],
        "table": str(out / TABLE),
        "chart": str(out / CHART),
    }


def judge(rows: Sequence[Row]) -> list[Verdict]:
    """Every bar beside what was measured."""
    rate = {(row.task, row.obs, row.randomize, row.domain): row.success_rate for row in rows}
    verdicts = []
    for (task, obs, domain), bar in BARS.items():
        found = rate.get((task, obs, "wide", domain))
        shown = None if found is None else f"{found:.1%}"
        met = found is not None and found >= bar
        verdicts.append(Verdict(f"{task} from {obs}, {domain}", f"{bar:.0%}", shown, met))
    for task, obs in DROPS:
        drops = [
            rate[(task, obs, level, "source")] - rate[(task, obs, level, "target")]
            for level in ("none", "wide")
            if (task, obs, level, "target") in rate
        ]
        if len(drops) == 2:
            plain, wide = drops
            shown = f"{100 * wide:.1f} of {100 * plain:.1f} points"
            what = f"{task} from {obs}, drop from source to target with wide, of that with none"
            verdicts.append(Verdict(what, "half at most", shown, wide <= LARGEST_SHARE * max(plain, 0.0)))
    return verdicts


def table(rows: Sequence[Row], verdicts: Sequence[Verdict]) -> str:
    """Both as Markdown."""
    lines = ["| task | observation | randomised | domain | episodes | success | 95 % interval |", "|---" * 7 + "|"]
    for row in rows:
        low, high = row.interval
        lines.append(
            f"| {row.task} | {row.obs} | {row.randomize} | {row.domain} | {row.episodes} | {row.success_rate:.1%} | "
            f"{low:.1%} to {high:.1%} |"
        )
    if verdicts:
        lines += ["", "| bar | asked | measured | |", "|---" * 4 + "|"]
    for verdict in verdicts:
        word = "met" if verdict.met else "not measured" if verdict.measured is None else "**missed**"
        lines.append(f"| {verdict.what} | {verdict.bar} | {verdict.measured or ''} | {word} |")
    return "\n".join(lines) + "\n"


def _known(path: Path) -> dict[tuple[str, str, int, int], Row]:
    """Rows of earlier calls."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        rows = [Row(**{**json.loads(line), "interval": tuple(json.loads(line)["interval"])}) for line in lines]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{path} was not written by this command ({error}): take another --out") from error
    return {(row.model, row.domain, row.episodes, row.seed): row for row in rows}


def _measure(config: EvaluateConfig, workers: int, report: Report | None) -> Row:
    folder = config.model

    def told(done: int, succeeded: int) -> None:
        if report is not None:
            report(f"{folder.name} in {_world(config)}", done, succeeded)

    result = evaluate(config, workers, told)
    level = load_spec(folder).training.get("randomize", "none")
    low, high = result["interval"]
    return Row(
        result["task"],
        result["obs"],
        level,
        _world(config),
        config.episodes,
        result["success_rate"],
        (low, high),
        folder.name,
        networks_digest(folder),
        config.seed,
    )


def _world(config: EvaluateConfig) -> str:
    """As rows name it: the domain, or the desk."""
    return config.domain if config.desk == OWN else f"desk {config.desk}"


def _chart(rows: Sequence[Row], path: Path, ours: set[str]) -> None:
    """Success with its intervals: a group for each policy, source beside target; `ours` are asked for bars."""
    from matplotlib.figure import Figure

    groups = list(dict.fromkeys((row.task, row.obs, row.randomize) for row in rows))
    figure = Figure(figsize=(max(5.0, 1.2 * len(groups) + 1.5), 4.2), layout="constrained")
    axes = figure.subplots()
    for side, (domain, colour) in enumerate(zip(DOMAINS, ("#4477aa", "#ee9944"), strict=True)):
        for place, group in enumerate(groups):
            found = [r for r in rows if (r.task, r.obs, r.randomize) == group and r.domain == domain]
            for row in found:
                low, high = row.interval
                error = [[row.success_rate - low], [high - row.success_rate]]
                x = place + 0.38 * (side - 0.5)
                label = domain if place == 0 else None
                axes.bar(x, row.success_rate, 0.36, yerr=error, capsize=3, color=colour, label=label)
                bar = BARS.get((row.task, row.obs, domain))
                if bar is not None and row.randomize == "wide" and row.model in ours:
                    axes.plot([x - 0.18, x + 0.18], [bar, bar], color="black", linewidth=2)
    if any(row.model in ours for row in rows):
        axes.plot([], [], color="black", linewidth=2, label="bar")
    axes.set_xticks(range(len(groups)), [f"{task}\n{obs}\n{level}" for task, obs, level in groups])
    axes.set_ylim(0.0, 1.05)
    axes.set_ylabel("success rate, 95 % interval")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=3, frameon=False)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    figure.savefig(path, dpi=110)
