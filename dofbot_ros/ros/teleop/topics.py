"""What teleop_node tells: whether it follows, how it stands, what it sees."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, Header, String

from dofbot_ros.core.types import ImageArray
from dofbot_ros.ros.arm import diagnostics
from dofbot_ros.ros.camera.messages import image_message
from dofbot_ros.ros.conversions.messages import from_time
from dofbot_ros.ros.runtime.qos import IMAGE, LATCHED, STREAM
from dofbot_ros.teleop.config import TeleopConfig
from dofbot_ros.teleop.input.landmarks import Observation
from dofbot_ros.teleop.retargeting.pipeline import TeleopStatus
from dofbot_ros.teleop.sessions.overlay import draw_overlay, shrunk
from dofbot_ros.teleop.sessions.report import TeleopReport, landmarks_json

OVERLAY_WIDTH = 640
"""Wider overlays are shrunk: they are for the eye [px]."""


class TeleopTopics:
    """Publishers of teleop_node.

    Args:
        node: where they live.
        config: of teleoperation.
        overlay_period_s: least time between two overlays [s].
    """

    def __init__(self, node: Node, config: TeleopConfig, overlay_period_s: float) -> None:
        self._config, self._overlay_period_s = config, overlay_period_s
        self._mode = config.mode if config.clutch.signs else ""
        self._overlay_s = -float("inf")
        self._told: bool | None = None
        self._engaged = node.create_publisher(Bool, "teleop/engaged", LATCHED)
        self._status = node.create_publisher(String, "teleop/status", STREAM)
        self._landmarks = node.create_publisher(String, "teleop/landmarks", STREAM)
        self._overlay = node.create_publisher(Image, "teleop/overlay", IMAGE)
        self._diagnostics = diagnostics.DiagnosticsTopic(node)

    def engaged(self, engaged: bool) -> None:
        """Tell when it changes."""
        if engaged != self._told:
            self._told = engaged
            self._engaged.publish(Bool(data=engaged))

    def status(self, report: TeleopReport) -> None:
        """Tell how it stands."""
        self._status.publish(String(data=report.to_json()))

    def diagnostics(
        self, source: str, report: TeleopReport, latencies_s: list[float], loop: DiagnosticStatus, stamp: Time
    ) -> None:
        """Tell how the source, the latency and the control loop do.

        Args:
            source: its name.
            report: how it stands.
            latencies_s: of the last commands [s].
            loop: of the control thread.
            stamp: of the message.
        """
        recent = 1e3 * np.array(latencies_s or [np.nan])
        values = {
            "source": source,
            "frames": report.frames,
            "dropped": report.dropped,
            "hands": report.hands,
            "p50_latency_ms": float(np.percentile(recent, 50)),
            "p95_latency_ms": float(np.percentile(recent, 95)),
            "let go because": report.reason,
        }
        message = report.source or ("following" if report.engaged else report.fault or "ready")
        level = DiagnosticStatus.ERROR if report.source else DiagnosticStatus.OK
        entries = [diagnostics.status(level, f"{self._diagnostics.prefix}: teleop", message, values), loop]
        self._diagnostics.publish(stamp, entries)

    def landmarks(self, observation: Observation, stamp: Time) -> None:
        """Tell what was seen, when somebody listens."""
        if self._landmarks.get_subscription_count():
            self._landmarks.publish(String(data=landmarks_json(observation, from_time(stamp))))

    def overlay(
        self,
        image: ImageArray | None,
        observation: Observation,
        status: TeleopStatus,
        stamp: Time,
        latency_s: float | None,
    ) -> None:
        """Show what is seen, when somebody looks and the last picture is old enough."""
        due = observation.stamp_s - self._overlay_s >= self._overlay_period_s
        if not due or not self._overlay.get_subscription_count():
            return
        self._overlay_s = observation.stamp_s
        if image is None:  # a recording of landmarks has none
            image = np.zeros((observation.height, observation.width, 3), np.uint8)
        small, seen = shrunk(image, observation, OVERLAY_WIDTH)
        reach = self._config.reach
        drawn = draw_overlay(small, seen, status, latency_s=latency_s, reach=reach, mode=self._mode)
        self._overlay.publish(image_message(Header(stamp=stamp, frame_id="operator_camera"), drawn))
