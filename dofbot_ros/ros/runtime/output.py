"""Output of a process that never waits for whoever reads it: a stopped terminal, a full pipe, a slow disk."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

STDOUT, STDERR = 1, 2

ROOM_BYTES = 1 << 20
"""What is kept of output that nobody takes; what comes after it is lost."""

FLUSH_S = 1.0
"""How long the end waits for what has not been taken yet [s]."""


@contextmanager
def output_that_never_waits(*files: int) -> Iterator[None]:
    """Let output go through a pipe of its own meanwhile, which a thread empties.

    A log line is written by C++ with Python's interpreter lock held: where its reader does not take it (Ctrl-S in the
    terminal, a pager, a launcher that hangs), every thread of the program would wait with it, the loop of an arm and
    its emergency stop, too. Here that thread alone waits, without the lock.

    Args:
        files: descriptors; none: standard output and standard error.
    """
    with ExitStack() as open_valves:
        for file in files or (STDOUT, STDERR):
            with suppress(OSError):  # closed by whoever started the program: there is no output then
                open_valves.enter_context(_valve(os.dup(file), file))
        yield


@contextmanager
def _valve(outside: int, file: int) -> Iterator[None]:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(OSError):  # more than this system allows: the usual 64 kB then
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, ROOM_BYTES)
    os.dup2(writer, file)
    os.close(writer)
    thread = threading.Thread(target=_pass_on, args=(reader, outside), name=f"output {file}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        # With the last writing end gone the thread finds the pipe's end after what is still in it.
        os.dup2(outside, file)
        thread.join(FLUSH_S)


def _pass_on(reader: int, outside: int) -> None:
    while data := os.read(reader, 1 << 16):
        with suppress(OSError):  # nobody reads any more: the program has other things to do
            while data:
                data = data[os.write(outside, data) :]
    os.close(reader)
    os.close(outside)
