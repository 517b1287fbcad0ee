"""The cells of the matrix that take driver_node and real DDS: floods, several commanders, nodes that are killed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

from dofbot_ros.bench.faults.cases.conditions import Conditions
from dofbot_ros.bench.faults.cases.perception_cases import (
    camera_lost,
    localizer_dead_in_policy,
    localizer_dead_in_trial,
)
from dofbot_ros.bench.faults.cases.record_cases import clock_set, disk_full
from dofbot_ros.bench.faults.judge import Judgement, Violation
from dofbot_ros.bench.faults.outcome import Case, Outcome
from dofbot_ros.bench.faults.record import Halt
from dofbot_ros.bench.faults.rigs.real_time import NotHereError, RealTimeCase
from dofbot_ros.bench.faults.rigs.ros_rig import Note, RosRig, record_of
from dofbot_ros.bench.faults.ros_judge import NEVER, judged
from dofbot_ros.core.dds import private_domain
from dofbot_ros.errors import DofbotError

STREAM = "ACTIVE stream"
STREAM_S, ESTOP_S = "3.0", "1.5"
ATTEMPTS = 3
DOWN_S = 1.0
"""A node that was killed is away for so long [s]."""
REFUSED_RATE_HZ = 100.0
"""More than the bus carries."""


def ros_cases(conditions: Conditions | None = None) -> list[RealTimeCase]:
    """All of them; each tells that it cannot be measured where ROS is not installed."""
    priority = (conditions or Conditions()).priority
    driver: list[tuple[Case, float, Callable[[Case, bool], Outcome]]] = [
        (Case(STREAM, "none, over ROS", "estop"), 12.0, partial(flooded, floods=())),
        (Case(STREAM, "flood at 1 kHz on every topic", "estop"), 15.0, partial(flooded, floods=("topics",))),
        (
            Case(STREAM, "flood at 1 kHz on every topic and service", "estop"),
            18.0,
            partial(flooded, floods=("topics", "services")),
        ),
        (Case(STREAM, "flood at 1 kHz of stops", "estop"), 15.0, stopped_a_thousand_times),
        (Case(STREAM, "policy against teleop, operator takes over", "estop"), 25.0, commanders),
        (Case(STREAM, "driver_node killed and started again", "none"), 25.0, driver_killed),
        (Case(STREAM, "commanding node killed and started again", "none"), 25.0, commander_killed),
        (Case(STREAM, "disk full while recording", "none"), 15.0, disk_full),
        (Case(STREAM, "clock set back 1 h while recording", "none"), 15.0, clock_set),
    ]
    # These have no driver that could ask for real-time priority: the arm is simulated, or does not start.
    others: list[tuple[Case, float, Callable[[Case], Outcome]]] = [
        (Case("grasping", "camera lost", "none"), 40.0, camera_lost),
        (Case("grasping", "localiser dead, policy", "none"), 40.0, localizer_dead_in_policy),
        (Case("grasping", "localiser dead, trial", "none"), 40.0, localizer_dead_in_trial),
        (Case("DISCONNECTED", f"control_rate_hz:={REFUSED_RATE_HZ:g}", "none"), 4.0, rate_refused),
    ]
    cells = [(case, expected_s, partial(play, case, priority)) for case, expected_s, play in driver]
    cells += [(case, expected_s, partial(play, case)) for case, expected_s, play in others]
    return [RealTimeCase(case, expected_s, partial(_where_ros_is, play)) for case, expected_s, play in cells]


def flooded(case: Case, priority: bool, floods: Sequence[str]) -> Outcome:
    """An operator streams over DDS and calls estop in the middle of it, under floods of what is to be refused.

    A machine that is too busy for the operator's own stream has the arm at rest by then: it is tried again.

    Raises:
        DofbotError: the arm never moved evenly when the emergency stop came.
    """
    for _ in range(ATTEMPTS):
        with RosRig(priority) as rig:
            rig.start_driver()
            rig.probe("operator_probe", "stream", "--seconds", STREAM_S, "--estop", ESTOP_S)
            for part in floods:
                rig.flood(part)
            rig.wait_for("operator_probe", "done")
            time.sleep(1.0)
            for part in floods:
                rig.end(f"flooder of {part}")
            notes = rig.notes("operator_probe")
            outcome = judged(case, rig, record_of([(notes, NEVER)]))
        if outcome.judgement.estop_ms is not None or outcome.judgement.violations:
            return outcome
    ends = [note["last motion"] for note in notes if "last motion" in note]
    raise DofbotError(
        f"the arm did not move evenly when the emergency stop came, in {ATTEMPTS} attempts; its stream had ended "
        f"({ends}), the longest pause of its operator was {1e3 * longest_pause_s(notes):.0f} ms"
    )


def longest_pause_s(notes: Sequence[Note]) -> float:
    """Between two points that an operator sent [s]: long on a machine that is too busy to measure on."""
    times = [float(note["t"]) for note in notes if "point" in note]
    return max((b - a for a, b in pairwise(times)), default=0.0)


def stopped_a_thousand_times(case: Case, priority: bool) -> Outcome:
    """Somebody calls stop and estop a thousand times a second; afterwards the arm can be used again."""
    with RosRig(priority) as rig:
        rig.start_driver()
        rig.probe("operator_probe", "stream", "--seconds", "5.0")
        rig.wait_for("operator_probe", "point")
        time.sleep(1.0)
        begin_s = time.monotonic()
        rig.flood("stops", "--seconds", "2.0")
        rig.wait_for("operator_probe", "done")
        rig.end("flooder of stops")
        stopped_s = next((n["t"] for n in rig.notes("operator_probe") if n.get("state") == "ESTOP"), NEVER)
        rig.probe("operator_again", "recover")
        rig.wait_for("operator_again", "done")
        operators = [
            (rig.notes("operator_probe"), min(stopped_s, begin_s + 10.0)),
            (rig.notes("operator_again"), NEVER),
        ]
        record = record_of(operators, [Halt(stopped_s, "stop")], stopped_s)
        return judged(case, rig, record, recovery_due=True)


def commanders(case: Case, priority: bool) -> Outcome:
    """A teleop node has the arm; a policy wants it and is refused; an operator takes it over, then stops everything."""
    teleop, policy, operator = "teleop_probe", "policy_probe", "operator_probe"
    with RosRig(priority) as rig:
        rig.start_driver()
        rig.probe(policy, "stream", "--join", "0.4", "--while-in", "ACTIVE", "--seconds", "3.0", "--speed", "-0.6")
        rig.probe(operator, "stream", "--join", "2.0", "--while-in", "ACTIVE", "--seconds", "2.5", "--speed", "-0.4",
                  "--estop", "1.2")  # fmt: skip
        rig.probe(teleop, "stream", "--seconds", "4.0", "--speed", "0.3")
        for name in (teleop, policy, operator):
            rig.wait_for(name, "done")
        time.sleep(0.5)
        notes = {name: rig.notes(name) for name in (teleop, policy, operator)}
        taken_s = next((float(n["t"]) for n in notes[operator] if "point" in n), NEVER)
        record = record_of([(notes[teleop], taken_s), (notes[policy], -NEVER), (notes[operator], NEVER)])
        refusals = {n["last refusal"] for told in notes.values() for n in told if "last refusal" in n}
        handovers = {n["last hand-over"] for told in notes.values() for n in told if "last hand-over" in n}
        expected = [
            (f"{teleop} (teleop) commands the arm; {policy} (policy) may not take it over", refusals),
            (f"{operator} (operator) takes over from {teleop}", handovers),
        ]
        missing = [
            Violation("authority", record.onset_s, "", 0.0, 0.0, f"nobody was told: {text}; but: {sorted(told)}")
            for text, told in expected
            if not any(text in said for said in told)
        ]
        return judged(case, rig, record, missing)


def driver_killed(case: Case, priority: bool) -> Outcome:
    """driver_node dies in the middle of a stream that goes on; started again, it moves nothing until it is told to."""
    with RosRig(priority) as rig:
        rig.start_driver()
        rig.probe("operator_probe", "stream", "--seconds", "12.0", "--speed", "0.1")
        rig.wait_for("operator_probe", "point")
        time.sleep(1.5)
        killed_s = rig.kill("driver_node")
        time.sleep(DOWN_S)
        rig.start_driver()
        time.sleep(2.0)
        rig.end("operator_probe")
        rig.probe("operator_again", "recover")
        rig.wait_for("operator_again", "done")
        operators = [(rig.notes("operator_probe"), killed_s), (rig.notes("operator_again"), NEVER)]
        record = record_of(operators, [Halt(killed_s, "SIGKILL")], killed_s)
        return judged(case, rig, record, recovery_due=True)


def commander_killed(case: Case, priority: bool) -> Outcome:
    """A streaming node dies; the arm holds by itself, and obeys the node once it is there again."""
    with RosRig(priority) as rig:
        rig.start_driver()
        rig.probe("teleop_probe", "stream", "--seconds", "30.0", "--speed", "0.3")
        rig.wait_for("teleop_probe", "point")
        time.sleep(1.5)
        killed_s = rig.kill("teleop_probe")
        first = rig.notes("teleop_probe")
        time.sleep(DOWN_S)
        rig.probe(
            "teleop_probe", "stream", "--join", "0.2", "--while-in", "HOLD", "--seconds", "1.5", "--speed", "-0.3"
        )
        rig.wait_for("teleop_probe", "done")
        time.sleep(1.0)
        second = rig.notes("teleop_probe")
        record = record_of([(first, NEVER), (second, NEVER)], onset_s=killed_s)
        moved = any(n.get("state") == "ACTIVE" for n in second)
        return judged(case, rig, replace(record, recovered=moved), recovery_due=True)


def rate_refused(case: Case) -> Outcome:
    """A rate that the bus cannot carry is one line, and the end of the node."""
    words = ("--ros-args", "-p", f"control_rate_hz:={REFUSED_RATE_HZ}")
    with private_domain():
        done = subprocess.run(
            (sys.executable, "-m", "dofbot_ros.ros.nodes.driver_node", *words),
            capture_output=True,
            text=True,
            timeout=30.0,
            check=False,
        )
    lines = done.stderr.strip().splitlines()
    refused = done.returncode == 1 and len(lines) == 1 and "control_rate_hz 100 is more than" in lines[0]
    what = f"driver_node was to refuse the rate in one line; exit code {done.returncode}, {len(lines)} lines"
    violations = () if refused else (Violation("refusal", 0.0, "", float(len(lines)), 1.0, what),)
    refusals = ((0.0, "driver_node", line) for line in lines)
    return Outcome(case, Judgement(violations, 0.0, 0.0), 0.0, False, None, (), tuple(refusals))


def _where_ros_is(play: Callable[[], Outcome]) -> Outcome:
    if importlib.util.find_spec("rclpy") is None:
        raise NotHereError("ROS 2 is not installed here")
    return play()
