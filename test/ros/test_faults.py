"""The ROS cases of the fault matrix: driver_node on a pty, judged by what the emulated servos truly did."""

from __future__ import annotations

import pytest

from dofbot_ros.bench.faults.ros_cases import read_record, run_one


@pytest.mark.parametrize("flooded", [False, True], ids=["alone", "flooded"])
def test_an_emergency_stop_over_dds_is_heeded_in_time(flooded):
    judgement = run_one("over ROS", flooded).judgement
    assert judgement.violations == ()
    # It did move; a flood of the same topic leaves a stream few of its points.
    assert judgement.worst_speed > (0.1 if flooded else 0.4)


def test_what_an_operator_sends_after_the_stop_counts_as_asked_for_no_more():
    record = read_record({"points": [[1.0, 0.1, 0, 0, 0, 0], [3.0, 0.9, 0, 0, 0, 0]], "estop_s": 2.0})
    (command,) = record.commands
    assert command.upper[0] == 0.1
    assert [(halt.time_s, halt.why) for halt in record.halts] == [(2.0, "estop")]
