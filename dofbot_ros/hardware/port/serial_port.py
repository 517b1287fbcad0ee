"""Opening a serial port for one owner, with a clear message for each way in which that fails."""

from __future__ import annotations

import errno
import os
import select
import termios
import time
from pathlib import Path
from typing import Protocol

import serial
from serial.tools import list_ports

from dofbot_ros.errors import PortError


class ByteStream(Protocol):
    """A two-way line. Every method may raise PortError: it is gone."""

    def read(self, size: int) -> bytes:
        """Up to `size` bytes: fewer when the line's read timeout runs out first."""
        ...

    def write(self, data: bytes) -> None:
        """Hand over all of `data`."""
        ...

    def discard_input(self) -> None:
        """Forget what has come in and was not read."""
        ...

    def close(self) -> None:
        """Let go of it; may be called twice."""
        ...


class SerialPort:
    """A ByteStream on pyserial.

    Args:
        port: device path, for instance /dev/ttyUSB0.
        baudrate: [1/s].
        read_timeout_s: how long read() waits [s].

    Raises:
        PortError: no such port, no permission, in use by another program, not a serial port.
    """

    def __init__(self, port: str, baudrate: int, read_timeout_s: float) -> None:
        self._port = port
        try:
            self._serial = serial.Serial(port, baudrate, timeout=read_timeout_s, write_timeout=1.0, exclusive=True)
        except (OSError, ValueError, termios.error) as error:
            raise PortError(_why_not(port, baudrate, error), port) from error
        self._read_timeout_s = read_timeout_s
        # Its descriptor is used directly: pyserial's own methods take twice the time, six questions a control cycle.
        self._fd = self._serial.fileno()
        self._input = select.poll()
        self._input.register(self._fd, select.POLLIN)
        # What came before we listened, above all what an adapter held back, would spoil the first frame.
        self.discard_input()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes: fewer when the read timeout runs out first."""
        data = b""
        try:
            deadline_s = time.monotonic() + self._read_timeout_s
            while len(data) < size and self._input.poll(max(0.0, 1e3 * (deadline_s - time.monotonic()))):
                more = os.read(self._fd, size - len(data))
                if not more:
                    raise OSError("it is readable and has nothing to read")
                data += more
        except OSError as error:
            raise self._gone(error) from error
        return data

    def write(self, data: bytes) -> None:
        """Hand over all of `data`."""
        try:
            taken = os.write(self._fd, data)
        except BlockingIOError:
            taken = 0
        except OSError as error:
            raise self._gone(error) from error
        if taken < len(data):
            self._write_slowly(data[taken:])

    def _write_slowly(self, data: bytes) -> None:
        """Wait for room in a buffer that is full."""
        try:
            self._serial.write(data)
        except (OSError, termios.error) as error:
            raise self._gone(error) from error

    def discard_input(self) -> None:
        """Forget what has come in and was not read."""
        try:
            termios.tcflush(self._fd, termios.TCIFLUSH)
        except (OSError, ValueError, termios.error) as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Let go of the port; may be called twice."""
        self._serial.close()
        self._fd = -1

    def _gone(self, error: Exception) -> PortError:
        return PortError(f"{self._port} is gone ({error}): is the cable in?", self._port)


def available_ports() -> list[str]:
    """Serial ports that this machine shows."""
    return sorted(p.device for p in list_ports.comports())


def _why_not(port: str, baudrate: int, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if isinstance(error, ValueError):
        return f"{baudrate} is no baudrate that {port} can do: the arm's servos use 115200"
    if code in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        there = ", ".join(available_ports()) or "none"
        return f"no serial port {port}; there are: {there}"
    if code in (errno.EACCES, errno.EPERM):
        return (
            f"no permission to open {port}: add yourself to its group (on most systems: "
            "sudo usermod -aG dialout $USER) and log in again"
        )
    if code in (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK):
        return f"{port} is in use by another program: only one may talk to the arm"
    if Path(port).exists() and not Path(port).is_char_device():
        return f"{port} is not a serial port; there are: {', '.join(available_ports()) or 'none'}"
    return f"{port} cannot be opened: {error}"
