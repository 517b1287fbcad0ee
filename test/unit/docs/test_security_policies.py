"""The SROS 2 policies beside docs/ros_interface.md and the stacks: nothing is missing, nobody may do too much."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sros2_policies import FOLDER, RIGHTS, enclaves

from dofbot_ros.launching import Process
from dofbot_ros.stacks import STACKS

ROOT = Path(__file__).resolve().parents[3]
INTERFACE = (ROOT / "docs" / "ros_interface.md").read_text()
WHO_PUBLISHES = {"camera": "camera_node", "blocks": "block_localizer_node"}
"""First part of a topic's name -> the node that publishes it; the arm's nodes publish the rest."""
ARMS = ("driver_node", "sim_node")
ENCLAVES = enclaves()
PEOPLE = ("operator", "viewer")
ENDS_A_STOP = {"reset_estop", "clear_fault"}


def documented_topics(direction: str) -> list[str]:
    rows = re.findall(rf"^\| {direction} \| (.+?) \|", INTERFACE, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(.+?)`", row)]


def documented_services() -> list[str]:
    table = INTERFACE.split("## Services")[1].split("`success = false`")[0]
    return re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.+?`) \| std_srvs", table, re.MULTILINE)))


def nodes_of_all_stacks() -> set[str]:
    return {node.executable for stack in STACKS.values() for node in stack.nodes}


def test_the_tables_are_read() -> None:
    assert {"joint_states", "state", "/tf_static", "blocks/poses"} <= set(documented_topics("pub"))
    assert {"command/joint_stream", "command/twist"} <= set(documented_topics("sub"))
    assert {"estop", "freedrive", "clear_fault"} <= set(documented_services())


def test_every_node_of_every_stack_has_its_own_enclave_and_there_is_no_other_but_people() -> None:
    assert set(ENCLAVES) == nodes_of_all_stacks() | set(PEOPLE)


@pytest.mark.parametrize("topic", documented_topics("pub"))
def test_every_documented_topic_may_be_published_by_its_node_and_seen_by_people(topic: str) -> None:
    publisher = WHO_PUBLISHES.get(topic.split("/", maxsplit=1)[0])
    for node in (publisher,) if publisher else ARMS:
        assert topic in ENCLAVES[node].own["publish"]
    for person in PEOPLE:
        assert topic in ENCLAVES[person].own["subscribe"]


@pytest.mark.parametrize("topic", documented_topics("sub"))
def test_every_documented_command_is_heard_by_the_arm_and_open_to_the_operator(topic: str) -> None:
    assert all(topic in ENCLAVES[arm].own["subscribe"] for arm in ARMS)
    assert topic in ENCLAVES["operator"].own["publish"]


@pytest.mark.parametrize("service", documented_services())
def test_every_documented_service_is_the_arms_and_open_to_the_operator(service: str) -> None:
    assert all(service in ENCLAVES[arm].own["reply"] for arm in ARMS)
    assert service in ENCLAVES["operator"].own["request"]


def test_the_actions_are_those_that_are_documented() -> None:
    actions = set(re.findall(r"`(\w+_controller/\w+)`", INTERFACE))
    assert len(actions) == 3
    for arm in ARMS:
        assert ENCLAVES[arm].own["execute"] == actions
    assert ENCLAVES["operator"].own["call"] == actions


def test_a_viewer_commands_nothing_and_calls_nothing() -> None:
    own = ENCLAVES["viewer"].own
    assert [right for right in own if own[right]] == ["subscribe"]


def test_only_a_person_ends_an_emergency_stop_or_a_fault_or_lets_go_of_the_arm() -> None:
    for name, enclave in ENCLAVES.items():
        may = enclave.own["request"] & (ENDS_A_STOP | {"freedrive"})
        assert may == (ENDS_A_STOP | {"freedrive"} if name == "operator" else set())


def test_what_only_looks_cannot_command() -> None:
    for name in ("camera_node", "block_localizer_node", "world_node", "viewer"):
        own = ENCLAVES[name].own
        assert not own["request"] | own["call"]
        assert not {topic for topic in own["publish"] if topic.startswith("command/")}


def test_whatever_somebody_may_ask_for_or_hear_somebody_may_serve_or_say() -> None:
    every = {right: {n for e in ENCLAVES.values() for n in e.own[right]} for pair in RIGHTS.values() for right in pair}
    asked = ("get_parameters", "list_parameters")
    parameters = {f"{node}/{service}" for node in nodes_of_all_stacks() for service in asked}
    assert every["request"] <= every["reply"] | parameters
    assert every["subscribe"] <= every["publish"]
    assert every["call"] <= every["execute"]


@pytest.mark.parametrize("node", sorted(nodes_of_all_stacks()))
def test_dofbot_up_and_launch_name_the_enclave(node: str) -> None:
    argv = Process(node, {}, "", True).command().argv
    assert argv[argv.index("--enclave") + 1].removeprefix("/") in ENCLAVES


def test_no_wildcard_grants_what_nobody_listed() -> None:
    for file in FOLDER.glob("*.xml"):
        assert not re.search(r"<(topic|service|action)>[^<]*[*?\[]", file.read_text()), file.name
