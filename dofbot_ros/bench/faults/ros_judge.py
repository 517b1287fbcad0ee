"""Judges a ROS case: the rules of all cases, and what one more hop over DDS may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dofbot_ros.bench.faults.judge import Rules, Violation, judge
from dofbot_ros.bench.faults.outcome import Case, Outcome
from dofbot_ros.bench.faults.record import Record
from dofbot_ros.bench.faults.rigs.ros_rig import RosRig

NEVER = float("inf")
DDS_S = 0.010
"""From one process to another over DDS, beside what the rule allows the driver [s]."""


def judged(
    case: Case, rig: RosRig, record: Record, more: Sequence[Violation] = (), *, recovery_due: bool = False
) -> Outcome:
    """Hold what the servos did against what was asked for.

    Args:
        case: names of the cell.
        rig: the arm, at the end of the case.
        record: of its operators.
        more: rules beside those of the judge that were broken.
        recovery_due: whether the arm has to obey again after the fault.
    """
    rules = Rules(estop_s=Rules.estop_s + DDS_S)
    judgement = judge(rig.truth(), record, rules, recovery_due=recovery_due)
    judgement = replace(judgement, violations=(*judgement.violations, *more))
    onset_s = record.onset_s
    states = tuple((t - onset_s, state.value, why) for t, state, why in record.states)
    return Outcome(case, judgement, onset_s, False, record.recovered if recovery_due else None, states, ())
