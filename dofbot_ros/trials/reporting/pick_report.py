"""report.html of grasp trials: success by condition, ways to fail, and every trial with its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dofbot_ros.trials.log import PickLog
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.placement import PickProtocol
from dofbot_ros.trials.reporting import page
from dofbot_ros.trials.reporting.chart import histogram
from dofbot_ros.trials.reporting.pick_summary import rate, summary
from dofbot_ros.vision.cameras.identity import read_camera

MEANINGS = {
    "slipped": "the fingers held something, but no object was up at the end",
    "missed": "the fingers closed on nothing",
    "pushed": "the fingers closed on nothing, and an object was moved",
    "no grasp": "nothing was found, or nothing within reach",
    "refused": "the arm refused a motion or ended it early",
    "fault": "the arm was in FAULT or ESTOP: its servos or their bus failed, or it was stopped",
}


def write_report(log: PickLog) -> Path:
    """Write the report of a series into its folder. Returns its path.

    Raises:
        DependencyError: jinja2 is not installed.
    """
    return page.write_page(log.folder, "pick_report.html", _content(log))


def _content(log: PickLog) -> dict[str, Any]:
    series, records = log.series, sorted(log.records, key=_order(log))
    figures = summary(records)
    conditions = [c.name for c in series.protocol.conditions if c.name in figures["by_condition"]]
    return {
        "title": f"Grasp trials: {series.planner} on {series.backend}",
        "subtitle": ", ".join(
            [
                f"protocol {series.protocol.name}",
                f"seed {series.seed}",
                f"judged by {series.judge}",
                *([f"desk {series.desk_label}"] if series.backend != "serial" else []),
                *([f"network {series.model}"] if series.model else []),
                *([f"camera: {camera}"] if (camera := read_camera(log.folder)) is not None else []),
            ]
        ),
        "cards": _cards(figures),
        "conditions": [_bar(name, [r for r in records if r.condition == name]) for name in conditions],
        "failures": [
            {"name": name, "count": count, "meaning": MEANINGS.get(name, "")}
            for name, count in figures["failures"].items()
        ],
        "map": _map(records, series.protocol),
        "charts": [
            histogram(
                "Arm time of a trial that succeeded",
                "seconds, look to judged",
                [r.arm_s for r in records if r.lifted and r.arm_s is not None],
            )
        ],
        "columns": ["Rose", "Fingers", "Arm time", "Plan"],
        "tool_column": "Tool",
        "rows": [_row(log, record) for record in records],
        "protocol": series.protocol,
        "command": f"dofbot trials run --planner {series.planner} --backend {series.backend} --seed {series.seed} "
        f"--judge {series.judge} --protocol FILE --out DIR",
    }


def _order(log: PickLog) -> Any:
    names = [condition.name for condition in log.series.protocol.conditions]
    return lambda record: (names.index(record.condition), record.number)


def _cards(figures: dict[str, Any]) -> list[dict[str, str]]:
    low, high = figures["interval"]
    share = figures["success_rate"]
    note = "" if share is None else f"{_percent(share)}, 95\u00a0% interval {100 * low:.1f} to {_percent(high)}"
    skipped = f"; {figures['skipped']} skipped" if figures["skipped"] else ""
    failures = sum(figures["failures"].values())
    worst = ", ".join(f"{count} {name}" for name, count in figures["failures"].items())
    return [
        {"value": f"{figures['lifted']} of {figures['trials']}", "name": "lifted and held", "note": note + skipped},
        {"value": str(failures), "name": "failures", "note": worst},
        {"value": page.unit(figures["arm_s"]["median"], "s"), "name": "a success", "note": "median arm time"},
        {
            "value": page.unit(figures["plan_ms"]["median"], "ms"),
            "name": "a plan",
            "note": "median, from image to plan",
        },
    ]


def _bar(name: str, records: Sequence[PickRecord]) -> dict[str, Any]:
    """A condition as a row of the table: its rate as a dot on its interval, in a picture of 220 x 16."""
    figures = rate(records)
    low, high = figures["interval"]
    share = figures["success_rate"]
    return {
        "name": name,
        "count": f"{figures['lifted']} of {figures['trials']}",
        "share": "–" if share is None else _percent(share),
        "interval": f"{100 * low:.1f} to {_percent(high)}",
        "low": round(10 + 200 * low, 1),
        "high": round(10 + 200 * high, 1),
        "dot": None if share is None else round(10 + 200 * share, 1),
    }


def _map(records: Sequence[PickRecord], protocol: PickProtocol) -> dict[str, Any]:
    left, top = page.on_map(protocol.x[1], protocol.y[1])
    right, bottom = page.on_map(protocol.x[0], protocol.y[0])
    dots = []
    for record in records:
        x, y = page.on_map(record.objects[0].x, record.objects[0].y)
        dots.append(
            {
                "x": x,
                "y": y,
                "colour": page.colour(record.lifted),
                "label": f"{record.label}: {record.outcome}",
                "id": record.label,
            }
        )
    return page.table_map(
        "Where the objects stood",
        "Places of the objects to be lifted",
        "From above, forward is up. Green: lifted, red: not, grey: not counted.",
        {
            "area": {"x": left, "y": top, "w": round(right - left, 1), "h": round(bottom - top, 1)},
            "dots": sorted(dots, key=lambda dot: dot["colour"] == page.BAD),  # failures on top
        },
    )


def _row(log: PickLog, record: PickRecord) -> dict[str, Any]:
    plan = record.plan
    planned = [f"{text} {plan[key]:.0f}°" for key, text in (("tilt_deg", "tilt"), ("roll_deg", "roll")) if key in plan]
    thing = record.thing if record.thing != record.objects[0].name else ""
    return {
        "id": record.label,
        "label": record.label,
        "name": record.label,
        "object": record.objects[0].name,
        "others": ", ".join(thing.name for thing in record.objects[1:]),
        "before": page.thumbnail(log.image_path(record.label, "before")),
        "after": page.thumbnail(log.image_path(record.label, "after")),
        "outcome": record.outcome,
        "tone": page.tone(record.lifted),
        "reason": record.reason,
        "notes": [f"it was {thing}"] if thing else [],
        "episode": record.episode,
        "numbers": [
            page.unit(record.rise_mm, "mm"),
            page.unit(record.gap_mm, "mm"),
            page.unit(record.arm_s, "s", 1),
            page.unit(record.plan_ms, "ms"),
        ],
        "tool": ", ".join(planned),
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"
