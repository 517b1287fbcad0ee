"""Images and camera_info of any camera driver: reliable where it publishes so, best effort where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rclpy.event_handler import QoSRequestedIncompatibleQoSInfo
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from dofbot_ros.config.ranges import Checked, parameter
from dofbot_ros.errors import one_of
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.ros.runtime.qos import NEWEST_IMAGE, RELIABLE_IMAGE
from dofbot_ros.ros.runtime.qos_event import IncompatibleQos

TOPIC, INFO_TOPIC = "camera/image_raw", "camera/camera_info"
TRANSPORTS: dict[str, tuple[type, str]] = {
    "raw": (Image, TOPIC),
    "compressed": (CompressedImage, f"{TOPIC}/compressed"),
}
"""Message type and topic of each."""


@dataclass(frozen=True)
class CameraParameters(Checked):
    """How a node takes the images of a camera."""

    image_transport: str = parameter("raw", "raw: camera/image_raw; compressed: camera/image_raw/compressed.")
    rectified: bool = parameter(
        False, "The images are rectified (image_rect): P of camera_info holds for them, and no distortion."
    )

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.image_transport not in TRANSPORTS:
            yield one_of("image_transport", self.image_transport, TRANSPORTS)


class CameraSubscription:
    """Subscribes to a camera; callbacks get the messages as they come.

    Args:
        node: where the subscriptions live.
        on_image: gets an Image, or a CompressedImage.
        on_info: gets a CameraInfo; None for nodes that need none.
        parameters: how; None: as the parameters of the node say.
    """

    def __init__(
        self,
        node: Node,
        on_image: Callable[[Any], None],
        on_info: Callable[[CameraInfo], None] | None = None,
        parameters: CameraParameters | None = None,
    ) -> None:
        parameters = parameters or declare(node, CameraParameters)
        self.rectified = parameters.rectified
        kind, self.topic = TRANSPORTS[parameters.image_transport]
        self._node = node
        self._subscriptions = subscribe_images(node, kind, self.topic, on_image)
        if on_info is not None:
            # Small, and repeated with each image: best effort hears reliable publishers and others alike.
            self._subscriptions.append(node.create_subscription(CameraInfo, INFO_TOPIC, on_info, NEWEST_IMAGE))

    def close(self) -> None:
        """Listen no more; a simulated camera that nobody listens to does not render."""
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())


def subscribe_images(
    node: Node, kind: type, topic: str, on_image: Callable[[Any], None], raw: bool = False
) -> list[Subscription[Any]]:
    """Subscribe reliably; the first publisher that is not reliable turns that into best effort.

    A publisher without our Fast DDS profile, as another project's camera driver is one, has room for less than one
    image in shared memory: best effort then loses half of the images and more (`dofbot bench images --sender default`).
    Returns the subscription, and the one that takes its place, if it comes to that.

    Args:
        node: subscribes.
        kind: type of the messages.
        topic: relative or absolute name.
        on_image: gets each message.
        raw: as bytes.
    """
    subscriptions: list[Subscription[Any]] = []
    best_effort: list[Subscription[Any]] = []

    def on_reliable(message: Any) -> None:
        if not best_effort:
            on_image(message)

    def fall_back(_: QoSRequestedIncompatibleQoSInfo) -> None:
        if not best_effort:
            best_effort.append(node.create_subscription(kind, topic, on_image, NEWEST_IMAGE, raw=raw))
            subscriptions.extend(best_effort)

    subscriptions.append(
        node.create_subscription(
            kind, topic, on_reliable, RELIABLE_IMAGE, event_callbacks=IncompatibleQos(fall_back), raw=raw
        )
    )
    return subscriptions
