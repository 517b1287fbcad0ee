"""A flood for the fault matrix: every command topic, or every service, a thousand times a second."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.duration import Duration
from std_msgs.msg import Float64
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import GRIP, JOINT_NAMES
from dofbot_ros.ros.conversions.messages import to_duration
from dofbot_ros.ros.runtime.background_node import BackgroundNode
from dofbot_ros.ros.runtime.qos import COMMAND
from dofbot_ros.ros.runtime.service_manager import READY, notify

FLOOD_HZ = 1000.0
OLD = Duration(seconds=2.0)
"""Age of the flood's messages."""

SERVICES = {
    "enable_torque": (SetBool, SetBool.Request(data=True)),
    "freedrive": (SetBool, SetBool.Request(data=False)),
    "clear_fault": (Trigger, Trigger.Request()),
    "home": (Trigger, Trigger.Request()),
    "park": (Trigger, Trigger.Request()),
}
"""Calls that change nothing of an arm that somebody streams to: the torque is on, and the lease is not theirs."""
STOPS = {name: (Trigger, Trigger.Request()) for name in ("stop", "estop")}
"""Calls that stop it."""


def main() -> int:
    """Pour until the time is over, or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("topics", "services", "stops"))
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--result", type=Path, required=True, help="how often everything was sent (JSON)")
    arguments = parser.parse_args()
    node = BackgroundNode("flooder")
    parts = {
        "topics": lambda: _topics(node),
        "services": lambda: _services(node, SERVICES),
        "stops": lambda: _services(node, STOPS),
    }
    pour = parts[arguments.part]()
    notify(READY)
    clock = MonotonicClock()
    rate, begin_s, count = Rate(clock, FLOOD_HZ), clock.now(), 0
    with suppress(KeyboardInterrupt):
        while clock.now() - begin_s < arguments.seconds:
            pour()
            count += 1
            rate.wait()
    arguments.result.write_text(json.dumps({"hz": count / (clock.now() - begin_s), "seconds": clock.now() - begin_s}))
    node.close()
    return 0


def _topics(node: BackgroundNode) -> Callable[[], None]:
    """Every command topic, with what is to be refused: too old, or out of reach."""
    publish = node.node.create_publisher
    point = JointTrajectoryPoint(positions=[9.0] * GRIP, time_from_start=to_duration(2.0))
    stream = JointTrajectory(joint_names=list(JOINT_NAMES[:GRIP]), points=[point])
    twist = TwistStamped()
    twist.header.frame_id = "base_link"
    twist.twist.linear.x = 0.1
    pose = PoseStamped()
    pose.header.frame_id = "base_link"
    pose.pose.position.x = 9.0
    pose.pose.orientation.w = 1.0
    messages = [
        (publish(JointTrajectory, "command/joint_trajectory", COMMAND), stream),
        (publish(JointTrajectory, "command/joint_stream", COMMAND), stream),
        (publish(TwistStamped, "command/twist", COMMAND), twist),
        (publish(PoseStamped, "command/pose", COMMAND), pose),
        (publish(Float64, "command/gripper", COMMAND), Float64(data=9.0)),
    ]

    def pour() -> None:
        stamp = (node.node.get_clock().now() - OLD).to_msg()
        stream.header.stamp = twist.header.stamp = pose.header.stamp = stamp
        for publisher, message in messages:
            publisher.publish(message)

    return pour


def _services(node: BackgroundNode, services: dict[str, tuple[Any, Any]]) -> Callable[[], None]:
    """Services whose answers nobody waits for."""
    clients: list[tuple[Any, Any]] = [
        (node.node.create_client(kind, name), request) for name, (kind, request) in services.items()
    ]
    for client, _ in clients:
        client.wait_for_service()

    def pour() -> None:
        for client, request in clients:
            client.remove_pending_request(client.call_async(request))

    return pour


if __name__ == "__main__":
    sys.exit(main())
