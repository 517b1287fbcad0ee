"""Two machines, as network namespaces with a cable between them: who on the other one can switch the torque on."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dofbot_ros.core.dds import NETWORK_VARIABLE, PEERS_VARIABLE, PROFILE_VARIABLES, RANGE_VARIABLE
from dofbot_ros.supervisor import Command, ProcessGroup

from .conftest import DOFBOT, READY_S, node_command

ROBOT_ADDRESS = "10.231.7.1"
OTHER_ADDRESS = "10.231.7.2"
KNOCK_S = 8.0
"""A participant that can be found is found within a second."""

INTRUDER = """
import json, sys
import rclpy
from std_srvs.srv import SetBool
rclpy.init()
node = rclpy.create_node("intruder")
client = node.create_client(SetBool, "enable_torque")
found = client.wait_for_service(timeout_sec=float(sys.argv[1]))
answer = None
if found:
    future = client.call_async(SetBool.Request(data=True))
    rclpy.spin_until_future_complete(node, future, timeout_sec=float(sys.argv[1]))
    answer = future.result() and future.result().success
print(json.dumps({"found": found, "success": answer}))
"""
"""A program of somebody who does not use this package: ROS's own settings."""
OURS = (NETWORK_VARIABLE, PEERS_VARIABLE, RANGE_VARIABLE, *PROFILE_VARIABLES)


class Machines:
    """Two network namespaces, `robot` and `other`, joined by a virtual cable."""

    def __init__(self) -> None:
        number = random.SystemRandom().randrange(1 << 24)
        self.robot, self.other = f"robot{number:06x}", f"other{number:06x}"
        self._cable = (f"r{number:06x}", f"o{number:06x}")

    def connect(self) -> None:
        """Raises CalledProcessError where namespaces are not permitted."""
        for name in (self.robot, self.other):
            _ip("netns", "add", name)
        ends = zip(self._cable, (self.robot, self.other), (ROBOT_ADDRESS, OTHER_ADDRESS), strict=True)
        _ip("link", "add", self._cable[0], "type", "veth", "peer", "name", self._cable[1])
        for end, name, address in ends:
            _ip("link", "set", end, "netns", name)
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", end)
            _ip("-n", name, "link", "set", end, "up")
            _ip("-n", name, "link", "set", "lo", "up")

    def remove(self) -> None:
        for name in (self.robot, self.other):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=True)


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    if shutil.which("ip") is None:
        pytest.skip("no `ip` here (apt install iproute2)")
    both = Machines()
    try:
        both.connect()
    except subprocess.CalledProcessError as error:
        both.remove()
        pytest.skip(f"network namespaces are not permitted here: {error.stderr.decode().strip()}")
    yield both
    both.remove()


def plain(**variables: str) -> dict[str, str]:
    """The environment of a program that does not know this package."""
    hidden = {*OURS, "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    return {name: value for name, value in os.environ.items() if name not in hidden} | variables


def knock(namespace: str, patience_s: float = KNOCK_S, **variables: str) -> subprocess.Popen[str]:
    """Look for enable_torque, and call it, from `namespace`."""
    words = ["ip", "netns", "exec", namespace, sys.executable, "-c", INTRUDER, str(patience_s)]
    return subprocess.Popen(words, env=plain(**variables), stdout=subprocess.PIPE, text=True)


def outcome(intruder: subprocess.Popen[str]) -> dict[str, bool | None]:
    text, _ = intruder.communicate(timeout=2 * READY_S + 30.0)
    answer: dict[str, bool | None] = json.loads(text.splitlines()[-1])
    return answer


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    link = tmp_path_factory.mktemp("bus") / "port"
    with ProcessGroup([Command("emulator", (*DOFBOT, "emulate", "--link", str(link)))]):
        yield link


def robot(machines: Machines, bus: Path, **variables: str) -> ProcessGroup:
    """The driver, on the machine `robot`."""
    node = node_command("driver_node", port=bus, reconnect_s=0.2, stale_read_s=3.0)
    argv = ("ip", "netns", "exec", machines.robot, *node.argv)
    return ProcessGroup([Command(node.name, argv)], plain(**variables))


INTRUDERS = ({}, {PEERS_VARIABLE: ROBOT_ADDRESS}, {PEERS_VARIABLE: ROBOT_ADDRESS, RANGE_VARIABLE: "LOCALHOST"})
"""Somebody who shouts, and two who know the address."""


@pytest.mark.parametrize(
    "variables",
    [{}, {RANGE_VARIABLE: "SUBNET"}, {PEERS_VARIABLE: OTHER_ADDRESS}],
    ids=["by default", "though the user searches the subnet", "though the user named the other machine"],
)
def test_nobody_on_another_machine_finds_the_arm(machines: Machines, bus: Path, variables: dict[str, str]) -> None:
    with robot(machines, bus, **variables) as group:
        group.wait_ready(READY_S)
        outside = [knock(machines.other, **known) for known in INTRUDERS]
        assert [outcome(one)["found"] for one in outside] == [False] * len(INTRUDERS)
        # It could be found all the while: by a program on the same machine, which README promises works.
        assert outcome(knock(machines.robot)) == {"found": True, "success": True}


@pytest.mark.parametrize("known", INTRUDERS[:2], ids=["found by multicast", "found by address"])
def test_opened_the_arm_obeys_another_machine(machines: Machines, bus: Path, known: dict[str, str]) -> None:
    with robot(machines, bus, **{NETWORK_VARIABLE: "open"}) as group:
        group.wait_ready(READY_S)
        assert outcome(knock(machines.other, **known)) == {"found": True, "success": True}


def test_the_stack_s_argument_opens_it_too(machines: Machines, bus: Path) -> None:
    up = (*DOFBOT, "up", "bringup", f"port:={bus}", "network:=open")
    with ProcessGroup([Command("up", ("ip", "netns", "exec", machines.robot, *up))], plain()):
        assert outcome(knock(machines.other, READY_S)) == {"found": True, "success": True}
