"""Teleoperation and policies that the page starts: their nodes run beside the arm until they are ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from dofbot_ros.errors import DofbotError, InputError, one_of
from dofbot_ros.launching import processes
from dofbot_ros.stacks import find
from dofbot_ros.supervisor import Command, ProcessGroup
from dofbot_ros.teleop.input.source import check_source

POLICIES = ("pick state", "pick pipeline", "pick image")
"""Shipped policies that need no goal: the task, and what they see."""
NODES = {"teleop": "teleop_node", "policy": "policy_node"}
READY_S = 60.0
"""A node that is not ready after so long is not going to be: MediaPipe and networks take seconds to load [s]."""
SETTLED_S, POLL_S = 6.0, 0.1
"""A node that has heard nothing of the arm after so long says what it lacks [s]."""
RUN = tuple(f"{kind} run" for kind in NODES)
END = tuple(f"{kind} end" for kind in NODES)


class NodesBeside:
    """At most one node of each kind, and only where none runs already. Methods may be called from any thread.

    Args:
        namespace: of the arm.
        serves: whether a node of a kind runs, whoever started it.
        fault: what keeps such a node from moving the arm, by its own word; "" for nothing, None before that.
    """

    def __init__(self, namespace: str, serves: Callable[[str], bool], fault: Callable[[str], str | None]) -> None:
        self._namespace, self._serves, self._fault = namespace.strip("/"), serves, fault
        self._lock = threading.Lock()
        self._running: dict[str, tuple[ProcessGroup, ExitStack]] = {}
        self._notes: dict[str, str] = {}

    @property
    def offers(self) -> tuple[str, ...]:
        """Jobs that can be asked for now."""
        with self._lock:
            ours = set(self._running)
        return tuple(
            f"{kind} end" if kind in ours else f"{kind} run" for kind in NODES if kind in ours or not self._serves(kind)
        )

    def do(self, job: str, about: str) -> str:
        """Carry out one of `offers`. Returns what came of it, in words.

        Args:
            job: `teleop run`, `policy run`, `teleop end` or `policy end`.
            about: of `teleop run` the source, as `dofbot teleop --source` takes it; of `policy run` task and what it
                sees, as in "pick state".

        Raises:
            DofbotError: the node does not start, and why.
        """
        kind, _, verb = job.partition(" ")
        if verb == "end":
            self._end(kind)
            return f"{NODES[kind]} has ended."
        command = self._command(kind, about.strip())
        self._notes.pop(kind, None)
        with ExitStack() as opened:
            group = opened.enter_context(ProcessGroup([command]))
            group.wait_ready(READY_S)
            with self._lock:
                self._running[kind] = (group, opened.pop_all())
        deadline = time.monotonic() + SETTLED_S
        while (fault := self._fault(kind)) != "" and time.monotonic() < deadline:
            time.sleep(POLL_S)  # a node that is ready has yet to hear of the arm
        if fault:
            return f"{NODES[kind]} runs, but cannot move the arm yet: {fault}."
        sign = ", or show the sign," if kind == "teleop" else ""
        return f"{NODES[kind]} runs; press {kind.capitalize()} start{sign} to let it move the arm."

    def notes(self) -> tuple[str, ...]:
        """Sentences about nodes that have ended by themselves, until they are started again."""
        with self._lock:
            for kind, (group, opened) in list(self._running.items()):
                for ended in group.ended():
                    self._notes[kind] = f"{ended}: the terminal of the console shows what it said."
                    del self._running[kind]
                    opened.close()
            return tuple(self._notes.values())

    def close(self) -> None:
        """End all of them."""
        for kind in NODES:
            with suppress(DofbotError):
                self._end(kind)

    def _end(self, kind: str) -> None:
        with self._lock:
            running = self._running.pop(kind, None)
        if running is None:
            raise DofbotError(f"no {NODES[kind]} was started from here")
        running[1].close()

    def _command(self, kind: str, about: str) -> Command:
        if kind == "teleop":
            if not about:
                raise InputError("name a source for teleoperation: a camera's number or path, gamepad, a video file")
            if about == "keyboard":
                raise InputError("a keyboard is read in a terminal: dofbot teleop --source keyboard")
            check_source(about)
            given = {"source": about}
        else:
            if about not in POLICIES:
                raise InputError(one_of("policy", about, POLICIES))
            task, _, obs = about.partition(" ")
            given = {"task": task, "obs": obs}
        given |= {"backend": "serial", **({"namespace": self._namespace} if self._namespace else {})}
        [process] = [one for one in processes(find(kind), given) if one.executable == NODES[kind]]
        return process.command()
