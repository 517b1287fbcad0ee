"""How every command speaks: people read rich on stderr, machines one JSON object on stdout."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

console = Console(stderr=True)
"""Progress, tables and messages go here, so that stdout stays clean for --json."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, everything else on stderr.")]

DRAIN_S = 0.3
"""What was written before the end is waited for this long; child processes may hold the pipe for longer [s]."""
STDERR = 2
_used = threading.Lock()


def warn(message: str) -> None:
    """Print one line on stderr about what went less than well."""
    console.print(f"[yellow]dofbot:[/yellow] {escape(message)}", soft_wrap=True, highlight=False)


def emit(result: Mapping[str, Any], as_json: bool, title: str) -> None:
    """Print the result of a measurement: JSON on stdout, or a table for people on stdout."""
    if as_json:
        sys.stdout.write(json.dumps(_plain(result)) + "\n")
        sys.stdout.flush()
        return
    table = Table("", "", title=title, show_header=False, title_justify="left")
    for key, value in _flat(result):
        table.add_row(key, _words(value))
    Console().print(table)


def _words(value: Any) -> str:
    """A value as people read it: rounded, lists without brackets, and a dash for what was not measured."""
    if hasattr(value, "item") and not isinstance(value, (list, tuple)):
        value = value.item()
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        between = "; " if any(isinstance(item, (list, tuple, Mapping)) for item in value) else "  "
        return between.join(_words(item) for item in value) or "-"
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
