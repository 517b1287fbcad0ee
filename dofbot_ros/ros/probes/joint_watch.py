"""Watches joint 1 by joint_states, with the stamps of the readings: when did it move last?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from rclpy.node import Node
from sensor_msgs.msg import JointState

from dofbot_ros.ros.conversions.messages import from_time, joint_positions
from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.qos import STREAM

STILL_RAD = 1e-3
"""Two readings that differ by less are of a joint at rest: a servo's tick is 1.4e-3 [rad]."""
REST_S = 1.5
"""After a loss the joint is watched for so long [s]."""
TURN_LIMIT_S = 4.0
TURN_RAD = 0.08


class JointWatch:
    """Readings of joint 1.

    Args:
        node: subscribes.
    """

    def __init__(self, node: Node) -> None:
        self._readings: list[tuple[float, float]] = []
        node.create_subscription(JointState, "joint_states", self._hear, STREAM)

    @property
    def position(self) -> float:
        """The last reading [rad]; 0 before the first."""
        return self._readings[-1][1] if self._readings else 0.0

    def turns(self) -> bool:
        """Whether it turns by TURN_RAD from now on, waited for TURN_LIMIT_S."""
        start, deadline = self.position, time.monotonic() + TURN_LIMIT_S
        while abs(self.position - start) < TURN_RAD:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def rest_after(self, since_s: float) -> float:
        """How long after `since_s` [s], as ROS counts time, it went on moving [s]; 0 where it had come to rest."""
        time.sleep(REST_S)
        readings = [reading for reading in self._readings if reading[0] > since_s - 0.1]
        pairs = pairwise(readings)
        return max([t - since_s for (_, before), (t, q) in pairs if abs(q - before) > STILL_RAD], default=0.0)

    def _hear(self, message: JointState) -> None:
        for index, value in joint_positions(message):
            if index == 0:
                self._readings.append((from_time(message.header.stamp), value))


@contextmanager
def joint_watch(namespace: str = "") -> Iterator[JointWatch]:
    """A JointWatch with a node of its own."""
    with BackgroundNode("joint_watch", namespace) as background:
        watch = JointWatch(background.node)
        background.spin()
        yield watch
