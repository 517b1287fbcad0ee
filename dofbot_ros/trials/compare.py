"""Whether one series of grasp trials succeeds more often than another, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dofbot_ros.core.statistics import newcombe
from dofbot_ros.errors import InputError
from dofbot_ros.trials.log import PickLog
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.reporting.pick_summary import counted


def compare(a: PickLog, b: PickLog) -> dict[str, Any]:
    """Difference of the success rates, A's less B's.

    In all: over the trials (condition and number) that both have, so that neither has more of what is difficult. By
    condition: over all that each has.

    Raises:
        InputError: they have no condition or no trial in common.
    """
    both = [
        condition
        for condition in dict.fromkeys(record.condition for record in a.records)
        if counted(_of(a, [condition]))[1] and counted(_of(b, [condition]))[1]
    ]
    if not both:
        raise InputError(f"{a.folder} and {b.folder} have no condition in common in which both have trials")
    shared = _counted_trials(a) & _counted_trials(b)
    if not shared:
        raise InputError(f"{a.folder} and {b.folder} have no trial of the same condition and number")
    mine, theirs = ([r for r in log.records if (r.condition, r.number) in shared] for log in (a, b))
    return {
        **_difference(mine, theirs),
        "by_condition": {name: _difference(_of(a, [name]), _of(b, [name])) for name in both},
        "left_out": sorted({record.condition for record in [*a.records, *b.records]} - set(both)),
        "not_the_same": _differing(a, b),
    }


def verdict(a: tuple[int, int], b: tuple[int, int]) -> str:
    """One sentence on successes and trials of A and B; points are hundredths of a success rate."""
    low, high = (100.0 * end for end in newcombe(a, b))
    points = 100.0 * (a[0] / a[1] - b[0] / b[1])
    if low > 0.0:
        return f"A is better by {points:.0f} points ({low:.0f} to {high:.0f})"
    if high < 0.0:
        return f"B is better by {-points:.0f} points ({-high:.0f} to {-low:.0f})"
    return f"no difference shown: A {points:+.0f} points against B, and anything from {low:+.0f} to {high:+.0f} fits"


def _difference(a: Sequence[PickRecord], b: Sequence[PickRecord]) -> dict[str, Any]:
    first, second = counted(a), counted(b)
    return {
        "verdict": verdict(first, second),
        "difference": first[0] / first[1] - second[0] / second[1],
        "interval": list(newcombe(first, second)),
        "a": {"lifted": first[0], "trials": first[1]},
        "b": {"lifted": second[0], "trials": second[1]},
    }


def _of(log: PickLog, conditions: Sequence[str]) -> list[PickRecord]:
    return [record for record in log.records if record.condition in conditions]


def _counted_trials(log: PickLog) -> set[tuple[str, int]]:
    return {(record.condition, record.number) for record in log.records if record.lifted is not None}


def _differing(a: PickLog, b: PickLog) -> list[str]:
    """In what the two series differ: a fair comparison differs in one thing."""
    names = ("planner", "model", "backend", "judge", "seed", "protocol", "desk", "desk_seed")
    return [name for name in names if getattr(a.series, name) != getattr(b.series, name)]
