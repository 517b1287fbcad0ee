"""What `dofbot up` and those around it say of an arm that is missing, taken, or doubled; and demonstrations."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from sensor_msgs.msg import JointState

from dofbot_ros.record.reader import Episode
from dofbot_ros.record.topics import Topic
from dofbot_ros.ros.clients.recorder import RecordNode
from dofbot_ros.ros.runtime.background_node import BackgroundNode

from .conftest import DOFBOT, SOON_S, StartArm

LIMIT_S = 90.0
HAND = Path(__file__).resolve().parents[1] / "unit" / "teleop" / "data" / "hand_video.npz"


def until(process: subprocess.Popen[str], start: str) -> str:
    """The first line on stderr that begins so."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(start):
            return line
    raise AssertionError(f"never said {start!r}: {''.join(said)}")


def test_ready_tells_that_the_arm_is_not_there_and_a_second_stack_is_refused(tmp_path: Path) -> None:
    words = [*DOFBOT, "up", "bringup", f"port:={tmp_path / 'none'}", "namespace:=lonely"]
    first = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        line = until(first, "ready")
        assert line.startswith("ready, but the arm is not connected: no serial port")
        second = [*DOFBOT, "up", "sim", "namespace:=lonely"]
        refused = subprocess.run(second, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert refused.returncode == 1
        assert "driver_node (process " in refused.stderr
        assert "end it, or give this one another namespace" in refused.stderr
        first.send_signal(signal.SIGINT)
        assert first.wait(LIMIT_S) == 130
    finally:
        first.kill()
        first.communicate()


def test_up_teleop_bends_the_arm_first() -> None:
    stack = subprocess.Popen(
        [*DOFBOT, "up", "teleop", "source:=joy", "namespace:=bent"], stderr=subprocess.PIPE, text=True
    )
    try:
        until(stack, "the arm is bent")
        until(stack, "ready: teleop")
        stack.send_signal(signal.SIGINT)
        assert stack.wait(LIMIT_S) == 130
    finally:
        stack.kill()
        stack.communicate()


def test_a_recorder_knows_from_whom_a_topic_comes(start_own_arm: StartArm) -> None:
    arm = start_own_arm("sim_node")
    name = arm.client.node.get_namespace()
    with (
        RecordNode([Topic("joint_states"), Topic("nothing", "std_msgs/msg/String")], name.strip("/")) as node,
        BackgroundNode("impostor", name) as other,
    ):
        other.node.create_publisher(JointState, "joint_states", 1)
        both = {"joint_states": [f"{name}/impostor", f"{name}/sim_node"]}
        arm.client.wait_until(lambda: node.publishers() == both, SOON_S, "names of both publishers")


def test_a_session_is_recorded_in_the_domain_that_was_named(tmp_path: Path) -> None:
    pytest.importorskip("mcap")
    domain = os.environ["ROS_DOMAIN_ID"]
    words = [
        "teleop",
        "--source",
        str(HAND),
        "--as-is",
        "--seconds",
        "2",
        "--record",
        str(tmp_path),
        "--domain",
        domain,
    ]
    done = subprocess.run([*DOFBOT, *words, "--json"], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.glob("*.mcap")
    assert str(file) in done.stdout
    episode = Episode(file)
    assert not episode.damage
