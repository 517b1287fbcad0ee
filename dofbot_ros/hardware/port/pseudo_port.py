"""A serial port that is none: a pty with the far end in our hands, under a stable name if wanted."""

from __future__ import annotations

import os
import termios
import tty
from contextlib import suppress
from pathlib import Path

from dofbot_ros.errors import InputError
from dofbot_ros.hardware.port.link import PortLink


class PseudoPort:
    """One plugged-in port; close() is the plug pulled: whoever has it open finds it gone.

    Args:
        baudrate: the speed at which the far end listens [1/s].
        link: a symbolic link to make, so that the port keeps its name over plugging.

    Raises:
        InputError: a baudrate that no port has, a link that cannot be made, or one that another process owns.
    """

    def __init__(self, baudrate: int, link: Path | None = None) -> None:
        speed = getattr(termios, f"B{baudrate}", None)
        if speed is None:
            raise InputError(f"{baudrate} is no serial speed; the servos use 115200")
        self._speed = speed
        self._link: PortLink | None = None
        self.far_end, self._near_end = os.openpty()
        tty.setraw(self._near_end)
        self._set_speed()
        os.set_blocking(self.far_end, False)
        self.name = os.ttyname(self._near_end)
        if link is not None:
            try:
                self._link = PortLink(link, self.name)
            except InputError:
                self.close()
                raise
            self.name = str(link)

    def read(self) -> bytes:
        """The bytes that the host has sent, as a receiver at our speed makes them out: none at another speed."""
        data = os.read(self.far_end, 4096)
        return data if termios.tcgetattr(self._near_end)[5] == self._speed else b""

    def write(self, data: bytes) -> None:
        """Hand bytes to the host; what it does not read in time is lost, as in a real receive buffer."""
        with suppress(BlockingIOError):
            os.write(self.far_end, data)

    def close(self) -> None:
        """Pull the plug; may be called twice."""
        if self.far_end < 0:
            return
        if self._link is not None:
            self._link.close()
        os.close(self.far_end)
        os.close(self._near_end)
        self.far_end = -1

    def _set_speed(self) -> None:
        attributes = termios.tcgetattr(self._near_end)
        attributes[4] = attributes[5] = self._speed
        termios.tcsetattr(self._near_end, termios.TCSANOW, attributes)
