"""Waits for bytes on a terminal device, and never longer than told."""

from __future__ import annotations

import select
import time

BUFFER_BYTES = 4096
"""What Linux keeps of a terminal's input at most: to be read in one go."""


class Arrivals:
    """Tells when bytes have come in on a terminal device, be it a serial port or either end of a pseudo terminal.

    poll(2) and select(2) ask the device itself each time, and Linux' terminals then wait for the kernel thread that
    hands bytes on (n_tty_poll: tty_buffer_flush_work), past any timeout: on a busy machine for some tenths of a second,
    since that thread has no priority. epoll(7), triggered by edges, sleeps until that thread says that it is through.

    An edge is told once: whoever has waited must read all there is, BUFFER_BYTES, before the next wait.

    Args:
        fd: descriptor of the device.
    """

    def __init__(self, fd: int) -> None:
        self._epoll = select.epoll(1)
        self._epoll.register(fd, select.EPOLLIN | select.EPOLLET)
        self._device = select.poll()
        self._device.register(fd, select.POLLIN)

    def wait(self, timeout_s: float) -> bool:
        """Whether bytes came in, or the device went, since the last wait, within `timeout_s` from now.

        Raises:
            ValueError: close() was called.
        """
        return bool(self._epoll.poll(max(0.0, timeout_s), 1))

    def settle(self) -> float:
        """Wait until that thread has handed on what has come in so far. Returns how long this took [s].

        Next to nothing where it is not behind, bytes or no bytes.
        """
        begin = time.monotonic()
        self._device.poll(0)
        return time.monotonic() - begin

    def fileno(self) -> int:
        """What select(2) may wait for in place of the device.

        Raises:
            ValueError: close() was called.
        """
        return self._epoll.fileno()

    def close(self) -> None:
        """Let go of it; may be called twice."""
        self._epoll.close()
