"""Cells of the fault matrix with a driver in a process of its own, in real time: stopped, killed, flooded, starved."""

from __future__ import annotations

import pytest

from dofbot_ros.bench.faults.cases.real import REAL_FAULTS, run_one

NAMED = {fault.name: fault for fault in REAL_FAULTS}


@pytest.mark.parametrize("name", ["process stopped 1 s", "process killed", "process, late 12 ms", "flood at 1 kHz"])
def test_a_driver_in_trouble_breaks_no_rule(name):
    outcome = run_one(NAMED[name], "ACTIVE trajectory")
    assert outcome.judgement.violations == ()
    assert outcome.recovered


def test_what_a_driver_had_decided_before_it_stood_still_is_not_carried_out_after_it():
    assert run_one(NAMED["process stopped 2 s"], "ACTIVE stream").judgement.violations == ()
