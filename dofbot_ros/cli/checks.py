"""Checks of command-line values that typer does not make."""

from __future__ import annotations

import math
from typing import TypeVar

import typer

FloatT = TypeVar("FloatT", float, float | None)


def finite(value: FloatT) -> FloatT:
    """The value; nan passes typer's min and max, and inf has no end.

    Raises:
        typer.BadParameter: it is one of them.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number.")
    return value
