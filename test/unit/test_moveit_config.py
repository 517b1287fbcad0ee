"""MoveIt's and the aggregator's files agree with the arm, its limits and its interface."""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import moveit_srdf
import numpy as np
import pytest
import yaml

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import load_model
from dofbot_ros.core.types import ARM_JOINTS, JOINT_NAMES, ToolPose
from dofbot_ros.driver.config import HOME, PARK, DriverConfig

CONFIG = Path(__file__).resolve().parents[2] / "config"
SRDF = ElementTree.parse(CONFIG / "moveit" / "dofbot.srdf").getroot()


def read(name: str) -> dict[str, object]:
    return yaml.safe_load((CONFIG / name).read_text())


def test_the_limits_are_the_drivers() -> None:
    limits = read("moveit/joint_limits.yaml")["joint_limits"]
    assert list(limits) == list(JOINT_NAMES)
    for limit in limits.values():
        assert limit["max_velocity"] == DriverConfig().max_velocity
        assert limit["max_acceleration"] == DriverConfig().max_acceleration


def test_the_controllers_are_the_action_servers_of_the_arm() -> None:
    manager = read("moveit/moveit_controllers.yaml")["moveit_simple_controller_manager"]
    served = (CONFIG.parent / "dofbot_ros" / "ros" / "arm" / "actions.py").read_text()
    assert manager["controller_names"] == ["arm_controller", "gripper_controller"]
    for name in manager["controller_names"]:
        controller = manager[name]
        assert f'"{controller["type"]}", "{name}/{controller["action_ns"]}"' in served
    assert manager["arm_controller"]["joints"] == list(ARM_JOINTS)
    assert manager["gripper_controller"]["joints"] == [JOINT_NAMES[-1]]


def test_the_named_poses_are_home_and_park() -> None:
    for name, pose in (("home", HOME), ("park", PARK)):
        [state] = SRDF.findall(f"group_state[@name='{name}']")
        values = [float(joint.attrib["value"]) for joint in state]
        np.testing.assert_allclose(values, pose[:5], atol=1e-4)


def test_links_that_can_meet_are_looked_at() -> None:
    model = load_model()
    disabled = {frozenset((d.attrib["link1"], d.attrib["link2"])) for d in SRDF.findall("disable_collisions")}
    assert {link for pair in disabled for link in pair} <= set(model.links)
    looked_at = {frozenset(pair) for pair in combinations(model.links, 2)} - disabled
    for link in ("camera_link", "left_finger", "right_finger"):
        assert frozenset(("base_link", link)) in looked_at


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="written with the pinned pybullet")
def test_the_file_is_what_its_tool_writes() -> None:
    pytest.importorskip("pybullet", reason="pybullet is not installed here")
    assert moveit_srdf.PAGE.read_text() == moveit_srdf.srdf()


def test_no_named_pose_is_in_collision() -> None:
    pytest.importorskip("pybullet", reason="pybullet is not installed here")
    disabled = {frozenset((d.attrib["link1"], d.attrib["link2"])) for d in SRDF.findall("disable_collisions")}
    for pairs in moveit_srdf.pairs_that_touch(load_model(), [np.array(HOME), np.array(PARK)]):
        assert {frozenset(pair) for pair in pairs} <= disabled


def test_goals_for_which_planners_find_no_state_have_a_closed_form() -> None:
    # Straight down at 50 mm is out of reach of this arm; the nearest pose is told, and reached.
    arm = Kinematics()
    for x in (0.16, 0.2, 0.24):
        nearest = arm.nearest(ToolPose(x, 0.0, 0.05, np.pi))
        reached = arm.forward(arm.solve(nearest))
        np.testing.assert_allclose((reached.x, reached.z), (nearest.x, nearest.z), atol=1e-9)


def test_the_aggregator_files_every_entry_of_the_arm() -> None:
    analyzers = read("diagnostic_aggregator.yaml")["/**"]["ros__parameters"]
    wanted = [text for entry in analyzers.values() if isinstance(entry, dict) for text in entry["contains"]]
    for name in ("arm", "loop", "bus", "commands", *JOINT_NAMES):
        assert any(text in f"left/driver_node: {name}" for text in wanted), name
