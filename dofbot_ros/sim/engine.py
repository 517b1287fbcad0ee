"""A PyBullet client without a window."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dofbot_ros.errors import DependencyError


def connect() -> Any:
    """Open a client of its own: PyBullet's functions as methods, bound to that client.

    Raises:
        DependencyError: PyBullet is not installed.
    """
    try:
        with quiet():
            import pybullet
            from pybullet_utils.bullet_client import BulletClient  # type: ignore[import-untyped]
    except ImportError as error:
        raise DependencyError("pybullet", "sim", "the simulated arm") from error
    with quiet():
        return BulletClient(pybullet.DIRECT)


@contextmanager
def quiet() -> Iterator[None]:
    """PyBullet prints from C when imported and when connected: nobody's error, nobody's JSON."""
    kept = os.dup(1), os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        os.dup2(null, 2)
        yield
        # What it printed may still wait in C's buffer, and would come out later.
        ctypes.CDLL(None).fflush(None)
    finally:
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in (*kept, null):
            os.close(descriptor)
