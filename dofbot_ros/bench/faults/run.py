"""Runs the fault matrix in virtual time, in two processes, and sums it up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rich.progress import Progress

from dofbot_ros.bench.faults.case import Case, Outcome, all_cases, run_case, some_cases
from dofbot_ros.bench.faults.real import run_real
from dofbot_ros.bench.faults.ros_cases import run_ros
from dofbot_ros.bench.faults.table import cells
from dofbot_ros.cli.output import console
from dofbot_ros.core.parallel import in_processes

WORKERS = 2


def run(cases: Sequence[Case], workers: int = WORKERS) -> list[Outcome]:
    """Run `cases` in processes of their own. Returns their outcomes in the order of `cases`."""
    found: dict[Case, Outcome] = {}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("fault matrix", total=len(cases))
        for case, outcome in in_processes(run_case, cases, workers):
            found[case] = outcome
            progress.advance(task)
    return [found[case] for case in cases]


def measure(
    full: bool = False, state: str | None = None, fault: str | None = None
) -> tuple[dict[str, Any], list[Outcome]]:
    """Run the matrix.

    Args:
        full: the whole product of states, faults and events, and the cases of real processes; else a part of it that a
            minute is enough for.
        state: only states whose name holds this.
        fault: only faults whose name holds this.

    Returns:
        What `dofbot bench faults` prints, and the outcomes. `cases`, how many ran; `violations`, one a broken rule,
        with `case`, `rule`, `time_s` from the onset of the fault, `joint`, `value`, `limit` and `what`; `table`, one
        row a state and fault with `worst_motion_deg`, `worst_speed`, `estop_ms`, `fault_ms` and `violations`; and
        `seconds`.
    """
    chosen = [
        case
        for case in (all_cases() if full or state or fault else some_cases())
        if (state or "") in case.state and (fault or "") in case.fault
    ]
    begin = time.monotonic()
    outcomes = run(chosen)
    if full:
        outcomes += [*run_real(), *run_ros()]
    summary = summarise(outcomes) | {"seconds": time.monotonic() - begin}
    return summary, outcomes


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """`cases`, `violations` and `table` of some outcomes."""
    return {
        "cases": len(outcomes),
        "violations": [
            {
                "case": str(outcome.case),
                "rule": violation.rule,
                "time_s": violation.time_s - outcome.onset_s,
                "joint": violation.joint,
                "value": violation.value,
                "limit": violation.limit,
                "what": violation.what,
            }
            for outcome in outcomes
            for violation in outcome.judgement.violations
        ],
        "table": [cell.row() for cell in cells(outcomes)],
    }
