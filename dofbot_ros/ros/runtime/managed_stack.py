"""A stack as a context: its processes run while a program uses them; what is simulated has a ROS domain of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dofbot_ros.core.dds import private_domain
from dofbot_ros.errors import DofbotError
from dofbot_ros.launching import environment, processes
from dofbot_ros.stacks import find
from dofbot_ros.supervisor import ProcessGroup

WORLD_NODES = {"sim": "sim_node", "emulator": "world_node"}
"""Backend -> the node that has the simulated world."""

HEALTHY_BUS = "drop=0.001 corrupt=0.001"
"""What a servo bus in good order loses and garbles: about one frame a second at the rate of the control loop."""

READY_S = 60.0


@contextmanager
def managed_stack(name: str, backend: str, given: Mapping[str, str]) -> Iterator[Callable[[], None]]:
    """Start a stack, wait until it serves, and end it however the context ends.

    Args:
        name: of the stack.
        backend: sim, emulator or serial.
        given: further arguments of it.

    Yields:
        A check for its users to call while they wait: raises a DofbotError once a node has ended.

    Raises:
        DofbotError: no such stack or backend, a node ended, or is not ready in time.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"dofbot-{name}-")))
        if backend != "serial":
            stack.enter_context(private_domain())
        arguments = {
            "backend": backend,
            "emulator_port": str(folder / "servo_bus"),
            "bus_faults": HEALTHY_BUS,
            **given,
        }
        chosen = find(name)
        commands = [process.command() for process in processes(chosen, arguments)]
        group = stack.enter_context(ProcessGroup(commands, environment(chosen, arguments)))
        group.wait_ready(READY_S)

        def check() -> None:
            if ended := group.ended():
                raise DofbotError(f"{ended[0]}: the stack {name} ends with it")

        yield check
