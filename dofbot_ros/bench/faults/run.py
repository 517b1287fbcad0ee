"""Runs the fault matrix: what goes in virtual time in some processes, then the cases of real time; and sums it up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from dofbot_ros.bench.faults.cases.case import all_cases, run_case, some_cases
from dofbot_ros.bench.faults.cases.conditions import Conditions, busy
from dofbot_ros.bench.faults.cases.real import real_cases
from dofbot_ros.bench.faults.cases.ros_cases import ros_cases
from dofbot_ros.bench.faults.eta import Eta
from dofbot_ros.bench.faults.outcome import Case, Outcome, unmeasured
from dofbot_ros.bench.faults.rigs.real_time import RealTimeCase, attempt
from dofbot_ros.bench.faults.state_file import open_state
from dofbot_ros.bench.faults.table import cells, measured
from dofbot_ros.core.parallel import in_processes
from dofbot_ros.core.result_file import ResultFile
from dofbot_ros.errors import DofbotError

Part = Literal["all", "virtual", "real"]
WORKERS = 2
VIRTUAL_S = 0.5
"""Of the machine's time that a case in virtual time takes [s]."""


def run(cases: Sequence[Case], workers: int = WORKERS) -> list[Outcome]:
    """Run `cases` in processes of their own. Returns their outcomes in the order of `cases`."""
    found = dict(in_processes(run_case, cases, workers))
    return [found[case] for case in cases]


@dataclass(frozen=True)
class Wanted:
    """Which cases are to be run.

    Attributes:
        full: the whole product of states, faults and events, and the cases of real processes; else a part of it that a
            minute is enough for.
        state: only states whose name holds this.
        fault: only faults whose name holds this.
        part: "virtual", "real" (processes, in real time), or "all".
    """

    full: bool = False
    state: str = ""
    fault: str = ""
    part: Part = "all"

    def virtual(self) -> list[Case]:
        """Those in virtual time."""
        cases = all_cases() if self.full or self.state or self.fault else some_cases()
        return [case for case in cases if self._named(case)] if self.part != "real" else []

    def real(self, conditions: Conditions) -> list[RealTimeCase]:
        """Those in real time."""
        if not self.full or self.part == "virtual":
            return []
        return [one for one in (*real_cases(conditions), *ros_cases(conditions)) if self._named(one.case)]

    def _named(self, case: Case) -> bool:
        return self.state in case.state and self.fault in case.fault


def measure(
    wanted: Wanted, file: Path | None = None, conditions: Conditions | None = None, workers: int = WORKERS
) -> tuple[dict[str, Any], list[Outcome]]:
    """Run the matrix.

    Args:
        wanted: which cases.
        file: keeps what is done; a matrix that was interrupted goes on from there.
        conditions: of the cases in real time.
        workers: processes for those in virtual time.

    Returns:
        What `dofbot bench faults` prints, and the outcomes. `cases`, how many were measured; `violations`, one a broken
        rule, with `case`, `rule`, `time_s` from the onset of the fault, `joint`, `value`, `limit` and `what`;
        `unmeasured`, cases that could not be, with `case` and `why`; `table`, one row a state and fault with
        `worst_motion_deg`, `worst_speed`, `estop_ms`, `fault_ms` and `violations`; `load` and `priority`, the
        conditions; `seconds` of this run; and `interrupted`, whether Ctrl-C ended it before all was done.

    Raises:
        InputError: the file is not one of a matrix, of another version, or of other conditions.
    """
    given = conditions or Conditions()
    summary, outcomes = _measure(
        wanted.virtual(), wanted.real(given), open_state(file, given), load=given.load, workers=workers
    )
    return summary | {"load": given.load, "priority": given.priority}, outcomes


def _measure(
    virtual: Sequence[Case],
    real: Sequence[RealTimeCase],
    file: ResultFile[Outcome],
    *,
    load: int = 0,
    workers: int = WORKERS,
) -> tuple[dict[str, Any], list[Outcome]]:
    begin = time.monotonic()
    order = [*virtual, *(one.case for one in real)]
    done = {outcome.case: outcome for outcome in file.results}
    kept = {case: done[case] for case in order if case in done}
    virtual = [case for case in virtual if case not in kept]
    real = [one for one in real if one.case not in kept]
    costs = dict.fromkeys(virtual, VIRTUAL_S / workers) | {one.case: one.expected_s for one in real}
    interrupted = False
    with Eta("fault matrix", costs, done=len(kept)) as eta:
        try:
            for outcome in chain(_virtual(virtual, workers), _real(real, load, eta.begin)):
                if not outcome.unmeasured:  # that is tried again the next time
                    file.add(outcome)
                kept[outcome.case] = outcome
                eta.advance(outcome.case, sum(len(o.judgement.violations) for o in kept.values()))
        except KeyboardInterrupt:
            interrupted = True
    outcomes = [kept[case] for case in order if case in kept]
    return summarise(outcomes) | {"seconds": time.monotonic() - begin, "interrupted": interrupted}, outcomes


def _virtual(cases: Sequence[Case], workers: int) -> Iterator[Outcome]:
    """Outcomes as they come."""
    left = dict.fromkeys(cases)
    try:
        for case, outcome in in_processes(run_case, cases, workers):
            left.pop(case)
            yield outcome
    except DofbotError as error:
        for case in left:
            yield unmeasured(case, str(error))


def _real(cases: Sequence[RealTimeCase], load: int, begin: Callable[[Case], None]) -> Iterator[Outcome]:
    """Outcomes one after the other, beside so many programs that compute. `begin` is told of each before it starts."""
    with busy(load if cases else 0):
        for one in cases:
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
