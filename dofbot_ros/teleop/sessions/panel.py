"""How teleoperation stands, as a few lines for a terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.sessions.report import TeleopReport
from dofbot_ros.teleop.sessions.words import DEVICES, advice, instruction

QUIET = (Reason.START.value, Reason.RELEASED.value)
"""Reasons for having let go that nobody has to be told."""
BAR = 12
"""Length of the bar that fills while a sign is held [characters]."""


def panel(
    report: TeleopReport | None, source: str, mode: str, *, signs: bool = True, pace: tuple[float, int] | None = None
) -> Table:
    """The lines.

    Args:
        report: how it stands; None before the first word.
        source: keyboard, gamepad, or anything else for a camera or a recording.
        mode: hand or arm.
        signs: whether a sign engages; else a service or a key elsewhere does.
        pace: latency [ms] and inputs in the last second; None where the arm does not follow.
    """
    table = Table(title="Teleoperation, Ctrl-C ends it", title_justify="left", show_header=False, box=None, expand=True)
    table.add_column(justify="right", style="dim", no_wrap=True, width=len("let go because"))
    table.add_column(ratio=1)
    if report is None:
        table.add_row("state", "waiting for teleop_node")
        return table
    device = (source, report.engaged) in DEVICES
    colour, state = _state(report)
    table.add_row("state", f"[{colour}]{state}[/{colour}]" + (", at the limit" if report.clamped else ""))
    if device or signs:
        table.add_row("do", _todo(report, source, mode))
    if not report.engaged and report.reason not in QUIET:
        table.add_row("let go because", escape(report.reason))
    table.add_row("arm", escape(report.arm or "silent"))
    if report.target is not None:
        x, y, z, *_ = (1e3 * v for v in report.target)
        table.add_row("tool", f"x {x:4.0f}  y {y:4.0f}  z {z:4.0f} mm")
    if report.gap is not None:
        table.add_row("fingers", f"{1e3 * report.gap:.0f} mm apart")
    if not device:
        table.add_row("pictures", f"{report.frames}, of which {report.dropped} came too fast")
    if pace is not None:
        table.add_row("delay", f"{pace[0]:.0f} ms, {pace[1]} inputs/s")
    return table


def _state(report: TeleopReport) -> tuple[str, str]:
    if report.engaged:
        return "green", "following"
    if report.source or report.fault:
        return "red", "holding"
    return "yellow", "ready"


def _todo(report: TeleopReport, source: str, mode: str) -> str:
    if not report.engaged and (report.source or report.fault):
        if report.fault == Reason.SETTLING.value and (source, False) in DEVICES:
            return "one moment"
        return escape(report.source or advice(report.fault))
    todo = escape(instruction(source, mode, report.engaged, report.primed))
    if report.progress > 0.0:
        filled = round(BAR * min(1.0, report.progress))
        todo += f"  [green]{'━' * filled}[/green][dim]{'━' * (BAR - filled)}[/dim]"
    return todo
