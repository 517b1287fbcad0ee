"""The file of a matrix that can be interrupted: a line of JSON for each case that is done, added as soon as it is."""

from __future__ import annotations

import json
import os
from pathlib import Path

from dofbot_ros import __version__
from dofbot_ros.bench.faults.cases.conditions import Conditions
from dofbot_ros.bench.faults.outcome import Case, Outcome, from_json, to_json
from dofbot_ros.errors import InputError

HEAD = {"fault matrix": 1, "version": __version__}
"""First line: what the file is, and what the driver under test is; and the conditions, where they are not the usual."""


class StateFile:
    """Keeps outcomes; a line that was cut off by a crash counts as not written.

    Args:
        path: of the file; None keeps nothing.
        conditions: of the cases in real time.

    Raises:
        InputError: it is no such file, or one of another version of this package or of other conditions.

    Attributes:
        done: outcomes by case.
    """

    def __init__(self, path: Path | None, conditions: Conditions | None = None) -> None:
        self._path = path
        given = conditions or Conditions()
        self._head: dict[str, object] = {**HEAD, **({} if given.usual else {"conditions": str(given)})}
        self.done: dict[Case, Outcome] = {}
        if path is None:
            return
        if path.exists() and path.stat().st_size > 0:
            self._load(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            _append(path, self._head)

    def add(self, outcome: Outcome) -> None:
        """Keep an outcome; one that was not measured is tried again the next time."""
        self.done[outcome.case] = outcome
        if self._path is not None and not outcome.unmeasured:
            _append(self._path, to_json(outcome))

    def _load(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8", errors="replace")
        head, *lines = text.splitlines()
        try:
            found = json.loads(head)
        except ValueError:
            found = None
        if not isinstance(found, dict) or "fault matrix" not in found:
            raise InputError(f"{path} is no file of a fault matrix: name another one")
        if found.get("version") != __version__:
            raise InputError(
                f"{path} was made by version {found.get('version')}, this is {__version__}: name another one"
            )
        if found != self._head:
            made, now = (head.get("conditions", str(Conditions())) for head in (found, self._head))
            raise InputError(f"{path} was made under a {made}, this is a {now}: name another one")
        whole = lines if text.endswith("\n") else lines[:-1]
        for number, line in enumerate(whole, start=2):
            try:
                outcome = from_json(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise InputError(f"{path}, line {number}: {error}; delete the line, its case is run again") from error
            self.done[outcome.case] = outcome
        if len(whole) < len(lines):
            # What is added next must begin a line of its own.
            path.write_text("".join(f"{line}\n" for line in (head, *whole)), encoding="utf-8")


def _append(path: Path, data: dict[str, object]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(data) + "\n")
        file.flush()
        os.fsync(file.fileno())
