"""Pictures for the console: subscribed to while somebody looks, and not otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any

import cv2
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from dofbot_ros.errors import InputError
from dofbot_ros.ros.camera.messages import image_array
from dofbot_ros.ros.runtime.qos import NEWEST_IMAGE

TOPICS: dict[str, tuple[type, str]] = {
    "camera": (CompressedImage, "camera/image_raw/compressed"),
    "grasps": (Image, "grasp/overlay"),
    "hand": (Image, "teleop/overlay"),
}
"""Picture -> type and topic; the camera compresses for us, overlays are small."""
JPEG_QUALITY = 80


class Pictures:
    """The newest picture of each topic that is looked at.

    Args:
        node: subscribes.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._subscriptions: dict[str, Any] = {}
        self._newest: dict[str, tuple[int, Any]] = {}
        self._encoded: dict[str, tuple[int, bytes]] = {}

    def offered(self) -> tuple[str, ...]:
        """Pictures that somebody publishes now."""
        return tuple(name for name, (_, topic) in TOPICS.items() if self._node.count_publishers(self._full(topic)))

    def look_at(self, names: Collection[str]) -> None:
        """Subscribe to these, and to no others."""
        for name in set(self._subscriptions) - set(names):
            self._node.destroy_subscription(self._subscriptions.pop(name))
            with self._lock:
                self._newest.pop(name, None)
                self._encoded.pop(name, None)
        for name in set(names) & set(TOPICS) - set(self._subscriptions):
            kind, topic = TOPICS[name]
            # Best effort: a picture that is late is worth nothing, and hears reliable publishers too.
            self._subscriptions[name] = self._node.create_subscription(kind, topic, self._keeper(name), NEWEST_IMAGE)

    def newest(self, name: str) -> tuple[int, bytes]:
        """Number and JPEG of the newest picture; (0, b"") before the first."""
        with self._lock:
            number, message = self._newest.get(name, (0, None))
            if message is None or self._encoded.get(name, (0, b""))[0] == number:
                return self._encoded.get(name, (0, b""))
        encoded = (number, self._encode(message))
        with self._lock:
            self._encoded[name] = encoded
        return encoded

    @staticmethod
    def _encode(message: Any) -> bytes:
        if isinstance(message, CompressedImage) and "jpeg" in message.format:
            return bytes(message.data)
        try:
            image = image_array(message)
        except InputError:
            return b""  # an encoding that is not understood: the page goes on showing the last one
        done, jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return jpeg.tobytes() if done else b""

    def _keeper(self, name: str) -> Callable[[Any], None]:
        def keep(message: Any) -> None:
            with self._lock:
                self._newest[name] = (self._newest.get(name, (0, None))[0] + 1, message)

        return keep

    def _full(self, topic: str) -> str:
        return str(self._node.resolve_topic_name(topic))
