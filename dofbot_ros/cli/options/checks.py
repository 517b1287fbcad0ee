"""Checks of command-line values that typer does not make."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import typer

from dofbot_ros.errors import ConfigError, UsageError

FloatT = TypeVar("FloatT", float, float | None)


def one_thread() -> None:
    """Keep numpy's linear algebra to one thread, where it was not imported yet.

    The matrices of a calibration are small: on a busy machine more threads make it several times slower.
    """
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@contextmanager
def from_options() -> Iterator[None]:
    """Around the making of a configuration from options: values that it refuses are wrong usage.

    Raises:
        UsageError: in place of ConfigError.
    """
    try:
        yield
    except ConfigError as error:
        raise UsageError(str(error)) from error


def device_name(value: str) -> str:
    """The value, if it can name a device of torch's.

    Raises:
        typer.BadParameter: it is none of auto, cpu, cuda, cuda:N.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value):
        raise typer.BadParameter(f"{value} is not one of auto, cpu, cuda, cuda:N.")
    return value


def finite(value: FloatT) -> FloatT:
    """The value; nan passes typer's min and max, and inf has no end.

    Raises:
        typer.BadParameter: it is one of them.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number.")
    return value
