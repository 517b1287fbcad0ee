"""The demo stack as a context: its processes in a ROS domain of their own, and the arm of the trials before them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dofbot_ros.core.dds import private_domain
from dofbot_ros.errors import DofbotError
from dofbot_ros.launching import processes
from dofbot_ros.nodes.trial_client import TrialClient
from dofbot_ros.stacks import find
from dofbot_ros.supervisor import ProcessGroup

WORLD_NODES = {"sim": "sim_node", "emulator": "world_node"}
"""Backend -> the node that has the simulated world."""

HEALTHY_BUS = "drop=0.001 corrupt=0.001"
"""What a servo bus in good order loses and garbles: about one frame a second at the rate of the control loop."""

READY_S = 60.0


@contextmanager
def demo_arm(backend: str, rtf: float) -> Iterator[TrialClient]:
    """Start the stack, wait until it serves, and end it however the context ends.

    Args:
        backend: sim, or emulator (real time, whatever `rtf` says).
        rtf: simulated seconds a second, 0 for as fast as possible.

    Raises:
        DofbotError: a node ended, or is not ready in time.
    """
    with tempfile.TemporaryDirectory(prefix="dofbot-demo-") as folder, private_domain():
        arguments = {
            "backend": backend,
            "rtf": str(rtf),
            "emulator_port": str(Path(folder) / "servo_bus"),
            "bus_faults": HEALTHY_BUS,
        }
        commands = [process.command() for process in processes(find("demo"), arguments)]
        with ProcessGroup(commands) as group:
            group.wait_ready(READY_S)

            def check() -> None:
                if ended := group.ended():
                    raise DofbotError(f"{ended[0]}: the demo ends with it")

            with TrialClient(WORLD_NODES[backend], check) as arm:
                yield arm
