"""A servo that falls silent, over real DDS: joint_states name all joints or do not come, and clients name the joint."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sensor_msgs.msg import JointState

from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.supervisor import ProcessGroup

from .conftest import DOFBOT, PATIENT, READY_S, SOON_S, node_command

NAMESPACE = "silent"


class Bench:
    """driver_node on emulated servos, and a client that keeps every joint state."""

    def __init__(self, emulator: Emulator, client: ArmClient) -> None:
        self.emulator, self.client = emulator, client
        self.heard: list[JointState] = []
        client.node.create_subscription(JointState, "joint_states", client.notify_after(self.heard.append), 10)

    def pull(self, *servos: int) -> None:
        self.emulator.faults.silent = frozenset(servos)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    link = tmp_path_factory.mktemp("bus") / "port"
    command = node_command("driver_node", NAMESPACE, port=link, **{**PATIENT, "stale_read_s": 0.5})
    with (
        Emulator(link=link, first=True) as emulator,
        ProcessGroup([command]) as group,
        background_client(ArmClient, namespace=NAMESPACE) as client,
    ):
        group.wait_ready(READY_S)
        client.wait_connected(READY_S)
        yield Bench(emulator, client)


@pytest.fixture
def silent(bench: Bench) -> Iterator[Bench]:
    """Joint 3 has just fallen silent while the arm held; afterwards it is back."""
    client = bench.client
    client.reset()
    client.enable()
    bench.pull(3)
    client.wait_until(lambda: bool(client.silent_joints), SOON_S, "word of a silent joint")
    yield bench
    bench.pull()
    client.wait_until(lambda: client.present, SOON_S, "joint states")


def dofbot(*more: str, code: int) -> str:
    words = [*DOFBOT, "arm", "--namespace", NAMESPACE, *more]
    done = subprocess.run(words, capture_output=True, text=True, timeout=SOON_S, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_joint_states_name_all_joints_or_do_not_come(silent: Bench) -> None:
    client, heard = silent.client, silent.heard
    assert client.silent_joints == ("joint3",)
    client.wait_until(lambda: client.state == "FAULT", SOON_S, "fault")
    before = len(heard)
    with pytest.raises(DofbotError, match="joint3 does not answer: check cables and power"):
        client.rest(1.0)
    assert len(heard) == before
    silent.pull()
    client.wait_until(lambda: len(heard) > before + 3, SOON_S, "joint states")
    assert {tuple(message.name) for message in heard} == {JOINT_NAMES}
    assert {len(message.position) for message in heard} == {len(JOINT_NAMES)}
    client.reset()
    client.move([0.5], [[0.1]], joints=["joint1"])


def test_a_client_that_comes_later_is_told_which_joint_it_is(silent: Bench) -> None:
    with background_client(ArmClient, "later", NAMESPACE) as late:
        with pytest.raises(DofbotError, match="joint3 does not answer"):
            late.wait_connected(READY_S)
        late.wait_connected(READY_S, complete=False)
        assert (late.present, late.known_state) == (False, "FAULT")
        with pytest.raises(CommandRefusedError, match="FAULT"):
            late.enable()
        with pytest.raises(CommandRefusedError, match="torque off was sent, but servo 3"):
            late.release()
    silent.client.wait_until(lambda: silent.client.diagnostics["arm"]["torque"] == "False", SOON_S, "torque off")


def test_the_command_line_says_which_joint_it_is(silent: Bench) -> None:
    told = json.loads(dofbot("status", "--json", code=0).splitlines()[0])
    assert (told["state"], told["joints_deg"], told["servos"]) == ("FAULT", None, {"joint3": "does not answer"})
    assert "joint3 does not answer" in told["why"]
    assert "joint3 does not answer" in dofbot("home", code=1)


def test_an_arm_of_which_a_servo_never_answered_is_not_connected(tmp_path: Path) -> None:
    command = node_command("driver_node", "never", port=tmp_path / "port", **PATIENT)
    with (
        Emulator(link=tmp_path / "port", first=True) as emulator,
        ProcessGroup([command]),
        background_client(ArmClient, namespace="never") as client,
    ):
        emulator.faults.silent = frozenset({3})
        client.wait_until(lambda: client.state == "DISCONNECTED" and bool(client.diagnostics), SOON_S, "word")
        client.wait_until(lambda: "servo 3 (joint3)" in client.silence, SOON_S, "word of servo 3")
        assert client.now_s() == -float("inf")
