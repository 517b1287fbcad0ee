"""The stack `grasp` as a context: its processes in a ROS domain of their own, and a client that asks for grasps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dofbot_ros.core.dds import private_domain
from dofbot_ros.errors import DofbotError, InputError, one_of
from dofbot_ros.launching import processes
from dofbot_ros.nodes.demo_stack import HEALTHY_BUS, READY_S, WORLD_NODES
from dofbot_ros.nodes.trial_client import TrialClient
from dofbot_ros.stacks import find
from dofbot_ros.supervisor import ProcessGroup

ANSWER_S = 120.0


class GraspClient(TrialClient):
    """Asks grasp_node, and the simulation for scenes and the truth."""

    def ask(self, name: str) -> str:
        """Call grasp/`name`. Returns the answer.

        Raises:
            CommandRefusedError: it says no, and why.
        """
        return self._arm.trigger(f"grasp/{name}", ANSWER_S)

    def told(self) -> dict[str, str]:
        """What grasp_node tells in its diagnostics."""
        return self._arm.diagnostics.get("grasp", {})


@contextmanager
def grasp_stack(backend: str, rtf: float) -> Iterator[GraspClient]:
    """Start the stack, wait until it serves, and end it however the context ends.

    Args:
        backend: sim, or emulator (real time, whatever `rtf` says).
        rtf: simulated seconds a second, 0 for as fast as possible.

    Raises:
        DofbotError: no such backend, a node ended, or is not ready in time.
    """
    if backend not in WORLD_NODES:
        raise InputError(one_of("backend", backend, WORLD_NODES))
    with tempfile.TemporaryDirectory(prefix="dofbot-grasp-") as folder, private_domain():
        arguments = {
            "backend": backend,
            "rtf": str(rtf),
            "emulator_port": str(Path(folder) / "servo_bus"),
            "bus_faults": HEALTHY_BUS,
        }
        commands = [process.command() for process in processes(find("grasp"), arguments)]
        with ProcessGroup(commands) as group:
            group.wait_ready(READY_S)

            def check() -> None:
                if ended := group.ended():
                    raise DofbotError(f"{ended[0]}: the grasps end with it")

            with GraspClient(WORLD_NODES[backend], check) as client:
                yield client
