"""control_msgs and tf2_msgs as `make interfaces` builds them: cached by what they depend on, importable, whole."""

from __future__ import annotations

import sys
from pathlib import Path

import interfaces
import pytest


def test_the_key_changes_with_pins_and_definitions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    definitions = tmp_path / "definitions"
    definitions.mkdir()
    (definitions / "A.msg").write_text("float64 x\n")
    pins = tmp_path / "pins.txt"
    pins.write_text("generator==1\n")
    for name, value in (("ROOT", tmp_path), ("DEFINITIONS", definitions), ("PINS", (pins,))):
        monkeypatch.setattr(interfaces, name, value)
    keys = [interfaces.key(), interfaces.key()]
    pins.write_text("generator==2\n")
    keys.append(interfaces.key())
    (definitions / "A.msg").write_text("float64 y\n")
    keys.append(interfaces.key())
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_what_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "sudo apt install g++" in interfaces.missing_tools()


def test_the_packages_come_before_what_the_environment_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMENT_PREFIX_PATH", "/opt/ros/jazzy")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    chosen = interfaces.variables(Path("/cache"))
    assert chosen["AMENT_PREFIX_PATH"] == "/cache:/opt/ros/jazzy"
    assert chosen["PYTHONPATH"] == f"/cache/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


def test_messages_survive_their_wire_form() -> None:
    pytest.importorskip("rclpy", reason="ROS 2 is not installed here")
    pytest.importorskip("control_msgs", reason="control_msgs is not built here: make interfaces")
    from control_msgs.action import FollowJointTrajectory, GripperCommand, ParallelGripperCommand
    from geometry_msgs.msg import TransformStamped
    from rclpy.serialization import deserialize_message, serialize_message
    from tf2_msgs.msg import TFMessage

    goal = FollowJointTrajectory.Goal()
    goal.trajectory.joint_names = ["joint1"]
    goal.goal_time_tolerance.sec = 2
    gripper = GripperCommand.Goal()
    gripper.command.max_effort = 1.5
    parallel = ParallelGripperCommand.Goal()
    parallel.command.name, parallel.command.position = ["grip_joint"], [0.5]
    frames = TFMessage(transforms=[TransformStamped(child_frame_id="tool_link")])
    for message in (goal, gripper, parallel, frames):
        assert deserialize_message(serialize_message(message), type(message)) == message
    assert FollowJointTrajectory.Result.GOAL_TOLERANCE_VIOLATED == -5
