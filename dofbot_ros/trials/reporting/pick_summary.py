"""The figures of a series of grasp trials: success by condition with intervals, ways to fail, seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dofbot_ros.core.statistics import spread, wilson
from dofbot_ros.trials.pick import PickRecord


def counted(records: Sequence[PickRecord]) -> tuple[int, int]:
    """Successes and trials that count."""
    judged = [record.lifted for record in records if record.lifted is not None]
    return sum(judged), len(judged)


def summary(records: Sequence[PickRecord]) -> dict[str, Any]:
    """As plain data; times are the arm's, of trials in which something was lifted [s]."""
    conditions = dict.fromkeys(record.condition for record in records)
    times = [record.arm_s for record in records if record.lifted and record.arm_s is not None]
    plans = [record.plan_ms for record in records if record.plan_ms is not None]
    return {
        **rate(records),
        "skipped": sum(record.lifted is None for record in records),
        "by_condition": {name: rate([r for r in records if r.condition == name]) for name in conditions},
        "failures": dict(Counter(r.outcome for r in records if r.lifted is False).most_common()),
        "arm_s": spread(times),
        "plan_ms": spread(plans),
    }


def rate(records: Sequence[PickRecord]) -> dict[str, Any]:
    """Trials that count, successes, their share, and its 95 % Wilson interval."""
    successes, trials = counted(records)
    return {
        "trials": trials,
        "lifted": successes,
        "success_rate": successes / trials if trials else None,
        "interval": list(wilson(successes, trials)),
    }
