"""How every command speaks: people read rich on stderr, machines one JSON object on stdout."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

console = Console(stderr=True)
"""Progress, tables and messages go here, so that stdout stays clean for --json."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, everything else on stderr.")]


def warn(message: str) -> None:
    """Print one line on stderr about what went less than well."""
    console.print(f"[yellow]dofbot:[/yellow] {escape(message)}", soft_wrap=True, highlight=False)


def emit(result: Mapping[str, Any], as_json: bool, title: str) -> None:
    """Print the result of a measurement: JSON on stdout, or a table for people on stdout."""
    if as_json:
        sys.stdout.write(json.dumps(_finite(result)) + "\n")
        sys.stdout.flush()
        return
    table = Table("", "", title=title, show_header=False, title_justify="left")
    for key, value in _flat(result):
        table.add_row(key, f"{value:.4g}" if isinstance(value, float) else str(value))
    Console().print(table)


def _flat(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, item in value.items():
        rows += _flat(item, f"{prefix}{key}.") if isinstance(item, Mapping) else [(prefix + key, item)]
    return rows


def _finite(value: Any) -> Any:
    """JSON knows no NaN: what could not be measured is null."""
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
