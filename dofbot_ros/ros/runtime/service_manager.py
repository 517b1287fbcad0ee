"""What a process tells whoever started it: systemd's protocol (sd_notify(3)), which `dofbot up` speaks to its nodes."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping

READY, ALIVE = "READY=1", "WATCHDOG=1"


def notify(word: str, environment: Mapping[str, str] | None = None) -> None:
    """Send READY or ALIVE; nothing happens where nobody asked for it."""
    path = (os.environ if environment is None else environment).get("NOTIFY_SOCKET")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        try:
            sock.sendto(word.encode(), "\0" + path[1:] if path.startswith("@") else path)
        except OSError as error:
            sys.stderr.write(f"dofbot_ros: cannot report {word} at {path}: {error.strerror}\n")


def watchdog_s(environment: Mapping[str, str] | None = None) -> float | None:
    """Time within which ALIVE is expected again [s]; None where it is not."""
    text = (os.environ if environment is None else environment).get("WATCHDOG_USEC", "")
    return int(text) / 1e6 if text.isdecimal() and int(text) else None
