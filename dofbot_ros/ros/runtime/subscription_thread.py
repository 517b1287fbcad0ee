"""A thread of its own for a few subscriptions that hear much: their messages do not wake the node's executor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

RawCallback = Callable[[bytes, Mapping[str, Any]], None]
"""Takes a serialised message, and what rclpy knows of it."""


class SubscriptionThread:
    """Hears messages as they came over the wire, one after the other.

    For each message rclpy's executor looks three times through all that its node has: topics, services, parameters.
    This thread waits for its own subscriptions alone, as rclpy.wait_for_message does.

    Args:
        node: that subscribes; close() comes before it is destroyed.
        name: of the thread.
        failed: told what a callback, or ROS, raised and ended the thread with.
    """

    def __init__(self, node: Node, name: str, failed: Callable[[BaseException], None]) -> None:
        self._node, self._failed = node, failed
        self._group = _NotForTheExecutor()
        self._subscriptions: list[tuple[Subscription[Any], RawCallback]] = []
        self._wake = GuardCondition(callback=None, callback_group=None, context=node.context)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def subscribe(self, kind: type, topic: str, callback: RawCallback, qos: QoSProfile) -> None:
        """Hear a topic; to be called before start()."""
        subscription = self._node.create_subscription(kind, topic, callback, qos, callback_group=self._group, raw=True)
        self._subscriptions.append((subscription, callback))

    def start(self) -> None:
        """Let callbacks run from now on."""
        self._thread.start()

    def close(self) -> None:
        """End the thread: no callback runs any more. May be called twice."""
        self._closing = True
        if self._thread.is_alive():
            self._wake.trigger()
            self._thread.join()

    def _run(self) -> None:
        context = self._node.context.handle
        if context is None:
            return  # ROS has been shut down already
        wait_set = rclpy_implementation.WaitSet(len(self._subscriptions), 1, 0, 0, 0, 0, context)
        try:
            while not self._closing:
                wait_set.clear_entities()
                for subscription, _ in self._subscriptions:
                    wait_set.add_subscription(subscription.handle)
                wait_set.add_guard_condition(self._wake.handle)
                wait_set.wait(-1)
                ready = wait_set.get_ready_entities("subscription")
                for subscription, callback in self._subscriptions:
                    if subscription.handle.pointer in ready:
                        taken = subscription.handle.take_message(subscription.msg_type, True)
                        if taken is not None:
                            callback(*taken)
        except BaseException as error:
            self._failed(error)


class _NotForTheExecutor(CallbackGroup):
    """Keeps the executor from waiting for what this thread waits for."""

    def can_execute(self, _: Any) -> bool:
        return False

    def beginning_execution(self, _: Any) -> bool:
        return False

    def ending_execution(self, _: Any) -> None:
        pass
