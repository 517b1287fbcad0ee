"""How every command speaks: people read rich on stderr, machines one JSON object on stdout."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

console = Console(stderr=True)
"""Progress, tables and messages go here, so that stdout stays clean for --json."""

MOST_COLUMNS = 6
"""Of a table for people: more do not fit a terminal."""
MOST_IN_CELL, LONGEST_CELL = 2, 24
"""Values in a cell, and characters: what is longer reads better as a line of its own."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, everything else on stderr.")]

DRAIN_S = 0.3
"""What was written before the end is waited for this long; child processes may hold the pipe for longer [s]."""
STDERR = 2
_used = threading.Lock()


def warn(message: str) -> None:
    """Print one line on stderr about what went less than well."""
    console.print(f"[yellow]dofbot:[/yellow] {escape(message)}", soft_wrap=True, highlight=False)


def emit(result: Mapping[str, Any], as_json: bool, title: str) -> None:
    """Print the result of a measurement: JSON on stdout, or tables for people on stdout.

    Entries that hold the same figures of several things, and lists of such, become tables with a row for each thing.
    """
    if as_json:
        sys.stdout.write(json.dumps(_plain(result)) + "\n")
        sys.stdout.flush()
        return
    people = Console()
    # Not the table's own title, which would be broken to its width.
    people.print(escape(title), style="bold", highlight=False, soft_wrap=True)
    grids = _grids(result)
    taken = {name for corner, members in grids for name in ([corner] if corner else members)}
    alone = {key: value for key, value in result.items() if key not in taken}
    if rows := _flat(alone):
        table = Table("", "", show_header=False)
        for key, value in rows:
            table.add_row(key, words_of(value, of=key))
        people.print(table)
    for corner, members in grids:
        people.print(_grid(corner, members))


def _grids(result: Mapping[str, Any]) -> list[tuple[str, dict[str, Mapping[str, Any]]]]:
    """Entries that make a table with columns: the entry it comes from, or "", and name -> figures of each row.

    A list, or a mapping, of such rows is one by itself; so are several entries with the same keys.
    """
    alike: dict[tuple[str, ...], dict[str, Mapping[str, Any]]] = {}
    lists: list[tuple[str, dict[str, Mapping[str, Any]]]] = []
    for key, value in result.items():
        if _figures(value):
            alike.setdefault(("", *value), {})[key] = value
        elif isinstance(value, (list, tuple)) and len(value) > 1 and all(map(_figures, value)) and _same(value):
            lists.append((key, {str(number): row for number, row in enumerate(value, 1)}))
        elif isinstance(value, Mapping) and all(map(_figures, value.values())) and _same([*value.values()]):
            lists.append((key, {str(name): row for name, row in value.items()}))
    return lists + [("", members) for members in alike.values() if len(members) > 1]


def _figures(value: Any) -> bool:
    """Whether it is one row of a table: a few values by name, each of which fits a cell."""
    return isinstance(value, Mapping) and 1 < len(value) <= MOST_COLUMNS and all(_cell(*item) for item in value.items())


def _cell(name: Any, value: Any) -> bool:
    if isinstance(value, Mapping):
        return len(value) <= MOST_IN_CELL and all(not isinstance(v, (Mapping, list, tuple)) for v in value.values())
    if isinstance(value, str):
        return len(value) <= LONGEST_CELL
    return not isinstance(value, (list, tuple)) or (str(name).endswith("interval") and len(value) == 2)


def _same(rows: Sequence[Mapping[str, Any]]) -> bool:
    return len({tuple(row) for row in rows}) == 1


def _grid(corner: str, members: Mapping[str, Mapping[str, Any]]) -> Table:
    columns = list(next(iter(members.values())))
    table = Table(corner, *columns)
    for name, figures in members.items():
        table.add_row(str(name), *(words_of(figures[column], of=column) for column in columns))
    return table


def words_of(value: Any, of: str = "") -> str:
    """A value as people read it: rounded, lists without brackets, and a dash for what was not measured.

    Args:
        value: any.
        of: its name, by which an interval is known.
    """
    if hasattr(value, "item") and not isinstance(value, (list, tuple)):
        value = value.item()
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {words_of(item)}" for key, item in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        if of.endswith("interval") and len(value) == 2:
            return f"{words_of(value[0])} to {words_of(value[1])}"
        between = "; " if any(isinstance(item, (list, tuple, Mapping)) for item in value) else "  "
        return between.join(words_of(item) for item in value) or "-"
    return str(value)


def _flat(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, item in value.items():
        rows += _flat(item, f"{prefix}{key}.") if isinstance(item, Mapping) else [(prefix + key, item)]
    return rows


def _plain(value: Any) -> Any:
    """For JSON, which knows no NaN: what could not be measured is null. Numbers keep six digits that count."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


@contextmanager
def live_region(screen: Console = console) -> Iterator[None]:
    """Within the context, lines on stderr by C libraries and child processes are printed above the live region.

    MediaPipe logs from C++ and nodes log from processes of their own: neither knows of a progress bar. File descriptor
    2 becomes a pipe, whose lines go through `screen`, which keeps its way to the terminal. Where stderr is no terminal
    nothing changes, nor in a context within another.

    Args:
        screen: that draws.
    """
    if not (screen.is_terminal and os.isatty(STDERR)) or not _used.acquire(blocking=False):
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(STDERR)
    reading, writing = os.pipe()
    os.dup2(writing, STDERR)
    os.close(writing)
    before = screen._file
    screen.file = os.fdopen(os.dup(terminal), "w", encoding="utf-8", errors="replace", buffering=1)
    thread = threading.Thread(target=_pass_on, args=(reading, screen), name="stderr", daemon=True)
    thread.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, STDERR)
        os.close(terminal)
        thread.join(DRAIN_S)
        screen._file = before
        _used.release()


def _pass_on(reading: int, screen: Console) -> None:
    """Print whole lines until nobody can write any more."""
    rest = b""
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while data := pipe.read(65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                _print(line, screen)
    if rest:
        _print(rest, screen)


def _print(line: bytes, screen: Console) -> None:
    text = line.decode("utf-8", errors="replace").rstrip("\r")
    screen.print(text, markup=False, highlight=False, soft_wrap=True)
