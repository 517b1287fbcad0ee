"""`dofbot estop` by the local socket: judged by what the emulated servos truly did; and one node for each arm."""

from __future__ import annotations

import subprocess

import pytest
from command_line import dofbot_here

from dofbot_ros.bench.estop import measure

from .conftest import READY_S, SOON_S, StartArm, node_command


def test_a_moving_arm_brakes_stays_stopped_and_refuses_motions() -> None:
    result = measure(trials=1, ways=("command",))
    assert result["latched"] == 1
    assert 0.0 < result["command"]["braking_s"]["max"] < result["command"]["rest_s"]["max"] < SOON_S


@pytest.fixture(scope="module")
def namespace(start_arm: StartArm) -> str:
    return str(start_arm("driver_node").client.node.get_namespace().strip("/"))


def test_a_second_node_for_one_arm_is_refused_by_name(namespace: str) -> None:
    second = node_command("driver_node", namespace, port="/dev/null", waive_check=True)
    done = subprocess.run(second.argv, capture_output=True, text=True, timeout=READY_S, check=False)
    assert done.returncode == 1
    assert "driver_node (process " in done.stderr
    assert f"namespace /{namespace} already" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--help"], 0, "every arm that runs on this machine"),
        (["--domain", "x"], 2, "valid integer"),
        (["--namespace", "nowhere"], 1, "no arm in ROS domain"),
    ],
)
def test_what_the_short_way_cannot_do_the_command_line_does(words: list[str], code: int, says: str) -> None:
    done = dofbot_here("estop", *words)
    assert done.returncode == code
    assert says in " ".join((done.stdout + done.stderr).replace("│", " ").split())
