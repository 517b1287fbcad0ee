"""Processes that live and die together: started, watched until ready, and ended without a rest."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from dofbot_ros.core.interrupts import interrupts_held
from dofbot_ros.core.parallel import ending_with_this_process
from dofbot_ros.errors import DofbotError

POLL_S = 0.05
INTERRUPT_GRACE_S = 15.0
"""How long SIGINT is given to work: parking the arm takes seconds."""
TERMINATE_GRACE_S = 3.0


@dataclass(frozen=True)
class Command:
    """One process to run; the end of a required one is the end of all."""

    name: str
    argv: tuple[str, ...]
    required: bool = True


@dataclass(frozen=True)
class Exit:
    """A process that ended by itself."""

    command: Command
    code: int

    def __str__(self) -> str:
        how = f"killed by {signal.Signals(-self.code).name}" if self.code < 0 else f"exit code {self.code}"
        return f"{self.command.name} ended ({how})"


class ProcessGroup:
    """Starts commands on entering, ends them on leaving: SIGINT, then SIGTERM, then SIGKILL.

    Each process leads a group of its own: Ctrl-C at a terminal reaches it once, from here; its children end with it.
    When this process dies without a word, the kernel ends them (PR_SET_PDEATHSIG).

    Args:
        commands: what to run, in the order to start.
        environment: variables of the processes; None: this process's.
    """

    def __init__(self, commands: Sequence[Command], environment: Mapping[str, str] | None = None) -> None:
        self._commands = commands
        self._environment = dict(os.environ if environment is None else environment)
        # The ROS wheels mark an interpreter that is set up by this; inherited, it keeps the child from doing the same.
        self._environment.pop("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None)
        self._running: dict[Command, subprocess.Popen[bytes]] = {}
        self._sockets: dict[Command, socket.socket] = {}

    def __enter__(self) -> ProcessGroup:
        self._folder = tempfile.TemporaryDirectory(prefix="dofbot_")
        try:
            for index, command in enumerate(self._commands):
                self._start(command, Path(self._folder.name) / f"{index}.sock")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, command: Command, path: Path) -> None:
        ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ready.bind(str(path))
        ready.setblocking(False)
        self._sockets[command] = ready
        with interrupts_held():
            self._running[command] = subprocess.Popen(
                command.argv,
                env={**self._environment, "NOTIFY_SOCKET": str(path)},
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),  # stdout belongs to the command that started us (--json)
                start_new_session=True,
                preexec_fn=ending_with_this_process(),  # noqa: PLW1509 - calls the kernel only, takes no lock
            )

    def pids(self) -> dict[str, int]:
        """Process ids of what runs, by name."""
        return {command.name: process.pid for command, process in self._running.items()}

    def ended(self) -> list[Exit]:
        """Processes that have ended since the last call; what they left behind is killed."""
        exits = []
        for command, process in list(self._running.items()):
            code = process.poll()
            if code is not None:
                del self._running[command]
                _signal_group(process.pid, signal.SIGKILL)
                exits.append(Exit(command, code))
        return exits

    def wait_ready(self, timeout_s: float) -> float:
        """Return when every process has said that it serves (sd_notify). Returns how long that took [s].

        Raises:
            DofbotError: one ended, or the time is up.
        """
        start = time.monotonic()
        waiting = set(self._running)
        while waiting:
            for exit_ in self.ended():
                if exit_.command.required:
                    raise DofbotError(f"{exit_} before it was ready")
                waiting.discard(exit_.command)
            waiting = {command for command in waiting if not _said_ready(self._sockets[command])}
            if waiting and time.monotonic() - start > timeout_s:
                names = ", ".join(sorted(command.name for command in waiting))
                raise DofbotError(f"not ready after {timeout_s:g} s: {names}")
            if waiting:
                time.sleep(POLL_S)
        return time.monotonic() - start

    def close(self) -> None:
        """End all processes and wait for them. Returns only when none is left, however often Ctrl-C is pressed."""
        with interrupts_held():
            self._end_all()
        for ready in self._sockets.values():
            ready.close()
        self._sockets.clear()
        self._folder.cleanup()

    def _end_all(self) -> None:
        for number, grace_s in (
            (signal.SIGINT, INTERRUPT_GRACE_S),
            (signal.SIGTERM, TERMINATE_GRACE_S),
            (signal.SIGKILL, TERMINATE_GRACE_S),
        ):
            for process in self._running.values():
                _signal_group(process.pid, number)
            deadline = time.monotonic() + grace_s
            while self._running and time.monotonic() < deadline:
                self.ended()
                time.sleep(POLL_S if self._running else 0.0)


def _said_ready(ready: socket.socket) -> bool:
    try:
        return b"READY=1" in ready.recv(4096).split(b"\n")
    except BlockingIOError:
        return False


def _signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # nobody is left in the group
        os.killpg(leader, number)
