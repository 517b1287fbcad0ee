"""The file of a matrix that can be interrupted: which cases are done, of this version and under these conditions."""

from __future__ import annotations

from pathlib import Path

from dofbot_ros import __version__
from dofbot_ros.bench.faults.cases.conditions import Conditions
from dofbot_ros.bench.faults.outcome import Outcome, from_json, to_json
from dofbot_ros.core.result_file import ResultFile


def open_state(path: Path | None, conditions: Conditions | None = None) -> ResultFile[Outcome]:
    """The file of a matrix, old or new; None keeps nothing.

    Args:
        path: of the file.
        conditions: of the cases in real time.

    Raises:
        InputError: it is no such file, or one of another version of this package or of other conditions.
    """
    head = {"version": __version__, "conditions": str(conditions or Conditions())}
    return ResultFile(path, "dofbot bench faults", head, to_json, from_json)
