"""The faults of the matrix, as data: how each begins and ends, and what the driver owes when it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from dofbot_ros.bench.faults.rigs.rig import PORT, Rig
from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.errors import DofbotError
from dofbot_ros.hardware.emulation.faults import SERVO_FAULTS
from dofbot_ros.hardware.emulation.servos import SERVO_IDS
from dofbot_ros.safety.authority import Commander, Rank

Step = Callable[[Rig], object]
SERVO = 2
"""The servo that single faults befall."""
MOVING = 1
"""A servo that moves in every motion of the arm."""
RIVAL = Commander("a rival", Rank.OPERATOR, b"rival")
NUDGE = 180.0
"""A hand turns a limp joint by so many ticks, 15 degrees."""


@dataclass(frozen=True)
class Fault:
    """One row of the matrix.

    Attributes:
        name: of the row.
        begin: what happens at its onset.
        end: what undoes it.
        seconds: from onset to end [s].
        noticed: when the driver has to say so within 0.3 s: "always", "torque" (while its servos hold), "moving" or
            "never".
        transient: whether the arm has to obey again afterwards without a restart.
        states: the states it is tried in; "" for all, else "holding" (servos have torque), "moving", "rest" or "limp".
    """

    name: str
    begin: Step
    end: Step
    seconds: float = 1.0
    noticed: str = "never"
    transient: bool = True
    states: str = ""


def line(name: str, noticed: str = "never", seconds: float = 1.0, states: str = "", **fields: object) -> Fault:
    """A fault of the line: fields of FaultPlan, which all are as before at its end."""

    def begin(rig: Rig) -> None:
        for key, value in fields.items():
            setattr(rig.faults, key, value)

    return Fault(name, begin, lambda rig: rig.faults.clear(), seconds, noticed, states=states)


def servo(name: str, word: str, which: int, cure: Step, noticed: str, **more: str) -> Fault:
    """A fault of one servo, from hardware.faults.SERVO_FAULTS."""
    return Fault(name, lambda rig: SERVO_FAULTS[word](rig.servos, which, rig.now), cure, noticed=noticed, **more)  # type: ignore[arg-type]


def cable(name: str, seconds: float, back_as: str | None = None) -> Fault:
    """The cable is out for `seconds` [s]."""
    return Fault(
        name,
        lambda rig: rig.ports.unplug(),
        lambda rig: rig.ports.plug_in(back_as),
        seconds,
        "always",
    )


def _retake(rig: Rig) -> None:
    """Put the cable back where another program has the port for a second."""
    rig.ports.plug_in()
    rig.at(rig.now + 1.0, lambda: setattr(rig.ports, "taken", False))


def _steal(rig: Rig) -> None:
    rig.ports.unplug()
    rig.ports.taken = True


def _thief(rig: Rig) -> None:
    """Another program reads the open port, too: it gets half of what the servos say."""
    rig.ports.taken = True
    rig.faults.drop = 0.5


def _thief_gone(rig: Rig) -> None:
    rig.ports.taken = False
    rig.faults.clear()


def _cool(rig: Rig) -> None:
    rig.servos.heat(SERVO, 30.0)


def _power_cut(rig: Rig, which: tuple[int, ...]) -> None:
    """Servos lose their power, and somebody moves the one that is limp now."""
    rig.faults.silent = frozenset(which)
    for one in which:
        rig.servos.reboot(one, rig.now)
    rig.at(rig.now + 0.3, lambda: rig.turn_by_hand(SERVO, NUDGE))


def _limp(rig: Rig) -> None:
    rig.servos.torque(SERVO, False, rig.now)
    rig.at(rig.now + 0.3, lambda: rig.turn_by_hand(SERVO, NUDGE))


def _half_stall(rig: Rig) -> None:
    rig.cycle_pause_s = 0.06


def _flood(rig: Rig) -> None:
    """Every command at once, twenty times a cycle, none of which may be carried out."""
    nowhere = np.array([9.0, 9.0, 9.0, 9.0, 9.0])

    def burst() -> None:
        if rig.flooding:
            for _ in range(20):
                rig.attempt("follow", lambda: rig.driver.follow([0.01], nowhere[None], None, ()))
                rig.attempt("stream", lambda: rig.driver.stream(np.full(6, np.nan), rig.now))
                rig.attempt("twist", lambda: rig.driver.twist([np.nan] * 3, [0.0] * 3, rig.now))
                rig.attempt("gripper", lambda: rig.driver.gripper(9.0))
            rig.between_cycles(rig.now + 0.02, burst)

    rig.flooding = True
    rig.between_cycles(rig.now, burst)


def _absurd(rig: Rig) -> None:
    """Finite numbers beyond all reason, from a caller who divides by almost nothing."""
    here = rig.true()[:5]

    def send() -> None:
        rig.attempt("twist", lambda: rig.driver.twist([1e306, 0.0, 0.0], [0.0, -1e306, 0.0], rig.now))
        rig.attempt("twist", lambda: rig.driver.twist([1e-320, 0.0, 0.0], [0.0, 0.0, 1e200], rig.now))
        for last_s, far in ((1e-300, 0.0), (1e300, 0.0), (2.0**31, 0.0), (1.0, 1e306)):
            rig.attempt("follow", partial(rig.driver.follow, [last_s], here[None] + far, None, JOINT_NAMES[:5]))
        rig.attempt("stream", lambda: rig.driver.stream(here - 1e306, rig.now, JOINT_NAMES[:5]))

    rig.between_cycles(rig.now, send)


def _silence_operators(rig: Rig) -> None:
    """Whoever streams is gone in the middle of a motion."""
    for operator in rig.streamers:
        operator.on = False


def _calm(rig: Rig) -> None:
    rig.flooding = False


def _rival(rig: Rig) -> None:
    """A second commander streams another place at the same rate."""
    here = rig.true()
    away = here - 0.3 * np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])

    def tick() -> None:
        if rig.flooding:
            rig.stream(away, by=RIVAL)
            rig.between_cycles(rig.now + 0.02, tick)

    rig.flooding = True
    rig.between_cycles(rig.now, tick)


def _stopped(rig: Rig) -> None:
    """SIGSTOP: the process stands in the middle of whatever it does, the world goes on."""
    rig.stand(1.0)


def _silent(name: str, which: tuple[int, ...], noticed: str, seconds: float = 1.0) -> Fault:
    return Fault(
        name,
        lambda rig: setattr(rig.faults, "silent", frozenset(which)),
        lambda rig: rig.faults.clear(),
        seconds,
        noticed,
    )


def _nothing(rig: Rig) -> None:
    del rig


FAULTS: tuple[Fault, ...] = (
    Fault("none", _nothing, _nothing),
    cable("cable out 0.1 s", 0.1),
    cable("cable out 1 s", 1.0),
    cable("cable out 10 s", 10.0),
    cable("cable back as ttyUSB1", 1.0, "/dev/ttyUSB1"),
    Fault("port stolen", _steal, _retake, 0.5, "always"),
    Fault("port shared", _thief, _thief_gone),
    line("garbage 2000/s", garbage_hz=2000.0),
    line("garbage 11000/s", garbage_hz=11000.0),
    line("half frames 30 %", half=0.3),
    line("half frames", "always", half=1.0),
    line("line dead", "always", drop=1.0),
    line("echo", echo=True),
    line("drop 5 %", drop=0.05),
    line("corrupt 5 %", corrupt=0.05),
    line("late 3 ms", delay=1.0, delay_s=0.003),
    line("late 12 ms", delay=1.0, delay_s=0.012),
    line("late 30 ms", delay=1.0, delay_s=0.030),
    line("late 80 ms", delay=1.0, delay_s=0.080),
    line("first frame swallowed", swallow_s=0.005),
    line("wrong baud", "always", baudrate=9600.0),
    _silent("one servo silent", (SERVO,), "always"),
    _silent("silent 0.15 s and back", (SERVO,), "never", 0.15),
    _silent("all silent", SERVO_IDS, "always"),
    # Ids do not change while an arm moves: the driver finds them so before it has sent a goal.
    line("two servos, one id", "always", states="limp", twin=frozenset({SERVO})),
    Fault(
        "rejoin without power",
        lambda rig: _power_cut(rig, (SERVO,)),
        lambda rig: rig.faults.clear(),
        noticed="always",
    ),
    Fault(
        "power of all lost",
        lambda rig: _power_cut(rig, SERVO_IDS),
        lambda rig: rig.faults.clear(),
        noticed="always",
    ),
    servo("overload", "overload", SERVO, _nothing, "always"),
    servo("over-temperature", "heat", SERVO, _cool, "always"),
    # A dip is none; one that stays low for half a second is a fault: later than the others have to be noticed.
    servo("low voltage", "weak", SERVO, lambda rig: rig.servos.supply(SERVO, 7.4), "never"),
    servo("jammed, then free", "jam", MOVING, lambda rig: rig.servos.jam(MOVING, False), "never"),
    Fault("torque lost", _limp, _nothing, noticed="torque"),
    line("torque switch dead", torque_deaf=frozenset({SERVO})),
    line("sensor frozen", frozen=frozenset({MOVING})),
    line("sensor says 0", "torque", zero=frozenset({MOVING})),
    Fault(
        "sensor shifted 16 deg",
        lambda rig: setattr(rig.faults, "shifted", frozenset({MOVING})),
        lambda rig: rig.faults.clear(),
        states="holding",
    ),
    Fault(
        "load of 1.3 deg",
        lambda rig: rig.press(SERVO, -16.0),
        lambda rig: rig.press(SERVO, 0.0),
        states="rest",
    ),
    Fault("slow host", _half_stall, lambda rig: setattr(rig, "cycle_pause_s", 0.0)),
    Fault("host stopped 1 s", _stopped, _nothing, 1.1),
    Fault("flood of bad commands", _flood, _calm),
    Fault("commander dead", _silence_operators, _nothing, states="moving"),
    Fault("absurd commands", _absurd, _nothing),
    Fault("two commanders", _rival, _calm, states="moving"),
)


def fault_named(name: str) -> Fault:
    """The fault called `name`.

    Raises:
        DofbotError: there is none of that name.
    """
    for fault in FAULTS:
        if fault.name == name:
            return fault
    raise DofbotError(f"no fault {name!r} in the matrix; there are: {', '.join(f.name for f in FAULTS)}")


__all__ = ["FAULTS", "PORT", "Fault", "fault_named"]
