"""The two ends of `dofbot bench images`: one process sends images, the other measures what arrives, and how late."""

from __future__ import annotations

import argparse
import json
import sys
import time
from threading import Event

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.dds import configure_dds
from dofbot_ros.core.rate import Rate
from dofbot_ros.ros.camera.messages import image_array, image_message
from dofbot_ros.ros.camera.subscription import subscribe_images
from dofbot_ros.ros.conversions.messages import from_time, to_time
from dofbot_ros.ros.runtime.qos import IMAGE, NEWEST_IMAGE

WIDTH, HEIGHT = 640, 480
TOPIC = "camera/image_raw"
DELIVERIES = ("as-nodes", "best-effort")
"""How the receiver subscribes: as the nodes of this package do, or with best effort."""


def send(count: int, hz: float) -> None:
    """Publish `count` images of noise at `hz` once somebody listens; the frame id carries the number.

    A second of images with negative numbers goes ahead: the two ends do not discover each other at the same instant.
    """
    node = Node("image_probe_sender")
    publisher = node.create_publisher(Image, TOPIC, IMAGE)
    while publisher.get_subscription_count() == 0:
        time.sleep(0.05)
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    rate = Rate(MonotonicClock(), hz)
    for number in range(-round(hz), count):
        rate.wait()
        publisher.publish(image_message(Header(stamp=to_time(time.time()), frame_id=str(number)), image))
    time.sleep(1.0)  # what was sent last may still be on its way
    sys.stdout.write(json.dumps({"sent": count}) + "\n")


def receive(count: int, timeout_s: float, delivery: str) -> None:
    """Print how many of `count` images arrived whole, and their ages on arrival as numpy arrays [s]."""
    node = Node("image_probe_receiver")
    ages: dict[int, float] = {}
    complete = Event()

    def on_image(message: Image) -> None:
        image, number = image_array(message), int(message.header.frame_id)
        if number >= 0 and image.shape == (HEIGHT, WIDTH, 3):
            ages[number] = time.time() - from_time(message.header.stamp)
        if number == count - 1:
            complete.set()

    if delivery == "as-nodes":
        subscribe_images(node, Image, TOPIC, on_image)
    else:
        node.create_subscription(Image, TOPIC, on_image, NEWEST_IMAGE)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    deadline = time.monotonic() + timeout_s
    while not complete.is_set() and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.5)
    sys.stdout.write(json.dumps({"ages_s": list(ages.values())}) + "\n")


def main() -> int:
    """Run one end: `send COUNT HZ` or `receive COUNT TIMEOUT [--delivery KIND]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("end", choices=("send", "receive"))
    parser.add_argument("count", type=int)
    parser.add_argument("number", type=float, help="send: images per second; receive: time limit [s]")
    parser.add_argument("--delivery", choices=DELIVERIES, default="as-nodes", help="receive: how")
    arguments = parser.parse_args()
    configure_dds()
    with rclpy.init(args=[]):
        if arguments.end == "send":
            send(arguments.count, arguments.number)
        else:
            receive(arguments.count, arguments.number, arguments.delivery)
    return 0


if __name__ == "__main__":
    sys.exit(main())
