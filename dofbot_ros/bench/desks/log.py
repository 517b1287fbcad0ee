"""The file of a measurement on desks: a line of JSON for each trial, so that it can be interrupted and resumed."""

from __future__ import annotations

import json
from pathlib import Path

from dofbot_ros.bench.desks.jobs import Outcome
from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.errors import InputError

HEAD = "desks"


class TrialFile:
    """Keeps outcomes.

    Args:
        path: of the file; None keeps nothing.
        conditions: what makes trials comparable: a file of other conditions is refused.

    Attributes:
        done: outcomes by world, job and number.

    Raises:
        InputError: the file is none of a measurement on desks, or one under other conditions.
    """

    def __init__(self, path: Path | None, conditions: dict[str, object]) -> None:
        self.done: dict[tuple[str, str, int], Outcome] = {}
        self._path = path
        head = {HEAD: conditions}
        if path is None:
            return
        if not path.exists() or path.stat().st_size == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(head) + "\n", encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8", errors="replace")
        # A line that was cut off counts as not written.
        first, *lines = text.splitlines() if text.endswith("\n") else text.splitlines()[:-1] or [""]
        try:
            found = json.loads(first)
        except ValueError:
            found = None
        if not (isinstance(found, dict) and HEAD in found):
            raise InputError(f"{path} is no file of `dofbot bench desks`: name another one")
        if found != head:
            raise InputError(f"{path} holds trials under other conditions ({found[HEAD]}): name another file")
        for number, line in enumerate(lines, start=2):
            try:
                outcome = from_mapping(Outcome, json.loads(line), f"{path}, line {number}")
            except ValueError as error:
                raise InputError(f"{path}, line {number}: {error}; delete the line, its trial is run again") from error
            self.done[outcome.world, outcome.job, outcome.number] = outcome
        if not text.endswith("\n"):
            path.write_text("".join(f"{line}\n" for line in (first, *lines)), encoding="utf-8")

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome."""
        self.done[outcome.world, outcome.job, outcome.number] = outcome
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(to_mapping(outcome)) + "\n")
