"""A node without QoS event handlers: its executor has half as much to look through for each message."""

from __future__ import annotations

from typing import Any

from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription


class LeanNode(Node):
    """An rclpy node whose publishers and subscriptions listen to no QoS events, unless they are asked to.

    rclpy gives each of them two handlers, which log that a partner's QoS or type does not fit; the executor gathers all
    of them anew for every message, and that was a third of what driver_node cost. A partner in rclpy or rclcpp logs
    the same mismatch from its side.
    """

    def create_publisher(self, *arguments: Any, **options: Any) -> Publisher[Any]:
        """See rclpy.node.Node.create_publisher."""
        options.setdefault("event_callbacks", PublisherEventCallbacks(use_default_callbacks=False))
        return super().create_publisher(*arguments, **options)

    def create_subscription(self, *arguments: Any, **options: Any) -> Subscription[Any]:
        """See rclpy.node.Node.create_subscription."""
        options.setdefault("event_callbacks", SubscriptionEventCallbacks(use_default_callbacks=False))
        return super().create_subscription(*arguments, **options)
