"""Who sent a command: the node behind a message's publisher, with its rank."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rclpy.node import Node

from dofbot_ros.ros.runtime.graph import NAMELESS
from dofbot_ros.safety.authority import Commander, Rank

OPERATOR_PREFIXES = ("_ros2cli", "rqt", "rviz", "foxglove", "console", "operator")
"""Nodes of tools that a person commands the arm with."""
PARTICIPANT_BYTES = 12
"""Length of the part of a publisher's identifier that it shares with all others of its process."""
ASK_AGAIN_S = 1.0
"""A publisher that the graph does not know yet is looked for again after this time [s]."""
HOME = Commander("service home", Rank.OPERATOR)
PARK = Commander("service park", Rank.OPERATOR)
ACTION = Commander("an action client", Rank.SCRIPT)
ANYBODY = Commander("commands over topics", Rank.SCRIPT)
UNKNOWN = "a node that is not known yet"


class Commanders:
    """Finds the node of a message by its publisher's identifier, once for each publisher.

    Where rclpy does not tell the identifier (before Kilted), all publishers are one commander.

    Args:
        node: the node that subscribes.
        operators: names of further nodes that rank as operators.
    """

    def __init__(self, node: Node, operators: str) -> None:
        self._node = node
        self._operators = frozenset(operators.split())
        self._known: dict[bytes, Commander] = {}
        self._unknown_s: dict[bytes, float] = {}

    def of(self, topic: str, info: Mapping[str, Any]) -> Commander:
        """The commander behind a message on `topic` (relative) that came with `info`."""
        publisher = info.get("publisher_gid")
        if not publisher:
            return ANYBODY
        gid = bytes(publisher["data"])
        if gid not in self._known:
            self._look_up(self._node.resolve_topic_name(topic), gid)
        return self._known.get(gid) or Commander(UNKNOWN, Rank.SCRIPT, gid[:PARTICIPANT_BYTES])

    def _look_up(self, topic: str, gid: bytes) -> None:
        now = time.monotonic()
        if now - self._unknown_s.get(gid, -ASK_AGAIN_S) < ASK_AGAIN_S:
            return
        for endpoint in self._node.get_publishers_info_by_topic(topic):
            if bytes(endpoint.endpoint_gid) == gid and endpoint.node_name != NAMELESS:
                self._known[gid] = Commander(endpoint.node_name, self.rank(endpoint.node_name), gid[:PARTICIPANT_BYTES])
                self._unknown_s.pop(gid, None)
                return
        self._unknown_s[gid] = now

    def rank(self, name: str) -> Rank:
        """The rank of a node, by its name."""
        if name in self._operators or name.startswith(OPERATOR_PREFIXES):
            return Rank.OPERATOR
        if name.startswith("teleop"):
            return Rank.TELEOP
        return Rank.POLICY if name.startswith("policy") else Rank.SCRIPT
