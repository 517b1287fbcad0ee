"""`dofbot arm`: a running arm is seen, moved and stopped from a terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import dofbot_here

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, load_calibration
from dofbot_ros.config.loader import save_yaml
from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.vision.extrinsics import extrinsics_of, save_extrinsics
from dofbot_ros.vision.intrinsics import SIMULATED_FRAME

from .conftest import DOFBOT, SOON_S, Arm, StartArm, measured, pose_at_rest

pytest.importorskip("pybullet")

from dofbot_ros.sim.rendering.camera import look_at

LIMIT_S = 60.0


@pytest.fixture(scope="module")
def running(start_arm: StartArm) -> Arm:
    return start_arm("sim_node")


@pytest.fixture
def arm(running: Arm) -> Iterator[Arm]:
    """Upright with torque."""
    running.client.reset()
    running.client.enable()
    running.client.home()
    return running


def words(arm: Arm, *more: str) -> list[str]:
    return ["arm", "--namespace", arm.client.node.get_namespace().strip("/"), *more]


def process(arm: Arm, *more: str, **pipes: Any) -> subprocess.Popen[str]:
    """A command that is interrupted, or that keys are typed to, in a process of its own."""
    return subprocess.Popen([*DOFBOT, *words(arm, *more)], text=True, **pipes)


def dofbot(arm: Arm, *more: str, code: int = 0) -> str:
    """What the command prints."""
    done = measured(lambda: dofbot_here(*words(arm, *more)))
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_status_tells_where_the_arm_is(arm: Arm) -> None:
    told = json.loads(dofbot(arm, "status", "--json").splitlines()[0])
    assert told["state"] == "HOLD"
    assert told["joints_deg"] == pytest.approx([0.0] * 5, abs=1.0)
    assert told["servos"] == {}


def test_motions_arrive_and_say_where(arm: Arm, tmp_path: Path) -> None:
    poses = str(tmp_path / "poses.yaml")
    assert "HOLD" in dofbot(arm, "jog", "joint1", "-20")
    assert arm.client.position[0] == pytest.approx(-0.349, abs=0.03)
    dofbot(arm, "save", "left", "--poses", poses)
    dofbot(arm, "move", "0.2", "0.0", "0.1")
    assert arm.client.tool.x == pytest.approx(0.2, abs=0.01)
    dofbot(arm, "gripper", "30")
    assert arm.client.gap == pytest.approx(0.03, abs=0.003)
    dofbot(arm, "pose", "left", "--poses", poses)
    assert arm.client.position[0] == pytest.approx(-0.349, abs=0.03)
    assert "did you mean left" in dofbot(arm, "pose", "lift", "--poses", poses, code=1)


def test_an_emergency_stop_latches_until_reset(arm: Arm) -> None:
    dofbot(arm, "estop")
    arm.client.wait_until(lambda: arm.client.state == "ESTOP", SOON_S, "emergency stop")
    assert "`dofbot arm reset` first" in dofbot(arm, "home", code=1)
    assert "HOLD" in dofbot(arm, "reset")
    dofbot(arm, "off")
    arm.client.wait_until(lambda: arm.client.state == "IDLE", SOON_S, "arm without torque")
    assert "`dofbot arm on` first" in dofbot(arm, "home", code=1)
    assert "HOLD" in dofbot(arm, "on")


def test_what_cannot_be_is_one_clear_line(arm: Arm) -> None:
    assert "nearest reachable" in dofbot(arm, "move", "0.9", "0", "0.1", code=1)
    assert "did you mean joint5" in dofbot(arm, "jog", "joint9", "5", code=2)
    assert "3 to 5 numbers, not 2" in dofbot(arm, "move", "0.1", "0.2", code=2)
    assert "no arm in ROS domain" in dofbot(arm, "--namespace", "nowhere", "status", code=1)


def test_the_space_bar_stops_a_motion_and_what_was_typed_before_it_does_not(arm: Arm) -> None:
    terminal, theirs = pty.openpty()
    os.write(terminal, b"   ")
    command = process(arm, "jog", "joint1", "80", stdin=theirs, stderr=subprocess.PIPE)
    client = arm.client
    client.wait_until(lambda: bool(client.position[0] > 0.1), LIMIT_S, "motion, in spite of the spaces typed before")
    os.write(terminal, b" ")
    client.wait_until(lambda: client.state == "ESTOP", SOON_S, "emergency stop")
    assert command.stderr is not None
    said = command.stderr.read()
    assert command.wait(LIMIT_S) == 1
    assert "emergency stop" in said
    assert client.position[0] < 1.2
    os.close(terminal)
    os.close(theirs)


def test_watching_ends_with_ctrl_c_and_the_space_bar_stops_the_arm(arm: Arm) -> None:
    terminal, theirs = pty.openpty()
    command = process(arm, "watch", stdin=theirs, stderr=subprocess.PIPE)
    client, deadline = arm.client, time.monotonic() + LIMIT_S
    while client.state != "ESTOP":
        assert time.monotonic() < deadline, "the space bar does nothing"
        os.write(terminal, b" ")  # what is typed before the view is there counts for nothing
        time.sleep(0.3)
    command.send_signal(signal.SIGINT)
    assert command.wait(LIMIT_S) == 130
    os.close(terminal)
    os.close(theirs)


def test_an_arm_without_a_port_says_so_and_not_only_that_it_is_not_there(tmp_path: Path) -> None:
    serial = ["arm", "--backend", "serial", "--port", str(tmp_path / "none")]
    moved = dofbot_here(*serial, "home")
    assert moved.returncode == 1
    assert f"no serial port {tmp_path / 'none'}" in moved.stderr.splitlines()[-1]
    seen = dofbot_here(*serial, "status", "--json")
    facts = json.loads(seen.stdout)
    assert (facts["state"], facts["joints_deg"]) == ("DISCONNECTED", None)
    assert f"no serial port {tmp_path / 'none'}" in facts["why"]


def test_ctrl_c_stops_a_motion(arm: Arm) -> None:
    command = process(arm, "jog", "joint1", "80", stderr=subprocess.PIPE)
    client = arm.client
    client.wait_until(lambda: bool(client.position[0] > 0.1), LIMIT_S, "motion")
    command.send_signal(signal.SIGINT)
    client.wait_until(lambda: client.state == "HOLD", SOON_S, "rest")
    assert command.wait(LIMIT_S) == 130
    assert pose_at_rest(client)[0] < 1.2


def test_the_check_turns_every_joint_and_writes_what_was_seen(start_own_arm: StartArm, tmp_path: Path) -> None:
    slow = start_own_arm("driver_node", first_time=True)
    client, file = slow.client, tmp_path / "checked.yaml"
    client.enable()
    client.move_joints([0.0] * 5)
    told = json.loads(dofbot(slow, "status", "--json").splitlines()[0])
    assert told["speed"] == 0.2
    said = dofbot(slow, "check", "--yes", "--seconds", "0.5", "--out", str(file))
    assert "each step takes 0.6 s: no less at this arm's speed" in said
    assert "signs_turned" in said
    assert load_calibration(file) == replace(DEFAULT_CALIBRATION, signs_checked=True)
    client.move([2.0], [[0.6]], ["joint2"])
    assert "lead the arm upright by hand" in dofbot(slow, "check", "--yes", code=1)


def test_a_camera_beside_the_arm_sees_which_way_the_joints_go(start_own_arm: StartArm, tmp_path: Path) -> None:
    world, corner, out = load_world_config(), ((0.5, 0.5, 0.45), (0.0, 0.0, 0.22), (0.0, 0.0, 1.0)), tmp_path / "c.yaml"
    place = dict(zip(("position", "target", "up"), corner, strict=True))
    save_yaml(replace(world, camera=replace(world.camera, width=320, height=240, **place)), tmp_path / "world.yaml")
    save_extrinsics(extrinsics_of(look_at(*corner), "base_link", SIMULATED_FRAME), tmp_path / "corner.yaml")
    watched = start_own_arm("sim_node", world_file=tmp_path / "world.yaml")
    watched.client.enable()
    told = dofbot(
        watched, "check", "--seconds", "0.5", "--extrinsics-file", str(tmp_path / "corner.yaml"), "--out", str(out),
        "--json",
    )  # fmt: skip
    assert json.loads(told.splitlines()[0]) == {
        "file": str(out),
        "signs_turned": [],
        "seen_by_camera": list(JOINT_NAMES),
    }
    assert load_calibration(out).signs_checked
