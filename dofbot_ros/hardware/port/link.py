"""The fixed name of an emulated port: a symbolic link that one process at a time may own."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from dofbot_ros.errors import InputError

PSEUDO_TERMINALS = Path("/dev/pts")


class PortLink:
    """Makes `link` lead to a pseudo terminal until close(); a second owner is refused, the link of a dead one replaced.

    Ownership is a lock on a file beside the link, which the kernel releases however the owner ends. The link alone does
    not tell: the number of a pseudo terminal is given to somebody else as soon as it is free.

    Args:
        link: where the port is to appear.
        target: path of the pseudo terminal.

    Raises:
        InputError: another process owns the link, what has the name is no emulated port, or it cannot be made.
    """

    def __init__(self, link: Path, target: str) -> None:
        self._link = link
        self._target = target
        self._lock_file = link.with_name(f".{link.name}.lock")
        try:
            self._lock, ours = self._claim()
        except OSError as error:
            raise InputError(f"{link} cannot be made a link to {target}: {error.strerror}") from error
        try:
            self._replace(ours)
        except BaseException:
            self._release()
            raise

    def close(self) -> None:
        """Remove the link and give up its name; may be called twice."""
        if self._lock < 0:
            return
        if self._link.is_symlink() and os.readlink(self._link) == self._target:
            self._link.unlink()
        self._release()

    def _claim(self) -> tuple[int, bool]:
        """Returns the descriptor of the locked file, and whether an earlier owner of ours has left it."""
        while True:
            ours = self._lock_file.exists()
            lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(lock, self._lock_file):
                    os.ftruncate(lock, 0)
                    os.write(lock, str(os.getpid()).encode())
                    return lock, ours
            except BlockingIOError as error:
                owner = os.pread(lock, 20, 0).decode(errors="replace") or "?"
                os.close(lock)
                raise InputError(
                    f"{self._link} is the emulated port of process {owner}, which is running: "
                    "end it, or choose another name for the port"
                ) from error
            # Its owner has removed it between open() and flock(): the lock is on a file that nobody else sees.
            os.close(lock)

    def _release(self) -> None:
        with suppress(FileNotFoundError):
            self._lock_file.unlink()
        os.close(self._lock)
        self._lock = -1

    def _replace(self, ours: bool) -> None:
        if self._link.is_symlink():
            there = Path(os.readlink(self._link))
            if there.parent != PSEUDO_TERMINALS:
                raise InputError(f"{self._link} leads to {there}, no emulated port: choose another name for the port")
            if not ours and there.exists():
                raise InputError(f"{self._link} leads to {there}, another program's: choose another name for the port")
            self._link.unlink()
        elif self._link.exists():
            raise InputError(f"{self._link} exists and is no link: choose another name for the port")
        try:
            self._link.symlink_to(self._target)
        except OSError as error:
            raise InputError(f"{self._link} cannot be made a link to {self._target}: {error.strerror}") from error


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that has the name now."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
