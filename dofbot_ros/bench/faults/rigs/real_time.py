"""A case that takes real processes and real time: run beside nothing else, and never the end of those after it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dofbot_ros.bench.faults.outcome import Case, Outcome, unmeasured
from dofbot_ros.bench.faults.rigs.stillness import Stillness
from dofbot_ros.errors import DofbotError


class NotHereError(DofbotError):
    """This machine does not permit or does not have what a case takes."""


@dataclass(frozen=True)
class RealTimeCase:
    """One cell.

    Attributes:
        case: its names.
        expected_s: how long it takes, for the time that is left [s].
        play: runs and judges it.
    """

    case: Case
    expected_s: float
    play: Callable[[], Outcome]


def attempt(one: RealTimeCase) -> Outcome:
    """Run a case; where that fails the outcome says why. Only an interruption by the user ends the matrix.

    A rule that was broken while this machine stood still is neither good nor bad: the case was not measured.
    """
    try:
        with Stillness() as still:
            outcome = one.play()
        if outcome.judgement.violations and still.too_long:
            return unmeasured(one.case, still.too_long)
        return outcome
    except DofbotError as error:
        return unmeasured(one.case, str(error))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}"
        return unmeasured(one.case, f"{type(error).__name__} in {where}: {error}")
