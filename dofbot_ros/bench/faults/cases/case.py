"""One cell of the matrix: a state, a fault, an event in the middle of it, and then the way back."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from dofbot_ros.bench.faults.cases.catalogue import FAULTS, Fault, fault_named
from dofbot_ros.bench.faults.cases.states import STATES, State
from dofbot_ros.bench.faults.judge import Rules, judge
from dofbot_ros.bench.faults.outcome import Case, Outcome
from dofbot_ros.bench.faults.rigs.rig import PORT, Rig
from dofbot_ros.bench.faults.rigs.virtual_rig import VirtualRig
from dofbot_ros.core.types import GRIP
from dofbot_ros.driver.config import HOME, DriverConfig
from dofbot_ros.errors import DofbotError
from dofbot_ros.hardware.emulation.truth_log import Truth
from dofbot_ros.safety.states import ArmState

EVENTS = ("none", "estop", "stop", "clear and enable", "let go")
EVENT_S = 0.4
"""From the onset of the fault to the event [s]."""
SETTLE_S = 1.2
"""From the end of the fault to the operator who sets things right [s]."""
OBEY_S = 4.0
"""An arm that has recovered carries out a small motion within this [s]."""
SMALL = np.array([0.12, 0.0, 0.0, 0.0, 0.1, 0.0])
NEAR = 0.03
"""[rad]"""
LIMIT_S = 30.0
"""A case that takes more processor time than this is stuck; one takes less than a second [s]."""
TRANSACTION_S = {"bus": 0.0165, "se": 0.122}
"""A question with the longest wait for its answer [s]."""


class TooSlowError(BaseException):
    """A case takes no end; nothing that handles ordinary errors may swallow it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooSlowError in the main thread after `seconds` of this process's own computing [s].

    Processor time: other programs that want the machine do not make a case stuck.
    """

    def too_slow(number: int, frame: object) -> None:
        del number, frame
        raise TooSlowError(f"a command held the driver for more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGPROF, too_slow)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def all_cases() -> list[Case]:
    """The whole product."""
    product = [
        Case(state.name, fault.name, event, seed) for seed, (state, fault) in enumerate(pairs()) for event in EVENTS
    ]
    return product + se_cases()


def some_cases() -> list[Case]:
    """A quarter of the pairs, spread evenly, each with one event, and the other protocol: half a minute's worth."""
    rows = {fault: i for i, fault in enumerate(FAULTS)}
    columns = {state: i for i, state in enumerate(STATES)}
    bus = [
        Case(state.name, fault.name, EVENTS[(k // 4) % len(EVENTS)], k)
        for k, (state, fault) in enumerate(pairs())
        if (rows[fault] + columns[state]) % 4 == 0
    ]
    return bus + se_cases()[::7]


def se_cases() -> list[Case]:
    """Faults that the USB board of the DOFBOT-SE has, too."""
    states = ("IDLE", "HOLD", "ACTIVE trajectory", "ACTIVE stream")
    return [
        Case(state, fault, event, seed, "se")
        for seed, fault in enumerate(("none", "cable out 1 s", "line dead", "late 30 ms", "drop 5 %"))
        for state in states
        for event in EVENTS
    ]


def pairs() -> list[tuple[State, Fault]]:
    """Every state with every fault that is tried in it."""
    return [(state, fault) for fault in FAULTS for state in STATES if tried(fault, state)]


def tried(fault: Fault, state: State) -> bool:
    """Whether `fault` can come about in `state`."""
    where = {"": True, "moving": state.moving, "rest": not state.moving, "limp": not state.torque}
    return (where | {"holding": state.torque or state.holding})[fault.states]


def state_named(name: str) -> State:
    """The state called `name`.

    Raises:
        DofbotError: there is none of that name.
    """
    for state in STATES:
        if state.name == name:
            return state
    raise DofbotError(f"no state {name!r} in the matrix; there are: {', '.join(s.name for s in STATES)}")


def run_case(case: Case) -> Outcome:
    """Run one cell in virtual time and judge it."""
    rig, truth = play(case)
    state, fault = state_named(case.state), fault_named(case.fault)
    due = {"always": True, "torque": state.torque, "moving": state.moving, "never": False}[fault.noticed]
    # An emergency stop stands above a fault: the state does not change.
    due = due and case.event != "estop" and state.name != "ESTOP" and not state.ends
    config = rig.config
    rules = Rules(
        max_velocity=config.max_velocity,
        max_acceleration=config.max_acceleration,
        transaction_s=TRANSACTION_S[case.protocol],
    )
    judgement = judge(truth, rig.record, rules, fault_due=due, recovery_due=fault.transient)
    onset = rig.record.onset_s
    return Outcome(
        case,
        judgement,
        onset,
        due,
        rig.record.recovered,
        tuple((t - onset, s.value, why) for t, s, why in rig.record.states),
        tuple((t - onset, name, why) for t, name, why in rig.record.refusals[:20]),
    )


def play(case: Case) -> tuple[VirtualRig, Truth]:
    """Run one cell. Returns the rig at its end and what its servos did."""
    state, fault = state_named(case.state), fault_named(case.fault)
    config = DriverConfig(port=PORT, protocol=case.protocol, on_exit="park" if state.ends else "hold")
    rig = VirtualRig(case.seed, config, holding=state.holding)
    try:
        with limited(LIMIT_S):
            _play(case, rig, state, fault)
    except (Exception, TooSlowError) as error:
        rig.record.crash = f"{type(error).__name__}: {error}"
    rig.close()
    return rig, rig.truth()


def _play(case: Case, rig: VirtualRig, state: State, fault: Fault) -> None:
    state.enter(rig)
    # Not always at the same moment of a cycle.
    begin_s = rig.now + 0.001 * (7 * case.seed % 20)
    rig.record.onset_s, rig.record.end_s = begin_s, begin_s + fault.seconds
    rig.at(begin_s, lambda: rig.tamper(lambda: fault.begin(rig)))
    rig.at(begin_s + fault.seconds, lambda: rig.tamper(lambda: fault.end(rig)))
    _plan(rig, case.event, begin_s + EVENT_S)
    if state.ends:
        rig.run(0.1)
        rig.shut_down()
        rig.clock.sleep_until(max(rig.now, begin_s + fault.seconds) + 0.2)
        rig.restart()
    rig.run(begin_s + fault.seconds + SETTLE_S - rig.now)
    rig.record.recovered = recover(rig)


def _plan(rig: Rig, event: str, time_s: float) -> None:
    if event == "estop":
        rig.at(time_s, rig.estop)
    elif event == "stop":
        rig.between_cycles(time_s, rig.stop)
    elif event == "clear and enable":
        rig.between_cycles(time_s, lambda: _clear_and_enable(rig))
    elif event == "let go":
        rig.between_cycles(time_s, lambda: rig.freedrive(True))


def _clear_and_enable(rig: Rig) -> None:
    rig.attempt("clear_fault", rig.driver.clear_fault)
    rig.torque(True)


def recover(rig: Rig) -> bool:
    """Do what an operator does after a fault, and ask for a small motion. Returns whether the arm truly carried it out.

    Live streams go on for a moment after the reset, and have to move nothing; then their operators let go.
    """
    deadline_s = rig.now + 2.0 * OBEY_S
    while rig.now < deadline_s:
        state = rig.state
        if state is ArmState.ESTOP:
            rig.attempt("reset_estop", rig.driver.reset_estop)
        elif state is ArmState.FAULT:
            _clear_and_enable(rig)
        elif state is ArmState.IDLE:
            rig.freedrive(False)
            rig.torque(True)
        elif state in (ArmState.HOLD, ArmState.ACTIVE):
            rig.run(0.3)
            for operator in rig.streamers:
                operator.on = False
            rig.run(0.6)
            goal = rig.true() + SMALL
            if not rig.follow([1.0], goal[None]):
                # A hand, or the fault, has left it too near the table: upwards it may go.
                if not rig.home():
                    continue
                goal = np.append(np.array(HOME[:GRIP]), goal[GRIP])
            return rig.run_until(lambda: bool(np.abs(rig.true() - goal)[:GRIP].max() < NEAR), OBEY_S)  # noqa: B023
        rig.run(0.3)
    return False
