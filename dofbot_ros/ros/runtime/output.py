"""Non-blocking output: a stopped terminal, a full pipe or a slow disk does not hold up the process that writes."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

STDOUT, STDERR = 1, 2

ROOM_BYTES = 1 << 20
"""Size of the pipe: output that is not read fills it, and what comes after that is lost."""

FLUSH_S = 1.0
"""How long the end waits for output that has not been read yet [s]."""


@contextmanager
def nonblocking_output(*files: int) -> Iterator[None]:
    """Pass output through a non-blocking pipe meanwhile; a thread reads the pipe and writes to the real output.

    rclpy writes log lines with Python's interpreter lock held. Where nobody reads them (Ctrl-S in the terminal, a
    pager, a launcher that hangs), the write blocks, and every thread of the process with it: an arm's control loop
    and its emergency stop, too. The thread here blocks alone: it writes without the lock.

    Args:
        files: file descriptors; none: standard output and standard error.
    """
    with ExitStack() as pipes:
        for file in files or (STDOUT, STDERR):
            with suppress(OSError):  # the descriptor is closed: the process was started without this output
                pipes.enter_context(_through_pipe(os.dup(file), file))
        yield


@contextmanager
def _through_pipe(outside: int, file: int) -> Iterator[None]:
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
        # This closes the last writing end: the thread writes what is left in the pipe, and ends.
        os.dup2(outside, file)
        thread.join(FLUSH_S)


def _pass_on(reader: int, outside: int) -> None:
    while data := os.read(reader, 1 << 16):
        with suppress(OSError):  # the reader is gone: the node goes on without output
            while data:
                data = data[os.write(outside, data) :]
    os.close(reader)
    os.close(outside)
