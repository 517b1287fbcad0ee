"""The fault matrix itself: faults take hold and pass, cases repeat themselves, and a bad driver is found out."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from command_line import CliRunner

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.bench.faults.cases.case import EVENTS, all_cases, run_case, some_cases, tried
from dofbot_ros.bench.faults.cases.catalogue import FAULTS, Fault, fault_named
from dofbot_ros.bench.faults.cases.states import STATES
from dofbot_ros.bench.faults.judge import JointTruth, Rules, judge
from dofbot_ros.bench.faults.outcome import Case
from dofbot_ros.bench.faults.rigs.virtual_rig import VirtualRig
from dofbot_ros.bench.faults.run import run
from dofbot_ros.bench.faults.table import by_fault, cells, markdown
from dofbot_ros.cli.main import app
from dofbot_ros.core.types import GRIP
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.hardware.emulation.faults import FaultPlan

NAMED = {state.name: state for state in STATES}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_takes_hold_and_leaves_the_far_end_as_it_was(fault: Fault) -> None:
    rig = VirtualRig()
    NAMED["HOLD"].enter(rig)

    def far_end() -> tuple[object, ...]:
        rng = rig.faults.rng
        return (
            replace(rig.faults, rng=rng) == FaultPlan(rng=rng),
            rig.ports.name is not None,
            rig.ports.taken,
            rig.cycle_pause_s,
            rig.flooding,
            [servo in rig.servos._jammed for servo in rig.servos.ids],
            [rig.servos.health(servo, rig.now).faults for servo in rig.servos.ids],
        )

    before, healthy = far_end(), [rig.servos.holding(servo) for servo in rig.servos.ids]
    commands, line, links = len(rig.record.refusals), rig.line.traffic(), rig.true()
    fault.begin(rig)
    rig.run(min(0.2, 0.5 * fault.seconds))
    during = far_end() != before or [rig.servos.holding(servo) for servo in rig.servos.ids] != healthy
    happened = (
        during or len(rig.record.refusals) > commands or bool(rig.record.hands) or bool((rig.true() != links).any())
    )
    stood_s = rig.line.traffic().requests == line.requests
    # A dead commander is no fault of the far end; it has nothing to show while nobody commands.
    assert happened or stood_s or fault.name in ("none", "commander dead", "host stopped 1 s")
    rig.run(fault.seconds)
    fault.end(rig)
    rig.run(1.5)
    after = far_end()
    assert after[:-1] == before[:-1]
    assert fault.name == "overload" or after == before


def test_names_are_unique_and_every_state_fault_and_event_is_tried() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    full, quick = all_cases(), some_cases()
    assert len(full) == len(set(full))
    assert set(quick) <= set(full)
    assert len(quick) >= 100
    for cases in (full, quick):
        assert {case.event for case in cases} == set(EVENTS)
        assert {case.state for case in cases} == {state.name for state in STATES}
        assert {case.fault for case in cases} == {fault.name for fault in FAULTS}
    product = sum(tried(fault, state) for fault in FAULTS for state in STATES) * len(EVENTS)
    assert sum(case.protocol == "bus" for case in full) == product


def test_a_fault_is_tried_where_it_can_come_about() -> None:
    assert not tried(fault_named("two commanders"), NAMED["HOLD"])
    assert tried(fault_named("two commanders"), NAMED["ACTIVE stream"])
    assert not tried(fault_named("two servos, one id"), NAMED["ACTIVE twist"])
    assert tried(fault_named("two servos, one id"), NAMED["freedrive"])


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["drop 5 %", "garbage 11000/s", "jammed, then free"])
def test_the_same_case_twice_is_the_same_to_the_last_digit(fault: str) -> None:
    case = Case("ACTIVE trajectory", fault, "estop", 11)
    first, second = run_case(case), run_case(case)
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        # A goal that a silent servo had missed was told to it when enable_torque failed: 1.8 degrees in FAULT.
        Case("ACTIVE stream", "port shared", "clear and enable", 77),
        # Fingers that missed goals and were not read for a while were driven at 135 deg/s.
        Case("ACTIVE gripper", "port shared", "none", 79),
        # The first frame after a silence was lost, which was joint1's goal whenever a question had gone unanswered.
        Case("ACTIVE trajectory", "first frame swallowed", "stop", 232),
        Case("ACTIVE stream", "first frame swallowed", "estop", 233),
        # Fingers that were stopped went on to where they had been commanded to be when the stop came.
        Case("ACTIVE gripper", "first frame swallowed", "stop", 235),
        # A servo that does not answer is sent no goal to brake at, and rests at its last one.
        Case("ACTIVE trajectory", "half frames 30 %", "estop", 112),
        # What a lying sensor says made goals that brake slow, or was taken for where the arm had come to rest.
        Case("ACTIVE trajectory", "sensor says 0", "none", 404),
        Case("ACTIVE twist", "sensor frozen", "estop", 394),
        # Torque that was switched on anew moved a joint by its sensor's lie, or let one sag by its load once more.
        Case("FAULT", "sensor shifted 16 deg", "clear and enable", 417),
        Case("FAULT", "load of 1.3 deg", "clear and enable", 425),
        Case("IDLE, servos hold", "load of 1.3 deg", "clear and enable", 422),
        Case("IDLE", "load of 1.3 deg", "clear and enable", 421),
        # So did a halt of the gripper, since a load looked like goals that were missed.
        Case("ACTIVE gripper", "load of 1.3 deg", "stop", 424),
        # A joint that was read astray made the fingers' last goal slow.
        Case("ACTIVE gripper", "sensor shifted 16 deg", "none", 416),
        # An arm that braked already was said to have heeded the emergency stop late.
        Case("ACTIVE trajectory", "port shared", "estop", 76),
        # Streams that came while torque was switched on over a dead line were not heard, and counted as engaged anew.
        Case("ACTIVE stream", "line dead", "clear and enable", 2, "se"),
        # A driver that parks at its end was told by nobody else to be elsewhere.
        Case("shutting down", "two commanders", "none", 484),
        # A new driver is told by its operator which port there is.
        Case("shutting down", "cable back as ttyUSB1", "none", 59),
    ],
    ids=str,
)
def test_what_once_broke_a_rule_does_so_no_more(case: Case) -> None:
    assert run_case(case).judgement.violations == ()


@pytest.mark.slow
@pytest.mark.parametrize("wait_s", [0.05, 0.4, 0.8, 1.2])
def test_fingers_that_are_sent_off_during_a_soft_start_reach_their_goal_and_do_not_pass_it(wait_s: float) -> None:
    rig = VirtualRig()
    rig.run(0.3)
    rig.torque(True)
    rig.run(wait_s)
    begin_s, goal = rig.now, float(gap_to_joint(0.01))
    assert rig.gripper(0.01, goal)
    rig.run(2.5)
    joints = JointTruth.of(rig.truth())
    way = np.degrees(joints.angle[joints.index(begin_s) :, GRIP] - goal)
    assert way.max() < 0.5
    assert abs(way[-1]) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("halt", ["stop", "estop"])
@pytest.mark.parametrize("load", [-16.0, 16.0])
def test_a_joint_that_moves_under_a_load_does_not_sag_once_more_after_a_halt(load: float, halt: str) -> None:
    rig = VirtualRig()
    for servo in (1, 2, 5):
        rig.servos.load(servo, load)
    NAMED["ACTIVE trajectory"].enter(rig)
    rig.run(0.4)
    rig.stop() if halt == "stop" else rig.estop()
    rig.run(0.2)
    rested = rig.true()
    rig.run(1.5)
    rig.close()
    assert np.degrees(np.abs(rig.true() - rested)).max() < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("late_s", [0.02, 0.04, 0.06, 0.1, 0.15])
def test_a_host_that_is_late_in_every_cycle_brakes_as_soon_as_one_that_is_not(late_s: float) -> None:
    rig = VirtualRig()
    NAMED["ACTIVE stream"].enter(rig)
    rig.cycle_pause_s = late_s
    rig.at(rig.now + 0.4, rig.estop)
    rig.run(1.5)
    rig.close()
    assert broken(rig) == set()


class DeafDaemon(ArmDaemon):
    """A driver that does not heed the emergency stop, and moves on in a fault: what the matrix is there to find."""

    def estop(self, reason: str = "emergency stop") -> None:
        del reason


class HastyDaemon(ArmDaemon):
    """A driver that takes up its motion again when the cable is back."""

    def step(self):  # type: ignore[no-untyped-def]
        was_connected = self._link.connected
        snapshot = super().step()
        if not was_connected and self._link.connected:
            self.set_torque(True)
            self.follow([2.0], [[0.5, 0.0, 0.0, 0.0, 0.0]], None, ["joint1", "joint2", "joint3", "joint4", "joint5"])
        return snapshot


def rig_with(kind: type[ArmDaemon]) -> VirtualRig:
    rig = VirtualRig()
    rig.daemon.__class__ = kind
    return rig


def broken(rig: VirtualRig) -> set[str]:
    return {violation.rule for violation in judge(rig.log.truth(), rig.record, Rules()).violations}


@pytest.mark.slow
def test_a_driver_that_does_not_heed_the_emergency_stop_is_found_out() -> None:
    rig = rig_with(DeafDaemon)
    NAMED["ACTIVE trajectory"].enter(rig)
    rig.estop()
    rig.run(2.0)
    rig.close()
    assert broken(rig) == {"estop", "motion"}


@pytest.mark.slow
def test_a_driver_that_heeds_it_is_not() -> None:
    rig = VirtualRig()
    NAMED["ACTIVE trajectory"].enter(rig)
    rig.estop()
    rig.run(2.0)
    rig.close()
    assert broken(rig) == set()


@pytest.mark.slow
def test_a_driver_that_moves_by_itself_when_the_cable_is_back_is_found_out() -> None:
    rig = rig_with(HastyDaemon)
    NAMED["HOLD"].enter(rig)
    rig.ports.unplug()
    rig.run(0.5)
    rig.ports.plug_in()
    rig.run(3.0)
    assert "motion" in broken(rig)


@pytest.mark.slow
def test_the_table_holds_the_worst_of_each_fault() -> None:
    outcomes = [run_case(Case(state, "echo", event)) for state in ("IDLE", "HOLD") for event in ("none", "estop")]
    assert [(cell.state, cell.cases) for cell in cells(outcomes)] == [("IDLE", 2), ("HOLD", 2)]
    (row,) = by_fault(outcomes)
    assert row.cases == 4
    assert row.worst_speed == max(outcome.judgement.worst_speed for outcome in outcomes)
    head, rule, line = markdown(outcomes).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert line.startswith("| echo | 4 |")


@pytest.mark.slow
def test_the_command_prints_what_it_promises() -> None:
    words = ["bench", "faults", "--json", "--state", "HOLD", "--fault", "echo"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["cases"] == len(EVENTS)
    assert printed["violations"] == []
    (row,) = printed["table"]
    assert (row["state"], row["fault"], row["cases"]) == ("HOLD", "echo", len(EVENTS))
    assert np.isfinite(row["worst_motion_deg"])


@pytest.mark.slow
def test_the_quick_matrix_breaks_no_rule() -> None:
    assert [f"{outcome.case}: {v}" for outcome in run(some_cases()) for v in outcome.judgement.violations] == []
