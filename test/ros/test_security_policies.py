"""The SROS 2 policies beside running nodes: each opens no more than it is allowed, and needs what it is allowed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from rclpy._rclpy_pybind11 import NodeNameNonExistentError
from rclpy.node import Node
from sros2_policies import Enclave, Rights, common, enclaves

from dofbot_ros.launching import processes
from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.stacks import find
from dofbot_ros.supervisor import ProcessGroup

from .conftest import READY_S, SOON_S

ENCLAVES = enclaves()
COMMON = common()
NOT_HERE = {"/tf", "/tf_static", "arm_controller/follow_joint_trajectory", "gripper_controller/gripper_cmd"}
"""Where tf2_msgs and control_msgs are installed, or built (make interfaces)."""
SOMETIMES: dict[str, set[str]] = {
    "driver_node": NOT_HERE,
    "sim_node": NOT_HERE | {"/clock"},
    "teleop_node": {"joy"},
    "grasp_node": {"stop", "home", "/tf_static"},
    "block_localizer_node": {"/tf_static"},
    "policy_node": {
        "driver_node/get_parameters",
        "sim_node/get_parameters",
        "camera/image_raw",
        "camera/camera_info",
    },
}
"""Rights that a node uses with other parameters, or only once it has something to do."""
GRAPH: dict[str, Callable[[Node, str], list[tuple[str, list[str]]]]] = {
    "publish": lambda node, name: node.get_publisher_names_and_types_by_node(name, "/"),
    "subscribe": lambda node, name: node.get_subscriber_names_and_types_by_node(name, "/"),
    "reply": lambda node, name: node.get_service_names_and_types_by_node(name, "/"),
    "request": lambda node, name: node.get_client_names_and_types_by_node(name, "/"),
}

ACTION_PART = "/_action/"
"""Stands in the names of the topics and services of which an action is made; a policy names the action."""
ACTION_RIGHTS = {"publish": "execute", "reply": "execute", "subscribe": "call", "request": "call"}


def absolute(names: set[str], node: str) -> set[str]:
    return {name if name[0] == "/" else f"/{node}{name[1:]}" if name[0] == "~" else f"/{name}" for name in names}


def used(looker: Node, node: str) -> Rights:
    """What the graph tells of a node: nothing where it has not heard of it in one of its tables yet."""
    try:
        found = {right: {name for name, _ in ask(looker, node)} for right, ask in GRAPH.items()}
    except NodeNameNonExistentError:
        return {right: set() for right in (*GRAPH, *ACTION_RIGHTS.values())}
    for right, action_right in ACTION_RIGHTS.items():
        parts = {name for name in found[right] if ACTION_PART in name}
        found[right] -= parts
        found[action_right] = found.get(action_right, set()) | {name.split(ACTION_PART)[0] for name in parts}
    return found


def wait_for_nodes(looker: Node, names: set[str]) -> None:
    """Return when the graph knows them, and what they offer."""
    deadline = time.monotonic() + SOON_S
    while not all(name in looker.get_node_names() and used(looker, name)["reply"] for name in names):
        assert time.monotonic() < deadline, f"{names} are not all in {looker.get_node_names()}"
        time.sleep(0.1)
    time.sleep(1.0)  # endpoints arrive one by one


def unused(looker: Node, enclave: Enclave) -> set[str]:
    """What a policy allows that its nodes have not opened, so far; what they open without leave is an error."""
    needless = {right: set(names) for right, names in enclave.own.items()}
    for node, own in enclave.nodes.items():
        for right, names in used(looker, node).items():
            allowed = absolute(own.get(right, set()), node) | absolute(COMMON.get(right, set()), node)
            assert names <= allowed, f"{node} may not {right} {sorted(names - allowed)}"
            needless[right] = {n for n in needless.get(right, set()) if not absolute({n}, node) <= names}
    return {name for names in needless.values() for name in names}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(2):
        cv2.imwrite(str(folder / f"{number}.png"), np.zeros((48, 64, 3), np.uint8))
    return folder


@pytest.mark.parametrize(
    ("stack", "given"),
    [
        ("bringup", {"backend": "emulator", "localize": "true", "camera": "pictures"}),
        ("teleop", {}),
        ("grasp", {}),
        ("policy", {}),
    ],
)
def test_what_running_nodes_open_is_what_their_policy_allows(
    stack: str, given: dict[str, str], tmp_path: Path, pictures: Path
) -> None:
    given = {**given, **({"camera": str(pictures)} if "camera" in given else {})}
    if given.get("backend") == "emulator":
        given["emulator_port"] = str(tmp_path / "port")
    running = processes(find(stack), given)
    with ProcessGroup([process.command() for process in running]) as group, BackgroundNode("looker") as looker:
        group.wait_ready(READY_S)
        for process in running:
            enclave = ENCLAVES[process.executable]
            wait_for_nodes(looker.node, set(enclave.nodes))
            deadline = time.monotonic() + SOON_S
            while left := unused(looker.node, enclave) - SOMETIMES.get(process.executable, set()):
                assert time.monotonic() < deadline, f"{process.executable} does not use {sorted(left)}"
                time.sleep(0.1)
