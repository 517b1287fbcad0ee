"""The cells of the matrix that take real processes in real time: a driver stopped, killed, starved, flooded."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dofbot_ros.bench.faults.cases.case import recover, state_named
from dofbot_ros.bench.faults.cases.conditions import Conditions, busy
from dofbot_ros.bench.faults.judge import Rules, judge
from dofbot_ros.bench.faults.outcome import Case, Outcome
from dofbot_ros.bench.faults.rigs.process_rig import ProcessRig
from dofbot_ros.bench.faults.rigs.real_time import RealTimeCase
from dofbot_ros.errors import DofbotError

EVENT_S = 0.4
"""From the onset of the fault to the emergency stop [s]."""
FAULT_S = 1.5
SETTLE_S = 1.2
BUSY = 6
"""Processes that compute beside the driver."""
FLOOD_HZ = 1000.0
SPAM_POINTS = 100_000


@dataclass(frozen=True)
class RealFault:
    """One row: what happens from its onset on, until what `begin` returns is called.

    Attributes:
        name: of the row.
        begin: lets it happen; returns what undoes it.
        first: whether the driver asks for real-time priority.
        estop: whether an emergency stop comes in the middle of it.
        seconds: from its onset to its end [s].
    """

    name: str
    begin: Callable[[ProcessRig], Callable[[], None]]
    first: bool = True
    estop: bool = True
    seconds: float = FAULT_S


def _stopped(seconds: float) -> Callable[[ProcessRig], Callable[[], None]]:
    """SIGSTOP for so long [s]; SIGCONT comes at its end."""

    def begin(rig: ProcessRig) -> Callable[[], None]:
        rig.stand(seconds)
        return lambda: None

    return begin


def _killed(rig: ProcessRig) -> Callable[[], None]:
    for operator in rig.streamers:
        operator.on = False
    rig.kill_driver()

    def restart() -> None:
        rig.start_driver()
        rig.wait_connected()

    return restart


def _late(seconds: float) -> Callable[[ProcessRig], Callable[[], None]]:
    def begin(rig: ProcessRig) -> Callable[[], None]:
        rig.faults.delay_s, rig.faults.delay = seconds, 1.0
        return rig.faults.clear

    return begin


def _busy(rig: ProcessRig) -> Callable[[], None]:
    del rig
    stack = ExitStack()
    stack.enter_context(busy(BUSY))
    return stack.close


def _flood(rig: ProcessRig) -> Callable[[], None]:
    """Every command a thousand times a second, none of which is to be carried out."""
    stop = threading.Event()

    def pour() -> None:
        while not stop.wait(1.0 / FLOOD_HZ):
            rig.remote.shout("stream", [9.0] * 6, -1.0)
            rig.remote.shout("twist", [99.0, 0.0, 0.0], [0.0] * 3, -1.0)
            rig.remote.shout("gripper", 9.0)
            rig.remote.shout("follow", [0.001], [[9.0] * 6])

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end


def _spam(rig: ProcessRig) -> Callable[[], None]:
    """Trajectories of 100,000 points, one after the other."""
    rig.remote.shout("spam", SPAM_POINTS, FAULT_S)
    return lambda: None


REAL_FAULTS = (
    RealFault("process stopped 1 s", _stopped(1.0)),
    RealFault("process stopped 2 s", _stopped(2.0), seconds=2.5),
    RealFault("process killed", _killed, estop=False),
    RealFault("process, late 3 ms", _late(0.003)),
    RealFault("process, late 12 ms", _late(0.012)),
    RealFault("load of 6", _busy),
    RealFault("load of 6, no real-time priority", _busy, first=False),
    RealFault("flood at 1 kHz", _flood),
    RealFault("spam of 100,000 points", _spam),
)
REAL_STATES = ("HOLD", "ACTIVE trajectory", "ACTIVE stream")
EXPECTED_S = 9.0
"""Of a case beside the fault itself: start, state, way back [s]."""


def real_cases(conditions: Conditions | None = None) -> list[RealTimeCase]:
    """Every real fault in every state that it is tried in; a load comes once, from the conditions or from the fault."""
    given = conditions or Conditions()
    return [
        RealTimeCase(named(fault, state), EXPECTED_S + fault.seconds, partial(run_one, fault, state, given.priority))
        for fault in REAL_FAULTS
        if given.usual or fault.begin is not _busy
        for state in REAL_STATES
    ]


def named(fault: RealFault, state: str) -> Case:
    """The names of a cell."""
    return Case(state, fault.name, "estop" if fault.estop else "none")


def run_one(fault: RealFault, state: str, priority: bool = True) -> Outcome:
    """Run one cell in real time and judge it; without `priority` no driver asks for any.

    Raises:
        DofbotError: the driver did not come to the state in which the fault is to find it.
    """
    first = fault.first and priority
    with tempfile.TemporaryDirectory(prefix="dofbot_faults_") as folder, _rig(Path(folder), first) as rig:
        state_named(state).enter(rig)
        _require(rig, state)
        begin_s = rig.now
        rig.record.onset_s = begin_s
        end = fault.begin(rig)
        try:
            if fault.estop:
                rig.at(begin_s + EVENT_S, rig.estop)
            rig.run(fault.seconds)
        finally:
            end()
        rig.record.end_s = rig.now
        rig.run(SETTLE_S)
        rig.record.recovered = recover(rig)
        rules = Rules(max_velocity=rig.config.max_velocity, max_acceleration=rig.config.max_acceleration)
        judgement = judge(rig.truth(), rig.record, rules, recovery_due=True)
        return Outcome(
            named(fault, state),
            judgement,
            begin_s,
            False,
            rig.record.recovered,
            tuple((t - begin_s, s.value, why) for t, s, why in rig.record.states),
            tuple((t - begin_s, name, why) for t, name, why in rig.record.refusals[:20]),
        )


def _require(rig: ProcessRig, state: str) -> None:
    expected = state.split(maxsplit=1)[0]
    if rig.state.value != expected:
        refused = f"; refused last: {rig.record.refusals[-1][2]}" if rig.record.refusals else ""
        raise DofbotError(f"the arm did not come to {state}; the driver says {rig.state.value}{refused}")


@contextmanager
def _rig(folder: Path, first: bool) -> Iterator[ProcessRig]:
    with ProcessRig(folder, first=first) as rig:
        rig.wait_connected()
        yield rig
