"""The file of a measurement that can be interrupted: a line of JSON for each result, added as soon as it is there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from dofbot_ros.errors import InputError

Result = TypeVar("Result")

KIND = "results of"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a measurement; carries what was measured by then, as the whole would have been returned."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__()
        self.result = result


class ResultFile(Generic[Result]):
    """Keeps results; a line that was cut off by a crash counts as not written.

    Args:
        path: of the file; None keeps nothing.
        command: that measures, as it is typed: "dofbot bench desks".
        conditions: what makes results comparable, as plain values; a file of other conditions is refused.
        write: a result as plain data.
        read: a result from what `write` made of it; whatever is wrong raises a ValueError, KeyError or TypeError.

    Attributes:
        results: all that are kept, those of earlier runs first.

    Raises:
        InputError: the file is none of this command, one of other conditions, or holds a line that is no result.
    """

    def __init__(
        self,
        path: Path | None,
        command: str,
        conditions: Mapping[str, Any],
        write: Callable[[Result], Any],
        read: Callable[[Any], Result],
    ) -> None:
        self.results: list[Result] = []
        self._path, self._write = path, write
        if path is None:
            return
        # As JSON gives them back, so that they can be compared: tuples are lists there.
        head = {KIND: command, **json.loads(json.dumps(conditions))}
        if path.exists() and path.stat().st_size > 0:
            self._load(path, head, read)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            _append(path, [head])

    def add(self, *results: Result) -> None:
        """Keep results, all or none of them."""
        self.results += results
        if self._path is not None:
            _append(self._path, [self._write(result) for result in results])

    def _load(self, path: Path, head: dict[str, Any], read: Callable[[Any], Result]) -> None:
        text = path.read_text(encoding="utf-8", errors="replace")
        whole = text[: text.rfind("\n") + 1]
        first, *lines = whole.splitlines() or [""]
        try:
            found = json.loads(first)
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.get(KIND) != head[KIND]:
            raise InputError(f"{path} is no file of `{head[KIND]}`: name another one")
        if found != head:
            raise InputError(f"{path} holds results of other conditions ({_difference(found, head)}): name another one")
        for number, line in enumerate(lines, start=2):
            try:
                self.results.append(read(json.loads(line)))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise InputError(f"{path}, line {number}: {error}; delete the line: it is measured again") from error
        if whole != text:
            # What is added next must begin a line of its own.
            path.write_text(whole, encoding="utf-8")


def _difference(found: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """The first condition that differs, in words."""
    key = next(key for key in (*asked, *found) if found.get(key) != asked.get(key))
    return f"{key} {found.get(key, 'unknown')} there, {asked.get(key, 'unknown')} here"


def _append(path: Path, data: list[Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(entry) + "\n" for entry in data))
        file.flush()
        os.fsync(file.fileno())
