"""The fault matrix as a table: for people on a terminal, and as Markdown for docs/safety.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from dofbot_ros.bench.faults.outcome import Outcome


@dataclass(frozen=True)
class Cell:
    """What the outcomes of one state and one fault have in common: the worst of each figure."""

    state: str
    fault: str
    cases: int
    worst_motion_deg: float
    worst_speed: float
    estop_ms: float | None
    fault_ms: float | None
    violations: int

    def row(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "state": self.state,
            "fault": self.fault,
            "cases": self.cases,
            "worst_motion_deg": self.worst_motion_deg,
            "worst_speed": self.worst_speed,
            "estop_ms": self.estop_ms,
            "fault_ms": self.fault_ms,
            "violations": self.violations,
        }


def measured(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Those of cases that could be measured."""
    return [outcome for outcome in outcomes if not outcome.unmeasured]


def cells(outcomes: Iterable[Outcome]) -> list[Cell]:
    """One cell a state and fault, in the order of the outcomes."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in measured(outcomes):
        groups.setdefault((outcome.case.state, outcome.case.fault), []).append(outcome)
    return [_cell(state, fault, group) for (state, fault), group in groups.items()]


def by_fault(outcomes: Iterable[Outcome]) -> list[Cell]:
    """One cell a fault, over all states."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in measured(outcomes):
        groups.setdefault(outcome.case.fault, []).append(outcome)
    return [_cell("all", fault, group) for fault, group in groups.items()]


def terminal_table(outcomes: Sequence[Outcome]) -> Table:
    """Faults down, states across: the worst motion in degrees and the worst speed; broken rules in red."""
    states = list(dict.fromkeys(outcome.case.state for outcome in outcomes))
    title = escape("Uncommanded motion [deg] / true speed [rad/s]")
    table = Table("fault", *states, title=title, title_justify="left")
    found = {(cell.state, cell.fault): cell for cell in cells(outcomes)}
    for fault in dict.fromkeys(outcome.case.fault for outcome in outcomes):
        row = []
        for state in states:
            cell = found.get((state, fault))
            text = "" if cell is None else f"{cell.worst_motion_deg:.1f} / {cell.worst_speed:.1f}"
            row.append(f"[red]{text}[/red]" if cell is not None and cell.violations else text)
        table.add_row(fault, *row)
    return table


def markdown(outcomes: Sequence[Outcome]) -> str:
    """The table of docs/safety.md: one line a fault, the worst over all states and events."""
    names = ("fault", "cases", "uncommanded motion [deg]", "true speed [rad/s]", "emergency stop [ms]")
    head = (*names, "noticed [ms]", "rules broken")
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for cell in by_fault(outcomes):
        lines.append(
            f"| {cell.fault} | {cell.cases} | {cell.worst_motion_deg:.2f} | {cell.worst_speed:.2f} "
            f"| {_number(cell.estop_ms)} | {_number(cell.fault_ms)} | {cell.violations} |"
        )
    return "\n".join(lines)


def _cell(state: str, fault: str, group: Sequence[Outcome]) -> Cell:
    return Cell(
        state,
        fault,
        len(group),
        max(outcome.judgement.worst_motion_deg for outcome in group),
        max(outcome.judgement.worst_speed for outcome in group),
        _worst(group, lambda outcome: outcome.judgement.estop_ms),
        _worst(group, lambda outcome: outcome.judgement.fault_ms if outcome.fault_due else None),
        sum(len(outcome.judgement.violations) for outcome in group),
    )


def _worst(group: Sequence[Outcome], figure: Callable[[Outcome], float | None]) -> float | None:
    known = [value for outcome in group if (value := figure(outcome)) is not None]
    return max(known) if known else None


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
