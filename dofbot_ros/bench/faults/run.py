"""Runs the fault matrix: what goes in virtual time in two processes, then the cases of real time; and sums it up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dofbot_ros.bench.faults.case import all_cases, run_case, some_cases
from dofbot_ros.bench.faults.eta import Eta
from dofbot_ros.bench.faults.outcome import Case, Outcome, unmeasured
from dofbot_ros.bench.faults.real import real_cases
from dofbot_ros.bench.faults.real_time import RealTimeCase, attempt
from dofbot_ros.bench.faults.ros_cases import ros_cases
from dofbot_ros.bench.faults.state_file import StateFile
from dofbot_ros.bench.faults.table import cells, measured
from dofbot_ros.core.parallel import in_processes
from dofbot_ros.errors import DofbotError

WORKERS = 2
VIRTUAL_S = 0.5
"""Of the machine's time that a case in virtual time takes [s]."""


def run(cases: Sequence[Case], workers: int = WORKERS) -> list[Outcome]:
    """Run `cases` in processes of their own. Returns their outcomes in the order of `cases`."""
    found = dict(in_processes(run_case, cases, workers))
    return [found[case] for case in cases]


def measure(
    full: bool = False, state: str | None = None, fault: str | None = None, file: Path | None = None
) -> tuple[dict[str, Any], list[Outcome]]:
    """Run the matrix.

    Args:
        full: the whole product of states, faults and events, and the cases of real processes; else a part of it that a
            minute is enough for.
        state: only states whose name holds this.
        fault: only faults whose name holds this.
        file: keeps what is done; a matrix that was interrupted goes on from there.

    Returns:
        What `dofbot bench faults` prints, and the outcomes. `cases`, how many were measured; `violations`, one a broken
        rule, with `case`, `rule`, `time_s` from the onset of the fault, `joint`, `value`, `limit` and `what`;
        `unmeasured`, cases that could not be, with `case` and `why`; `table`, one row a state and fault with
        `worst_motion_deg`, `worst_speed`, `estop_ms`, `fault_ms` and `violations`; `seconds` of this run; and
        `interrupted`, whether Ctrl-C ended it before all was done.

    Raises:
        InputError: the file is not one of a matrix, or of another version.
    """

    def wanted(case: Case) -> bool:
        return (state or "") in case.state and (fault or "") in case.fault

    virtual = [case for case in (all_cases() if full or state or fault else some_cases()) if wanted(case)]
    real = [one for one in (*real_cases(), *ros_cases()) if full and wanted(one.case)]
    return _measure(virtual, real, StateFile(file))


def _measure(
    virtual: Sequence[Case], real: Sequence[RealTimeCase], file: StateFile
) -> tuple[dict[str, Any], list[Outcome]]:
    begin = time.monotonic()
    order = [*virtual, *(one.case for one in real)]
    kept = {case: file.done[case] for case in order if case in file.done}
    virtual = [case for case in virtual if case not in kept]
    real = [one for one in real if one.case not in kept]
    costs = dict.fromkeys(virtual, VIRTUAL_S / WORKERS) | {one.case: one.expected_s for one in real}
    interrupted = False
    with Eta("fault matrix", costs, done=len(kept)) as eta:
        try:
            for outcome in _outcomes(virtual, real, eta.begin):
                file.add(outcome)
                kept[outcome.case] = outcome
                eta.advance(outcome.case, sum(len(o.judgement.violations) for o in kept.values()))
        except KeyboardInterrupt:
            interrupted = True
    outcomes = [kept[case] for case in order if case in kept]
    return summarise(outcomes) | {"seconds": time.monotonic() - begin, "interrupted": interrupted}, outcomes


def _outcomes(
    virtual: Sequence[Case], real: Iterable[RealTimeCase], begin: Callable[[Case], None]
) -> Iterator[Outcome]:
    """Outcomes as they come. `begin` is told of each case of real time before it starts."""
    left = dict.fromkeys(virtual)
    try:
        for case, outcome in in_processes(run_case, virtual, WORKERS):
            left.pop(case)
            yield outcome
    except DofbotError as error:
        for case in left:
            yield unmeasured(case, str(error))
    for one in real:
        begin(one.case)
        yield attempt(one)


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """`cases`, `violations`, `unmeasured` and `table` of some outcomes."""
    known = measured(outcomes)
    return {
        "cases": len(known),
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
            for outcome in known
            for violation in outcome.judgement.violations
        ],
        "unmeasured": [{"case": str(o.case), "why": o.unmeasured} for o in outcomes if o.unmeasured],
        "table": [cell.row() for cell in cells(known)],
    }
