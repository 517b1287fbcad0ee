"""What RViz, Foxglove and teleop_twist_joy are told agrees with the arm's interface."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.driver.config import DriverConfig

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
SOURCES = "\n".join(path.read_text() for path in (ROOT / "dofbot_ros" / "ros").rglob("*.py"))
RVIZ = yaml.safe_load((CONFIG / "view" / "dofbot.rviz").read_text())
FOXGLOVE = json.loads((CONFIG / "view" / "foxglove.json").read_text())


def texts(value: Any) -> Iterator[str]:
    """All text in nested lists and mappings, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from texts(one)


def panels(layout: Any) -> Iterator[str]:
    """Names in Foxglove's tree of panels."""
    if isinstance(layout, str):
        yield layout
    else:
        yield from panels(layout["first"])
        yield from panels(layout["second"])


def test_rviz_shows_topics_that_nodes_publish() -> None:
    topics = [
        topic["Value"]
        for display in RVIZ["Visualization Manager"]["Displays"]
        for topic in (display.get("Topic"), display.get("Description Topic"))
        if topic
    ]
    assert len(topics) == 6
    for topic in topics:
        assert f'"{topic}"' in SOURCES, topic
    assert RVIZ["Visualization Manager"]["Global Options"]["Fixed Frame"] == "base_link"


def test_foxglove_shows_topics_that_nodes_publish_and_calls_services_that_they_serve() -> None:
    named = [text for text in texts(FOXGLOVE["configById"]) if re.fullmatch(r"/[a-z_/]+", text)]
    assert {"/estop", "/robot_description", "/camera/image_raw", "/diagnostics"} <= set(named)
    for name in named:
        assert f'"{name.strip("/")}"' in SOURCES or f'"{name}"' in SOURCES, name


def test_foxglove_plots_every_joint_by_its_name() -> None:
    paths = FOXGLOVE["configById"]["Plot!joints"]["paths"]
    assert [path["label"] for path in paths] == list(JOINT_NAMES)
    assert [path["value"] for path in paths] == [f"/joint_states.position[{k}]" for k in range(len(JOINT_NAMES))]


def test_foxglove_lays_out_every_panel_once() -> None:
    assert sorted(panels(FOXGLOVE["layout"])) == sorted(FOXGLOVE["configById"])


def test_a_gamepad_sends_what_command_twist_takes_and_often_enough() -> None:
    told = yaml.safe_load((CONFIG / "joy_twist.yaml").read_text())
    pad, twist = (told[f"/**/{name}"]["ros__parameters"] for name in ("joy_node", "teleop_twist_joy_node"))
    assert twist["publish_stamped_twist"] is True
    assert twist["require_enable_button"] is True
    assert twist["frame"] == "base_link"
    assert 2.0 / pad["autorepeat_rate"] < DriverConfig().command_timeout_s


@pytest.mark.parametrize("name", ["display", "joy"])
def test_launch_files_use_files_that_are_installed(name: str) -> None:
    text = (ROOT / "launch" / f"{name}.launch.py").read_text()
    files = re.findall(r"share_file\(([^)]*)\)", text)
    assert files
    for words in files:
        assert ROOT.joinpath(*re.findall(r'"([^"]*)"', words)).exists()
