"""What can go wrong on a line, by chance or on demand."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from dofbot_ros.errors import InputError, one_of


@dataclass
class FaultPlan:
    """Faults of a line; every field may be changed while it is in use.

    Attributes:
        drop: probability that a frame is lost, in either direction.
        corrupt: probability that one bit of a frame flips, in either direction.
        delay: probability that a reply comes late.
        delay_s: how late [s].
        echo: whether the host hears its own bytes, as with a one-wire adapter.
        silent: servos whose plug is out.
        rng: decides what happens by chance.
    """

    drop: float = 0.0
    corrupt: float = 0.0
    delay: float = 0.0
    delay_s: float = 0.03
    echo: bool = False
    silent: frozenset[int] = frozenset()
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def __post_init__(self) -> None:
        for name in ("drop", "corrupt", "delay"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"fault {name} is a probability, 0 to 1, got {getattr(self, name)}")
        if not 0.0 <= self.delay_s < np.inf:
            raise InputError(f"fault delay_s is a time of 0 s or more, got {self.delay_s}")

    def carry(self, frame: bytes) -> bytes | None:
        """What arrives of a frame: itself, something like it, or nothing."""
        if self.drop and self.rng.random() < self.drop:
            return None
        if self.corrupt and self.rng.random() < self.corrupt:
            bit = int(self.rng.integers(len(frame) * 8))
            return frame[: bit // 8] + bytes([frame[bit // 8] ^ 1 << bit % 8]) + frame[bit // 8 + 1 :]
        return frame

    def lateness_s(self) -> float:
        """How late the next reply comes [s]."""
        return self.delay_s if self.delay and self.rng.random() < self.delay else 0.0


LINE_FAULTS = tuple(f.name for f in fields(FaultPlan) if f.name != "rng")
SERVO_FAULTS = ("jam", "heat")


@dataclass(frozen=True)
class ParsedFaults:
    """Faults as spelled on a command line: those of the line, jammed servos, hot servos."""

    line: FaultPlan
    jammed: tuple[int, ...]
    hot: tuple[int, ...]


def parse_faults(texts: list[str], rng: np.random.Generator) -> ParsedFaults:
    """Read faults such as drop=0.01, corrupt=0.01, delay=0.05, delay_s=0.03, echo=1, silent=3, jam=2, heat=4.

    Raises:
        InputError: no such fault, or a value that it cannot have.
    """
    line: dict[str, Any] = {}
    servos: dict[str, list[int]] = {"silent": [], "jam": [], "heat": []}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in (*LINE_FAULTS, *SERVO_FAULTS):
            raise InputError(one_of("fault", name, (*LINE_FAULTS, *SERVO_FAULTS)))
        try:
            number = float(value)
        except ValueError:
            raise InputError(f"fault {text!r} needs a number, for instance {name}=0.01 or {name}=3") from None
        if name in servos:
            if number not in (1, 2, 3, 4, 5, 6):
                raise InputError(f"fault {name} names a servo, 1 to 6, got {value}")
            servos[name].append(int(number))
        else:
            line[name] = bool(number) if name == "echo" else number
    plan = FaultPlan(**line, silent=frozenset(servos["silent"]), rng=rng)
    return ParsedFaults(plan, tuple(servos["jam"]), tuple(servos["heat"]))
