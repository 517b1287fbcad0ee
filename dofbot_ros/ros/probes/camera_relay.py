"""A camera that the fault matrix can take away: passes on the images of another one until it is killed."""

from __future__ import annotations

import signal
import sys

from sensor_msgs.msg import Image

from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.process import ShutdownSignal
from dofbot_ros.ros.runtime.qos import IMAGE, NEWEST_IMAGE
from dofbot_ros.ros.runtime.service_manager import READY, notify

FROM, TO = "camera/image_raw", "relayed/image_raw"


def main() -> int:
    """Pass images on, undecoded."""
    lifeline = ShutdownSignal()
    lifeline.obey(signal.SIGINT, signal.SIGTERM)
    with BackgroundNode("camera_relay") as relay:
        publisher = relay.node.create_publisher(Image, TO, IMAGE)
        relay.node.create_subscription(Image, FROM, publisher.publish, NEWEST_IMAGE, raw=True)
        relay.spin()
        notify(READY)
        lifeline.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
