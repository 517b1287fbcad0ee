"""SIGINT and SIGTERM, kept waiting while something must not be left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C waiting, so that no process is lost between its start and its entry, or before its end.

    A process that is started meanwhile begins with both signals blocked: release_interrupts() is for it to call. Here
    that would not do: the kernel gives a signal to any thread that does not block it, and Python then handles it in
    this one. So its handlers are put off, too.
    """
    held: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # the one that handles signals
        handlers = {number: signal.signal(number, lambda caught, _: held.append(caught)) for number in INTERRUPTS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for caught in dict.fromkeys(held):
            signal.raise_signal(caught)


def release_interrupts() -> None:
    """In a new process: let through what its parent held."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, INTERRUPTS)
