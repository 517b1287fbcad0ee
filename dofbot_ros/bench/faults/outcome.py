"""A case of the matrix by its names, and what came of it; both can be written to a file and read again."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from dofbot_ros.bench.faults.judge import Judgement, Violation
from dofbot_ros.hardware.wire.protocol import ProtocolName

NOTHING_MEASURED = Judgement((), math.nan, math.nan)


@dataclass(frozen=True)
class Case:
    """One cell, by names, so that it can be handed to another process and run again by hand."""

    state: str
    fault: str
    event: str
    seed: int = 0
    protocol: ProtocolName = "bus"

    def __str__(self) -> str:
        return f"{self.state} x {self.fault} x {self.event}" + (" (se)" if self.protocol == "se" else "")


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        case: which.
        judgement: by the servos' truth.
        onset_s: when the fault began, on the case's own clock [s].
        fault_due: whether the driver had to notice.
        recovered: whether the arm obeyed again.
        states: the driver's states, and when it came to them, from the onset on [s].
        refusals: the first commands that it refused, likewise.
        unmeasured: why the case could not be measured; "" when it was. Nothing else is known of it then.
    """

    case: Case
    judgement: Judgement
    onset_s: float
    fault_due: bool
    recovered: bool | None
    states: tuple[tuple[float, str, str], ...]
    refusals: tuple[tuple[float, str, str], ...]
    unmeasured: str = ""


def unmeasured(case: Case, why: str) -> Outcome:
    """The outcome of a case that could not be measured, and why."""
    return Outcome(case, NOTHING_MEASURED, 0.0, False, None, (), (), why)


def to_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain data."""
    return asdict(outcome)


def from_json(data: dict[str, Any]) -> Outcome:
    """The outcome that to_json() made `data` of.

    Raises:
        TypeError, KeyError, ValueError: it made no such thing.
    """
    judged = dict(data["judgement"])
    violations = tuple(Violation(**violation) for violation in judged.pop("violations"))
    rest = {key: value for key, value in data.items() if key not in ("case", "judgement", "states", "refusals")}
    return Outcome(
        case=Case(**data["case"]),
        judgement=Judgement(violations, **judged),
        states=_rows(data["states"]),
        refusals=_rows(data["refusals"]),
        **rest,
    )


def _rows(rows: list[list[Any]]) -> tuple[tuple[float, str, str], ...]:
    return tuple((float(time_s), str(name), str(why)) for time_s, name, why in rows)
