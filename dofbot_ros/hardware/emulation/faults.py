"""What can go wrong between a host and its servos, as data: by chance or always, for all servos or for some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from dofbot_ros.config.ranges import Checked, Finite, NotNegative, Share
from dofbot_ros.errors import InputError, UsageError, one_of
from dofbot_ros.hardware.emulation.servos import SERVO_IDS, ModelServos

PROBABILITIES = ("drop", "corrupt", "half", "delay")
AMOUNTS = ("delay_s", "garbage_hz", "swallow_s", "baudrate", "shift_ticks")
SERVO_SETS = ("silent", "twin", "torque_deaf", "frozen", "zero", "shifted")


@dataclass
class FaultPlan(Checked):
    """Faults of a line and of what servos say over it; every field may be changed while it is in use.

    Attributes:
        drop: probability that a frame is lost, in either direction.
        corrupt: probability that one bit of a frame flips, in either direction.
        half: probability that only the first half of a frame arrives, in either direction.
        delay: probability that a reply is handed to the host late, as a slow USB adapter does.
        delay_s: how late [s].
        garbage_hz: random bytes that the host hears without having asked [1/s].
        swallow_s: after a silence of this long the next frame of the host is lost; 0 for never [s].
        baudrate: the speed that the servos are set to, where it is not that of the line; 0 for the line's [1/s].
        echo: whether the host hears its own bytes, as with a one-wire adapter.
        silent: servos whose plug is out: they neither hear nor answer, and hold.
        twin: servos that have the id of the servo before them (servo 1: that of servo 2): both obey and both answer.
        torque_deaf: servos that ignore their torque switch.
        frozen: servos that go on telling the last position they told.
        zero: servos that tell position 0.
        shifted: servos that tell a position `shift_ticks` beside the true one.
        shift_ticks: see shifted [ticks].
        rng: decides what happens by chance.
    """

    ERROR = InputError

    drop: Share = 0.0
    corrupt: Share = 0.0
    half: Share = 0.0
    delay: Share = 0.0
    delay_s: NotNegative = 0.03
    garbage_hz: NotNegative = 0.0
    swallow_s: NotNegative = 0.0
    baudrate: NotNegative = 0.0
    echo: bool = False
    silent: frozenset[int] = frozenset()
    twin: frozenset[int] = frozenset()
    torque_deaf: frozenset[int] = frozenset()
    frozen: frozenset[int] = frozenset()
    zero: frozenset[int] = frozenset()
    shifted: frozenset[int] = frozenset()
    shift_ticks: Finite = 200.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def clear(self) -> None:
        """Make the line healthy again; the random generator goes on."""
        for each in fields(self):
            if each.name != "rng":
                setattr(self, each.name, each.default)

    def carry(self, frame: bytes) -> bytes | None:
        """What arrives of a frame: itself, something like it, or nothing."""
        if self.drop and self.rng.random() < self.drop:
            return None
        if self.corrupt and self.rng.random() < self.corrupt:
            bit = int(self.rng.integers(len(frame) * 8))
            return frame[: bit // 8] + bytes([frame[bit // 8] ^ 1 << bit % 8]) + frame[bit // 8 + 1 :]
        if self.half and self.rng.random() < self.half:
            return frame[: len(frame) // 2]
        return frame

    def lateness_s(self) -> float:
        """How late the next reply comes [s]."""
        return self.delay_s if self.delay and self.rng.random() < self.delay else 0.0

    def garbage(self, seconds: float) -> bytes:
        """Random bytes of a time of so many `seconds` [s], their number by chance around `garbage_hz`."""
        return self.rng.bytes(int(self.rng.poisson(self.garbage_hz * seconds))) if self.garbage_hz else b""

    def answers_as(self, servo: int) -> int:
        """The id that a servo really has."""
        if servo not in self.twin:
            return servo
        return servo - 1 if servo > 1 else 2

    def told(self, servo: int, ticks: int, before: int | None) -> int:
        """The position that a servo tells [ticks].

        Args:
            servo: which.
            ticks: where it is [ticks].
            before: what it told the last time, None when it was not asked yet [ticks].
        """
        if servo in self.frozen and before is not None:
            return before
        if servo in self.zero:
            return 0
        shift = round(self.shift_ticks) if servo in self.shifted else 0
        return min(4095, max(0, ticks + shift))


HOT_C = 85.0
WEAK_V = 5.0

SERVO_FAULTS: dict[str, Callable[[ModelServos, int, float], None]] = {
    "jam": lambda servos, servo, _: servos.jam(servo),
    "free": lambda servos, servo, _: servos.jam(servo, False),
    "heat": lambda servos, servo, _: servos.heat(servo, HOT_C),
    "weak": lambda servos, servo, _: servos.supply(servo, WEAK_V),
    "overload": lambda servos, servo, now: servos.trip(servo, now),
    "limp": lambda servos, servo, now: servos.torque(servo, False, now),
    "reboot": lambda servos, servo, now: servos.reboot(servo, now),
}
"""What happens to a stand-alone servo itself, by name: called with the servos, its id and the time [s]."""


@dataclass(frozen=True)
class ParsedFaults:
    """Faults as spelled on a command line.

    Attributes:
        line: those of the line.
        servos: names from SERVO_FAULTS, each with the servo it befalls.
    """

    line: FaultPlan
    servos: tuple[tuple[str, int], ...]

    def befall(self, servos: ModelServos, now: float) -> None:
        """Let the faults of single servos happen at `now` [s]."""
        for name, servo in self.servos:
            SERVO_FAULTS[name](servos, servo, now)


def parse_faults(texts: Sequence[str], rng: np.random.Generator) -> ParsedFaults:
    """Read faults such as drop=0.01, delay=0.05, delay_s=0.03, echo=1, silent=3, frozen=2, jam=2, heat=4.

    Raises:
        InputError: no such fault, or a value that it cannot have.
    """
    line: dict[str, Any] = {}
    sets: dict[str, set[int]] = {}
    servos: list[tuple[str, int]] = []
    for text in texts:
        name, _, value = text.partition("=")
        known = (*PROBABILITIES, *AMOUNTS, "echo", *SERVO_SETS, *SERVO_FAULTS)
        if name not in known:
            raise UsageError(one_of("fault", name, known))
        try:
            number = float(value)
        except ValueError:
            raise UsageError(f"fault {text!r} needs a number, for instance {name}=0.01 or {name}=3") from None
        if name not in SERVO_SETS and name not in SERVO_FAULTS:
            line[name] = bool(number) if name == "echo" else number
        elif number not in SERVO_IDS:
            raise UsageError(f"fault {name} names a servo, 1 to {SERVO_IDS[-1]}, got {value}")
        elif name in SERVO_SETS:
            sets.setdefault(name, set()).add(int(number))
        else:
            servos.append((name, int(number)))
    line |= {name: frozenset(ids) for name, ids in sets.items()}
    return ParsedFaults(FaultPlan(**line, rng=rng), tuple(servos))
