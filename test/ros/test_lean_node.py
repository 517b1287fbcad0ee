"""Nodes listen to no QoS events unless they are asked to: an executor looks through every handler for each message."""

from __future__ import annotations

from rclpy.event_handler import PublisherEventCallbacks
from std_msgs.msg import String

from dofbot_ros.ros.runtime.background_node import BackgroundNode


def test_only_an_event_that_somebody_asked_for_has_a_handler() -> None:
    with BackgroundNode("lean") as background:
        node = background.node
        before = len(list(node.waitables))
        node.create_publisher(String, "plain", 1)
        node.create_subscription(String, "plain", lambda _: None, 1)
        assert len(list(node.waitables)) == before
        asked = PublisherEventCallbacks(matched=lambda _: None, use_default_callbacks=False)
        node.create_publisher(String, "watched", 1, event_callbacks=asked)
        assert len(list(node.waitables)) == before + 1
