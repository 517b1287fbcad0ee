"""Run one thread before all ordinary ones, where the system permits it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PRIORITY = 10
"""Above every ordinary thread, below what the kernel and audio servers use."""

NICE = -10
"""Of the other threads of a program with such a thread."""

NICE_FOLLOWING = -5
"""Of a program that an operator waits for, and that computes much: behind those that drive an arm."""

THREADS = Path("/proc/self/task")
"""A folder for each thread of this program."""

AUTOGROUP = Path("/proc/self/autogroup")
"""The niceness of this process's session."""


@contextmanager
def realtime() -> Iterator[bool]:
    """Give the calling thread the SCHED_FIFO policy meanwhile: on a busy machine it wakes in 0.1 ms, not in several.

    For threads that sleep most of the time; one that computes would shut the others out. Threads and processes started
    meanwhile are ordinary ones.

    Yields:
        Whether the system permits it: that takes root, CAP_SYS_NICE, or a line `@realtime - rtprio 10` in
        /etc/security/limits.conf. Without it everything runs as before.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except (AttributeError, OSError):  # not Linux; not permitted
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def before_ordinary_programs(nice: int = NICE) -> bool:
    """Let this program's threads, and those that they start, go before ordinary programs, where permitted.

    A thread with real-time priority waits for the interpreter's lock, or one of the middleware's, while another thread
    of its program has it; on a busy machine that one would have to wait for its turn.

    Where Linux gives each session its own share of the processor (autogroup, sched(7)), niceness counts within the
    session alone: a program that leads its session raises that, too.

    Args:
        nice: what is added to their niceness.

    Returns:
        Whether the system permits it: that takes root, CAP_SYS_NICE, or a line `@realtime - nice -10` in
        /etc/security/limits.conf.
    """
    try:
        for thread in THREADS.iterdir():
            with suppress(ProcessLookupError):  # ended meanwhile
                number = int(thread.name)
                os.setpriority(os.PRIO_PROCESS, number, os.getpriority(os.PRIO_PROCESS, number) + nice)
    except OSError:
        return False
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            AUTOGROUP.write_text(str(nice), encoding="ascii")
    return True


def session_niceness() -> int | None:
    """Of this process's session; None where Linux shares the processor in another way (no file, or an empty one)."""
    try:
        words = AUTOGROUP.read_text(encoding="ascii").split()
    except OSError:
        return None
    return int(words[-1]) if words else None
