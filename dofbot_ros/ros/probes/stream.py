"""The commanding end of `dofbot bench nodes`: streams joint positions at 50 Hz and counts what comes back."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

from sensor_msgs.msg import JointState
from std_msgs.msg import String

from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.runtime.qos import STREAM
from dofbot_ros.ros.runtime.service_manager import READY, notify

STREAM_HZ = 50.0
SWING_RAD, SWING_HZ = 0.4, 0.25


def main() -> int:
    """Swing all arm joints for a while, then write rates as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float)
    parser.add_argument("result", type=Path)
    arguments = parser.parse_args()
    counts = {"joint_states": 0, "images": 0}

    def count(what: str) -> None:
        counts[what] += 1

    with background_client(ArmClient, "stream_probe") as arm:
        arm.node.create_subscription(JointState, "joint_states", lambda _: count("joint_states"), STREAM)
        arm.node.create_subscription(String, "blocks/detections", lambda _: count("images"), STREAM)
        arm.wait_connected()
        arm.switch("enable_torque", True)
        notify(READY)
        clock = MonotonicClock()
        rate, start = Rate(clock, STREAM_HZ), clock.now()
        counts.update(dict.fromkeys(counts, 0))
        while (elapsed := clock.now() - start) < arguments.seconds:
            arm.stream([SWING_RAD * math.sin(2 * math.pi * SWING_HZ * elapsed)] * 5 + [0.0])
            rate.wait()
        arguments.result.write_text(json.dumps({f"{what}_hz": n / elapsed for what, n in counts.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
