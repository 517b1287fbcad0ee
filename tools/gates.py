"""Figures that may rise and not fall: test/gates.json holds the least that each may be, in whole percent."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path

GATES = Path(__file__).resolve().parents[1] / "test" / "gates.json"


class GateError(Exception):
    """A figure is lower than its gate, or has none; one line for each."""


def load(path: Path = GATES) -> dict[str, dict[str, int]]:
    """Kind of figure -> name -> the least that it may be [%]."""
    gates: dict[str, dict[str, int]] = json.loads(path.read_text(encoding="utf-8"))
    return gates


def check(kind: str, figures: Mapping[str, float], path: Path = GATES) -> None:
    """Hold figures to their gates.

    Args:
        kind: of figure, for instance "mutation".
        figures: name -> figure [%].
        path: the gates.

    Raises:
        GateError: some are lower, or have no gate.
    """
    gates = load(path).get(kind, {})
    low = [
        f"{kind} of {name} is {figure:.2f} %, its gate is {gates[name]} %"
        for name, figure in figures.items()
        if name in gates and figure < gates[name]
    ]
    unknown = [f"{kind} of {name} has no gate in {path.name}" for name in figures if name not in gates]
    if low or unknown:
        raise GateError("\n".join(low + unknown))


def settle(kind: str, figures: Mapping[str, float], *, raise_gates: bool) -> int:
    """Raise the gates where asked, and hold figures to them. Returns the exit code: 1 where one does not hold."""
    if raise_gates:
        lift(kind, figures)
    try:
        check(kind, figures)
    except GateError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def lift(kind: str, figures: Mapping[str, float], path: Path = GATES) -> None:
    """Raise the gates to what was reached, rounded down; one that is higher stays."""
    gates = load(path) if path.is_file() else {}
    mine = gates.setdefault(kind, {})
    for name, figure in figures.items():
        mine[name] = max(mine.get(name, 0), math.floor(figure))
    path.write_text(json.dumps(gates, indent=2, sort_keys=True) + "\n", encoding="utf-8")
