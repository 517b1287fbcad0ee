"""Images and camera_info reach the nodes from publishers of either kind, raw or compressed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.event_handler import EventHandler
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from dofbot_ros.ros.camera.messages import image_array, image_message
from dofbot_ros.ros.camera.subscription import CameraParameters, CameraSubscription
from dofbot_ros.ros.runtime.background_node import BackgroundNode

from .conftest import SOON_S

PICTURE = np.full((48, 64, 3), (10, 200, 90), np.uint8)


def soon(condition: Callable[[], bool], meanwhile: Callable[[], object]) -> bool:
    deadline = time.monotonic() + SOON_S
    while not condition() and time.monotonic() < deadline:
        meanwhile()
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("reliability", [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT])
@pytest.mark.parametrize("transport", ["raw", "compressed"])
def test_a_camera_of_another_project_is_heard(reliability: ReliabilityPolicy, transport: str) -> None:
    qos = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5, reliability=reliability)
    namespace = f"camera_{transport}_{reliability.name.lower()}"
    heard: dict[str, Any] = {}
    with BackgroundNode("listener", namespace) as listener, BackgroundNode("driver", namespace) as driver:
        CameraSubscription(
            listener.node,
            lambda m: heard.update(image=m),
            lambda m: heard.update(info=m),
            CameraParameters(image_transport=transport),
        )
        infos = driver.node.create_publisher(CameraInfo, "camera/camera_info", qos)
        if transport == "raw":
            images = driver.node.create_publisher(Image, "camera/image_raw", qos)
            message = image_message(Header(), PICTURE)
        else:
            images = driver.node.create_publisher(CompressedImage, "camera/image_raw/compressed", qos)
            png = cv2.imencode(".png", PICTURE[:, :, ::-1])[1].tobytes()
            message = CompressedImage(format="png", data=png)
        listener.spin()

        def publish() -> None:
            images.publish(message)
            infos.publish(CameraInfo(width=64))

        assert soon(lambda: set(heard) == {"image", "info"}, publish), f"heard {set(heard)} only"
    np.testing.assert_array_equal(image_array(heard["image"]), PICTURE)
    assert heard["info"].width == 64


class ClosingGroup(ReentrantCallbackGroup):
    """Closes a camera just when an executor gathers what to wait for, as another thread may."""

    camera: CameraSubscription | None = None

    def can_execute(self, entity: Any) -> bool:
        if self.camera is not None and isinstance(entity, EventHandler):
            self.camera.close()
        return bool(super().can_execute(entity))


def test_a_camera_may_be_closed_while_an_executor_gathers_what_to_wait_for() -> None:
    """As a program does that listens for single pictures, from another thread."""
    told: list[int] = []
    with BackgroundNode("listener", "closed_camera") as listener:
        group = ClosingGroup()
        listener.node._default_callback_group = group
        said = listener.node.create_publisher(CameraInfo, "said", 10)
        listener.node.create_subscription(CameraInfo, "said", lambda m: told.append(m.width), 10)
        group.camera = CameraSubscription(listener.node, lambda m: None, None, CameraParameters())
        listener.spin()
        assert soon(lambda: len(told) > 2, lambda: said.publish(CameraInfo(width=64))), listener.failure
        assert all(one.topic_name.endswith("said") for one in listener.node.subscriptions)
        listener.check()
