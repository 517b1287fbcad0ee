"""QoS events of subscriptions that one thread closes while another waits for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import EventHandler, QoSSubscriptionEventType, SubscriptionEventCallbacks
from rclpy.exceptions import InvalidHandle


class IncompatibleQos(SubscriptionEventCallbacks):
    """Handles one event of a subscription: a publisher whose QoS does not fit.

    rclpy's executor passes over subscriptions, clients and timers that another thread destroyed while it gathered what
    to wait for, but not over their event handlers: it ends with InvalidHandle, and the node with it. The
    handlers made here may be destroyed at any time.

    Args:
        callback: gets rclpy's QoSRequestedIncompatibleQoSInfo.
    """

    def __init__(self, callback: Callable[[Any], None]) -> None:
        super().__init__(incompatible_qos=callback, use_default_callbacks=False)
        self._callback = callback

    def create_event_handlers(
        self, callback_group: CallbackGroup, subscription: Any, _topic_name: str
    ) -> list[EventHandler]:
        """See rclpy.event_handler.SubscriptionEventCallbacks.create_event_handlers."""
        kind = QoSSubscriptionEventType.RCL_SUBSCRIPTION_REQUESTED_INCOMPATIBLE_QOS
        return [
            _Handler(callback_group=callback_group, callback=self._callback, event_type=kind, parent_impl=subscription)
        ]


class _Handler(EventHandler):
    """An event handler that may be destroyed at any time."""

    _waited_for = False

    def add_to_wait_set(self, wait_set: Any) -> None:
        """See rclpy.waitable.Waitable.add_to_wait_set."""
        try:
            super().add_to_wait_set(wait_set)
            self._waited_for = True
        except InvalidHandle:
            self._waited_for = False

    def is_ready(self, wait_set: Any) -> bool:
        """See rclpy.waitable.Waitable.is_ready."""
        return self._waited_for and super().is_ready(wait_set)

    def take_data(self) -> Any:
        """See rclpy.waitable.Waitable.take_data."""
        try:
            return super().take_data()
        except InvalidHandle:
            return None
