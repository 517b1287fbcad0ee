"""Who a command is from, while the graph gets to know its node."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed here")

from dofbot_ros.ros.arm import commanders
from dofbot_ros.ros.arm.commanders import UNKNOWN, Commanders
from dofbot_ros.ros.runtime.graph import NAMELESS
from dofbot_ros.safety.authority import Rank

GID = bytes(range(16))
INFO = {"publisher_gid": {"data": list(GID)}}


class Endpoint:
    def __init__(self, node_name: str) -> None:
        self.endpoint_gid, self.node_name = list(GID), node_name


class Graph:
    """A node's view of the graph, which says what the test wants: DDS cannot be made to be slow at will."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []

    def resolve_topic_name(self, topic: str) -> str:
        return f"/{topic}"

    def get_publishers_info_by_topic(self, _: str) -> list[Endpoint]:
        return self.endpoints


def test_a_node_without_a_name_yet_is_not_known_by_that_name_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commanders, "ASK_AGAIN_S", 0.0)
    graph: Any = Graph()
    known = Commanders(graph, "")
    graph.endpoints = [Endpoint(NAMELESS)]
    early = known.of("command/pose", INFO)
    assert early.name == UNKNOWN
    assert early.rank is Rank.SCRIPT
    graph.endpoints = [Endpoint("operator_panel")]
    late = known.of("command/pose", INFO)
    assert (late.name, late.rank) == ("operator_panel", Rank.OPERATOR)
    graph.endpoints = []
    assert known.of("command/pose", INFO).name == "operator_panel"
