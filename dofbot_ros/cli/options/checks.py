"""Checks of command-line values that typer does not make."""

from __future__ import annotations

import math
import os
from typing import TypeVar

import typer

FloatT = TypeVar("FloatT", float, float | None)


def one_thread() -> None:
    """Keep numpy's linear algebra to one thread, where it was not imported yet.

    The matrices of a calibration are small: on a busy machine more threads make it several times slower.
    """
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def finite(value: FloatT) -> FloatT:
    """The value; nan passes typer's min and max, and inf has no end.

    Raises:
        typer.BadParameter: it is one of them.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number.")
    return value
