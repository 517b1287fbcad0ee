"""Real nodes in real processes over real DDS, in a ROS domain of this process's own."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import psutil
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed here")

from dofbot_ros.core.dds import reserved_domain
from dofbot_ros.core.types import FloatArray
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.supervisor import Command, ProcessGroup

READY_S = 60.0
SOON_S = 60.0
"""Deadlines only end what would hang: how long things take is for the benchmarks."""
PATIENT = {"reconnect_s": 0.2, "stale_read_s": 3.0, "waive_check": "true"}
"""Parameters of driver_node here: a busy test machine is no loose cable, and an emulator that is not up yet, no arm."""
QUIET_STATES = 5
"""Joint states that must tell the same pose; at a servo's last ticks two may by chance."""
DOFBOT = (sys.executable, "-c", "from dofbot_ros.cli.main import main; main()")
NO_SIMULATION = "the simulated arm needs PyBullet: pip install 'dofbot_ros[sim]'"
MOST_PAUSES = 5
"""Times that a command is begun anew, at most."""
NUMBERS = count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.ros)


@pytest.fixture(scope="session", autouse=True)
def _own_domain() -> Iterator[None]:
    with reserved_domain() as domain, pytest.MonkeyPatch.context() as here:
        here.setenv("ROS_DOMAIN_ID", str(domain))
        yield


def node_command(name: str, namespace: str = "", **parameters: object) -> Command:
    """A node of this package; parameters are written as YAML."""
    words = [sys.executable, "-m", f"dofbot_ros.ros.nodes.{name}", "--ros-args"]
    if namespace:
        words += ["-r", f"__ns:=/{namespace}"]
    for key, value in parameters.items():
        words += ["-p", f"{key}:={value}"]
    return Command(name, tuple(words))


def pose_at_rest(client: ArmClient) -> FloatArray:
    """Where the joints stand [rad], once they do: servos come to rest a little after the motion that is commanded."""
    seen = [client.position]

    def at_rest() -> bool:
        if client.position is not seen[-1]:
            seen.append(client.position)
        return len(seen) > QUIET_STATES and all(np.array_equal(seen[-1], one) for one in seen[-QUIET_STATES:])

    client.wait_until(at_rest, SOON_S, "servos at rest")
    return client.position


def measured(run: Callable[[], CompletedProcess[str]]) -> CompletedProcess[str]:
    """A command that drives an arm, begun anew where it ends because this computer stood still (docs/bus.md).

    That says nothing of the arm, which holds, and nothing of the command, which says so; people would do the same.
    """
    for _ in range(MOST_PAUSES):
        done = run()
        if done.returncode == 0 or "this computer stood still" not in done.stderr:
            return done
        warnings.warn(f"begun anew: {done.stderr.strip().splitlines()[-1]}", stacklevel=2)
    return done


def still_running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended; one that has, and that init has not taken note of yet, does not count."""
    running = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                running.append(process)
    return running


@dataclass
class Arm:
    """A running node and a client of it."""

    name: str
    client: ArmClient


StartArm = Callable[..., Arm]


@contextmanager
def starting_arms(folders: pytest.TempPathFactory) -> Iterator[StartArm]:
    """Start `driver_node` on an emulator or `sim_node`, in a namespace of its own; they end with the context."""
    with ExitStack() as running:

        def start(name: str, **parameters: object) -> Arm:
            namespace = f"arm{next(NUMBERS)}"
            if name == "sim_node":
                pytest.importorskip("pybullet", reason=NO_SIMULATION)
            if name == "driver_node":
                # In a process of its own: servos do not wait for a busy interpreter.
                link = folders.mktemp("bus") / "port"
                running.enter_context(ProcessGroup([Command("emulator", (*DOFBOT, "emulate", "--link", str(link)))]))
                parameters = {"port": link, **PATIENT, **parameters}
            processes = running.enter_context(ProcessGroup([node_command(name, namespace, **parameters)]))
            processes.wait_ready(READY_S)
            client = running.enter_context(background_client(ArmClient, namespace=namespace))
            client.wait_connected(READY_S)
            return Arm(name, client)

        yield start


@pytest.fixture(scope="module")
def start_arm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartArm]:
    """For fixtures: arms that all tests of a module share."""
    with starting_arms(tmp_path_factory) as start:
        yield start


@pytest.fixture
def start_own_arm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartArm]:
    """For tests: arms that end with the test, since each takes a part of a core for as long as it runs."""
    with starting_arms(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="module", params=["driver_node", "sim_node"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arm]:
    """Either node that owns an arm, one after the other: what holds for one holds for the other."""
    with starting_arms(tmp_path_factory) as start:
        yield start(request.param)
