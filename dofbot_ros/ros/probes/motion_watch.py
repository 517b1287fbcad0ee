"""Watches a simulated arm through its joint states: how far it moves when it was to rest, and how fast it was."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.policy.interface.report import PolicyReport
from dofbot_ros.ros.clients.arm_client import ArmClient
from dofbot_ros.ros.runtime.qos import STREAM

KEPT = 100_000
SPEED_WINDOW = 5
"""Joint states over which a speed is taken: 0.1 s of them."""
PERIOD_S = 0.02
"""Between two joint states [s]."""


class MotionWatch(ArmClient):
    """Remembers where the arm was when; the stack's simulation has to run in real time.

    Attributes:
        policy: what policy_node said last; None where there is none.
    """

    def __init__(self, node: Node, check: Callable[[], None] = lambda: None) -> None:
        super().__init__(node, check)
        self.policy: PolicyReport | None = None
        self._track: deque[tuple[float, FloatArray]] = deque(maxlen=KEPT)
        self.node.create_subscription(JointState, "joint_states", self.notify_after(self._remember), STREAM)
        self.node.create_subscription(String, "policy/status", self.notify_after(self._on_policy), STREAM)

    def moved_deg(self, since_s: float) -> float:
        """How far the arm's joints have moved since `since_s` on the steady clock, the worst of them [deg]."""
        rows = np.array([row for time_s, row in list(self._track) if time_s >= since_s])
        return float(np.degrees(np.ptp(rows, axis=0).max(initial=0.0))) if len(rows) else 0.0

    def worst_speed(self) -> float:
        """The largest speed of a joint so far [rad/s]."""
        track = list(self._track)
        times, rows = np.array([t for t, _ in track]), np.array([row for _, row in track])
        if len(track) <= SPEED_WINDOW:
            return 0.0
        way = np.abs(rows[SPEED_WINDOW:] - rows[:-SPEED_WINDOW]).max(axis=1)
        passed = np.maximum(
            times[SPEED_WINDOW:] - times[:-SPEED_WINDOW], SPEED_WINDOW * 0.02
        )  # late ones come in a bunch
        return float((way / passed).max())

    @property
    def phase(self) -> str:
        """Of the policy's run; "" while nothing is known of it."""
        return "" if self.policy is None else self.policy.phase

    def _on_policy(self, message: String) -> None:
        self.policy = PolicyReport.from_json(message.data)

    def _remember(self, _: JointState) -> None:
        # Its own subscription has put them there already, or will in a moment: 20 ms are nothing here.
        if np.isfinite(self.position).all():
            self._track.append((time.monotonic(), self.position[:N_ARM].copy()))
