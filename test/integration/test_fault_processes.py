"""Cells of the fault matrix with a driver in a process of its own, in real time: stopped, killed, flooded, starved."""

from __future__ import annotations

import pytest

from dofbot_ros.bench.faults.cases.real import REAL_FAULTS, run_one
from dofbot_ros.bench.faults.outcome import Outcome
from dofbot_ros.bench.faults.rigs.stillness import Stillness

NAMED = {fault.name: fault for fault in REAL_FAULTS}


def played(name: str, state: str) -> Outcome:
    """A cell; where the machine stood still while a rule was broken, nothing was measured."""
    with Stillness() as still:
        outcome = run_one(NAMED[name], state)
    if (outcome.judgement.violations or not outcome.recovered) and still.too_long:
        pytest.skip(still.too_long)
    return outcome


@pytest.mark.parametrize("name", ["process stopped 1 s", "process killed", "process, late 12 ms", "flood at 1 kHz"])
def test_a_driver_in_trouble_breaks_no_rule(name):
    outcome = played(name, "ACTIVE trajectory")
    assert outcome.judgement.violations == ()
    assert outcome.recovered


def test_what_a_driver_had_decided_before_it_stood_still_is_not_carried_out_after_it():
    assert played("process stopped 2 s", "ACTIVE stream").judgement.violations == ()
