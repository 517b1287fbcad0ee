"""SIGINT and SIGTERM, kept waiting while something must not be left half done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C waiting, so that no process is lost between its start and its entry, or before its end.

    A process that is started meanwhile begins with both signals blocked: release_interrupts() is for it to call.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def release_interrupts() -> None:
    """In a new process: let through what its parent held."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
