"""The commanding ends of the fault matrix's ROS cases: an operator who streams and stops, and a flood of commands."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.duration import Duration
from std_msgs.msg import Float64
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import GRIP, JOINT_NAMES
from dofbot_ros.nodes.arm_client import ArmClient
from dofbot_ros.nodes.messages import to_duration
from dofbot_ros.nodes.own_node import OwnNode
from dofbot_ros.nodes.qos import COMMAND
from dofbot_ros.nodes.runtime import notify_ready

SOFT_START_S = 2.0
STREAM_HZ = 50.0
FLOOD_HZ = 1000.0
SPEED = 0.6
"""Of joint 1 [rad/s]."""
RAMP_S = 0.5
OLD = Duration(seconds=2.0)
"""Age of the flood's messages."""


def main() -> int:
    """Play one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("operator", "flood"))
    parser.add_argument("seconds", type=float)
    parser.add_argument("--estop", type=float, default=1.5, help="after so many seconds of streaming")
    parser.add_argument("--result", type=Path)
    arguments = parser.parse_args()
    if arguments.part == "flood":
        return flood(arguments.seconds)
    return operate(arguments.seconds, arguments.estop, arguments.result)


def operate(seconds: float, estop_s: float, result: Path) -> int:
    """Enable, stream an even motion of joint 1, call estop in the middle of it, and go on streaming.

    What was sent when, on the machine's steady clock, is written as JSON.
    """
    points: list[list[float]] = []
    told: dict[str, float] = {}

    with ArmClient("operator_probe") as arm:
        arm.wait_connected()
        arm.switch("enable_torque", True)
        notify_ready()
        time.sleep(SOFT_START_S)
        start = arm.position[:GRIP].copy()

        def stop() -> None:
            told["estop_s"] = time.monotonic()
            arm.trigger("estop")
            told["answered_s"] = time.monotonic()

        clock = MonotonicClock()
        rate, begin_s = Rate(clock, STREAM_HZ), clock.now()
        stopper: threading.Thread | None = None
        while (elapsed := clock.now() - begin_s) < seconds:
            if stopper is None and elapsed >= estop_s:
                stopper = threading.Thread(target=stop)
                stopper.start()
            way = SPEED * (elapsed**2 / (2 * RAMP_S) if elapsed < RAMP_S else elapsed - RAMP_S / 2)
            point = start + np.array([way, 0.0, 0.0, 0.0, 0.0])
            points.append([time.monotonic(), *point.tolist()])
            arm.stream(point, JOINT_NAMES[:GRIP])
            rate.wait()
        if stopper is not None:
            stopper.join()
    result.write_text(json.dumps({"points": points, **told}))
    return 0


def flood(seconds: float) -> int:
    """Publish on every command topic, a thousand times a second, what is to be refused: too old, or out of reach."""
    node = OwnNode("flooder")
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
    notify_ready()
    clock = MonotonicClock()
    rate, end_s = Rate(clock, FLOOD_HZ), clock.now() + seconds
    with suppress(KeyboardInterrupt):
        while clock.now() < end_s:
            stamp = (node.node.get_clock().now() - OLD).to_msg()
            stream.header.stamp = twist.header.stamp = pose.header.stamp = stamp
            for publisher, message in messages:
                publisher.publish(message)
            rate.wait()
    node.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
