"""The ROS cases of the fault matrix: driver_node on a pty, judged by what the emulated servos truly did."""

from __future__ import annotations

import pytest

from dofbot_ros.bench.faults.cases.ros_cases import ros_cases
from dofbot_ros.bench.faults.rigs.ros_rig import record_of
from dofbot_ros.bench.faults.rigs.stillness import Stillness

SOME = (
    "none, over ROS",
    "driver_node killed and started again",
    "control_rate_hz:=100",
)
"""Cells that need a few seconds each; floods, recordings and grasps are for `dofbot bench faults --full`."""
CASES = [one for one in ros_cases() if one.case.fault in SOME]


@pytest.mark.parametrize("one", CASES, ids=[one.case.fault for one in CASES])
def test_no_rule_is_broken_over_dds(one):
    with Stillness() as still:
        outcome = one.play()
    if outcome.judgement.violations and still.too_long:
        pytest.skip(still.too_long)
    assert outcome.judgement.violations == ()
    assert outcome.recovered is not False
    # It did move; a flood of the same topic leaves a stream few of its points.
    assert outcome.judgement.worst_speed > 0.1 or not outcome.case.state.startswith("ACTIVE")


def test_the_cells_have_the_names_that_are_tried_here():
    assert len(CASES) == len(SOME)


def test_what_an_operator_sends_after_the_stop_counts_as_asked_for_no_more():
    notes = [
        {"t": 1.0, "point": [0.1, 0, 0, 0, 0]},
        {"t": 2.0, "estop": True},
        {"t": 3.0, "point": [0.9, 0, 0, 0, 0]},
    ]
    record = record_of([(notes, 9.0)])
    (command,) = record.commands
    assert command.upper[0] == 0.1
    assert [(halt.time_s, halt.why) for halt in record.halts] == [(2.0, "estop")]


def test_what_a_commander_sends_once_another_has_taken_over_counts_no_more():
    notes = [{"t": float(t), "point": [t / 10, 0, 0, 0, 0]} for t in range(4)]
    record = record_of([(notes, 1.5), (notes, -1.0)])
    assert [command.time_s for command in record.commands] == [0.0, 1.0]
