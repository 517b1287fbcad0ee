"""Messages reach a thread of their own, whether or not anybody spins the node, and its end is told."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from rclpy.publisher import Publisher
from rclpy.serialization import deserialize_message
from std_msgs.msg import Float64

from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.qos import COMMANDS
from dofbot_ros.ros.runtime.subscription_thread import SubscriptionThread

from .conftest import SOON_S


@pytest.mark.parametrize("spinning", [False, True])
def test_messages_are_heard_in_order_and_once(spinning: bool) -> None:
    heard: queue.Queue[float] = queue.Queue()
    failures: list[BaseException] = []

    def on_message(message: bytes, info: Mapping[str, Any]) -> None:
        assert info["source_timestamp"] > 0
        heard.put(deserialize_message(message, Float64).data)

    with BackgroundNode("listener") as listener, BackgroundNode("speaker") as speaker:
        thread = SubscriptionThread(listener.node, "numbers", failures.append)
        thread.subscribe(Float64, "first", on_message, COMMANDS)
        thread.subscribe(Float64, "second", on_message, COMMANDS)
        if spinning:
            listener.spin()
        thread.start()
        try:
            for topic in ("first", "second"):
                publisher = speaker.node.create_publisher(Float64, topic, COMMANDS)
                _found(publisher)
                for number in range(5):
                    publisher.publish(Float64(data=float(number)))
                assert [heard.get(timeout=SOON_S) for _ in range(5)] == [0.0, 1.0, 2.0, 3.0, 4.0]
        finally:
            thread.close()
            thread.close()
        assert heard.empty()
    assert failures == []


def test_a_failure_of_a_callback_is_told() -> None:
    failures: queue.Queue[BaseException] = queue.Queue()

    def on_message(message: bytes, _: Mapping[str, Any]) -> None:
        raise RuntimeError(f"{len(message)} bytes")

    with BackgroundNode("listener") as listener, BackgroundNode("speaker") as speaker:
        thread = SubscriptionThread(listener.node, "numbers", failures.put)
        thread.subscribe(Float64, "first", on_message, COMMANDS)
        thread.start()
        publisher = speaker.node.create_publisher(Float64, "first", COMMANDS)
        _found(publisher)
        publisher.publish(Float64(data=1.0))
        assert "bytes" in str(failures.get(timeout=SOON_S))
        thread.close()


def _found(publisher: Publisher[Any]) -> None:
    """Return when somebody listens."""
    never = threading.Event()
    while publisher.get_subscription_count() == 0:
        never.wait(0.02)
