"""Clients of a driver that was given a calibration, and were given none themselves: all know the same arm."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from std_msgs.msg import String

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.arm.robot import load_robot
from dofbot_ros.config.loader import save_yaml
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.clients.capabilities_listener import CapabilitiesListener
from dofbot_ros.ros.runtime.qos import LATCHED
from dofbot_ros.ros.teleop.client import TeleopClient
from dofbot_ros.supervisor import Command, ProcessGroup

from .conftest import READY_S, SOON_S, StartArm, node_command
from .test_grasp_node import Bench
from .test_policy_node import policy

pytest.importorskip("pybullet")


def calibration_file(folder: Path, **changes: dict[str, int]) -> Path:
    """The nominal calibration with some values of some servos changed."""
    servos = {name: replace(getattr(DEFAULT_CALIBRATION, name), **change) for name, change in changes.items()}
    calibration: Calibration = replace(DEFAULT_CALIBRATION, **servos)
    save_yaml(calibration, folder / "calibration.yaml")
    return folder / "calibration.yaml"


@pytest.mark.parametrize("node", ["driver_node", "sim_node"])
def test_description_and_parameters_make_the_drivers_robot(node: str, start_own_arm: StartArm, tmp_path: Path) -> None:
    file = calibration_file(tmp_path, joint2={"zero_ticks": 2200}, joint5={"zero_ticks": 1300})
    client = start_own_arm(node, calibration_file=file, max_velocity=1.25).client
    told = CapabilitiesListener(client.node)

    def complete() -> bool:
        told.ask()
        return told.complete

    client.wait_until(complete, SOON_S, "abilities")
    assert told.robot is not None
    assert told.robot.same_as(load_robot(file))
    assert not told.robot.same_as(load_robot())
    assert told.capabilities().driver["max_velocity"] == 1.25


def test_a_policy_does_not_start_on_an_arm_that_lacks_much_of_its_joints(
    start_own_arm: StartArm, straight_policy: Any, tmp_path: Path
) -> None:
    file = calibration_file(tmp_path, joint4={"zero_ticks": 2300})
    arm = start_own_arm("sim_node", calibration_file=file, max_velocity=2.0, max_acceleration=16.0)
    with policy(arm, straight_policy(tmp_path / "reach"), goal="0.2 0.06 0.09") as client:
        client.switch("enable_torque", True)
        client.wait_until(lambda: "joint4 goes from -1.57 to 1.14 rad" in client.told.fault, READY_S, "reason")


@pytest.mark.timeout(180)
def test_grasps_keep_within_the_limits_of_the_calibrated_arm(tmp_path: Path) -> None:
    """A planner for the nominal arm would have its motions refused."""
    pytest.importorskip("onnxruntime")
    file = calibration_file(tmp_path, joint4={"zero_ticks": 2340})
    commands = [
        node_command(
            "sim_node",
            "narrow",
            world_file=share_file("config", "sim_grasp.yaml"),
            soft_start_s=0.1,
            calibration_file=file,
        ),
        node_command("grasp_node", "narrow", image_timeout_s=10.0),
    ]
    with ProcessGroup(commands) as group, background_client(ArmClient, namespace="narrow") as client:
        group.wait_ready(READY_S)
        client.wait_connected(READY_S)
        bench = Bench(client, [], [])
        bench.home()
        bench.arrange(red=(0.195, 0.01, 0.3))
        assert bench.ask("execute").startswith("lifted and held, with ")
        assert client.position[3] < load_robot(file).upper[3] + 0.03


@pytest.mark.timeout(180)
def test_nothing_is_planned_or_steered_for_an_arm_that_has_not_described_itself_yet(tmp_path: Path) -> None:
    """Its description may arrive after its joint states, and tell of other limits than a nominal arm's."""
    pytest.importorskip("onnxruntime")
    file = calibration_file(tmp_path, joint4={"zero_ticks": 2340})
    world = share_file("config", "sim_grasp.yaml")
    arm = node_command("sim_node", "late", world_file=world, soft_start_s=0.1, calibration_file=file)
    commands = [
        Command(arm.name, (*arm.argv, "-r", "robot_description:=kept_back")),
        node_command("grasp_node", "late", image_timeout_s=10.0),
        node_command("teleop_node", "late", source="joy"),
    ]
    kept: list[String] = []
    with ProcessGroup(commands) as group, background_client(ArmClient, namespace="late") as client:
        group.wait_ready(READY_S)
        client.node.create_subscription(String, "kept_back", client.notify_after(kept.append), LATCHED)
        client.wait_until(lambda: bool(kept) and client.state != "", READY_S, "an arm without a description")
        client.switch("enable_torque", True)
        for call in (lambda: client.trigger("grasp/plan", READY_S), lambda: client.switch("teleop/engage", True)):
            with pytest.raises(CommandRefusedError, match="has not described itself yet"):
                call()
        passed_on = client.node.create_publisher(String, "robot_description", LATCHED)
        passed_on.publish(kept[-1])
        client.wait_until(lambda: client.described.robot is not None, READY_S, "a description")
        assert "grasps within reach" in client.trigger("grasp/plan", READY_S)


@pytest.mark.timeout(180)
def test_teleoperation_stops_at_the_limit_of_the_calibrated_arm(start_own_arm: StartArm, tmp_path: Path) -> None:
    file = calibration_file(tmp_path, joint1={"max_ticks": 2500})
    robot = load_robot(file)
    arm = start_own_arm("sim_node", calibration_file=file)
    place = arm.client.node.get_namespace().strip("/")
    with (
        ProcessGroup([node_command("teleop_node", place, source="joy")]) as group,
        background_client(TeleopClient, "teleop_client", place) as client,
    ):
        group.wait_ready(READY_S)
        client.wait_connected(READY_S)
        client.switch("enable_torque", True)
        client.go_to_start(robot)
        deadline, azimuths = time.monotonic() + READY_S, [0.0]
        for turn in count():
            # A machine that stalls makes the clutch let go, and only a button pressed anew engages it again.
            engaged = client.report is not None and client.report.engaged
            client.joy([1.0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, int(engaged or turn % 20 >= 4)])
            if client.report is not None and client.report.target is not None:
                azimuths.append(math.atan2(client.report.target[1], client.report.target[0]))
            if len(azimuths) > 100 and azimuths[-1] > 0.5 and np.ptp(azimuths[-60:]) < 0.002:
                break
            assert time.monotonic() < deadline, f"the arm does not come to its limit: {client.report}"
            time.sleep(0.03)
    assert 0.5 < max(azimuths) <= robot.upper[0] + 1e-6
