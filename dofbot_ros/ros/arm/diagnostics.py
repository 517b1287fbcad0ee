"""What the daemon tells of itself -> diagnostic_msgs, as rqt_robot_monitor shows it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from std_msgs.msg import Header

from dofbot_ros.arm.backend import ServoHealth
from dofbot_ros.core.types import JOINT_NAMES, FloatArray
from dofbot_ros.driver.snapshot import Snapshot
from dofbot_ros.ros.runtime.qos import STREAM
from dofbot_ros.safety.monitor import NO_ANSWER
from dofbot_ros.safety.states import ArmState

LEVELS = {
    ArmState.DISCONNECTED: DiagnosticStatus.ERROR,
    ArmState.FAULT: DiagnosticStatus.ERROR,
    ArmState.ESTOP: DiagnosticStatus.WARN,
    ArmState.IDLE: DiagnosticStatus.OK,
    ArmState.ACTIVE: DiagnosticStatus.OK,
    ArmState.HOLD: DiagnosticStatus.OK,
}


def status(level: bytes, name: str, message: str, values: Mapping[str, object]) -> DiagnosticStatus:
    """One entry; numbers are rounded for reading."""
    rows = [KeyValue(key=k, value=f"{v:.4g}" if isinstance(v, float) else str(v)) for k, v in values.items()]
    return DiagnosticStatus(level=level, name=name, message=message, values=rows)


class DiagnosticsTopic:
    """Publishes on `diagnostics` of the node's namespace, and on /diagnostics, where aggregators listen.

    Args:
        node: whose entries they are.

    Attributes:
        prefix: of the entries' names: the node's name with its namespace, so that two arms are two.
    """

    def __init__(self, node: Node) -> None:
        namespace = node.get_namespace().strip("/")
        self.prefix = node.get_fully_qualified_name().strip("/")
        self._hardware = f"dofbot {namespace}".strip()
        topics = ("diagnostics", "/diagnostics") if namespace else ("diagnostics",)
        self._publishers = [node.create_publisher(DiagnosticArray, topic, STREAM) for topic in topics]

    def publish(self, stamp: Time, entries: list[DiagnosticStatus]) -> None:
        """Tell `entries` of now."""
        for entry in entries:
            entry.hardware_id = self._hardware
        message = DiagnosticArray(header=Header(stamp=stamp), status=entries)
        for publisher in self._publishers:
            publisher.publish(message)


def arm_status(prefix: str, snapshot: Snapshot, speed: float = 1.0) -> DiagnosticStatus:
    """State, why commands differ from what was asked, and the share of its speed that the arm may have."""
    result = snapshot.result
    values = {
        "state": snapshot.state.value,
        "speed": speed,
        "torque": snapshot.torque,
        "motion": snapshot.kind or "none",
        "last motion": f"{result.kind}: {result.reason or 'arrived'}" if result else "",
        "commander": snapshot.commander,
        "last hand-over": snapshot.handover,
        "goals lead by [rad]": " ".join(f"{by:.3f}" for by in snapshot.trim),
        "limited by": "; ".join(snapshot.limited),
        **{f"limited cycles, {reason}": count for reason, count in snapshot.limited_counts.items()},
    }
    message = ": ".join(part for part in (snapshot.state.value, snapshot.reason) if part)
    return status(LEVELS[snapshot.state], f"{prefix}: arm", message, values)


def loop_status(prefix: str, lateness_s: FloatArray, missed: int, rate_hz: float) -> DiagnosticStatus:
    """How punctual the control loop is."""
    p50, p99 = np.percentile(lateness_s, [50, 99]) * 1e3 if lateness_s.size else (0.0, 0.0)
    values = {"rate_hz": rate_hz, "p50_lateness_ms": float(p50), "p99_lateness_ms": float(p99), "missed": missed}
    late = p99 > 500.0 / rate_hz
    level = DiagnosticStatus.WARN if late else DiagnosticStatus.OK
    return status(level, f"{prefix}: loop", "late" if late else "on time", values)


def bus_status(prefix: str, snapshot: Snapshot, frames_hz: float) -> DiagnosticStatus:
    """Counters of the servo bus."""
    bus = snapshot.bus
    values: dict[str, object] = {
        "frames_hz": frames_hz,
        "frames_sent": bus.frames_sent,
        "replies": bus.replies,
        "retries": bus.retries,
        "lost": bus.lost,
        "errors": snapshot.bus_errors,
        "last error": snapshot.last_bus_error,
        **bus.detail,
    }
    level = DiagnosticStatus.WARN if bus.lost else DiagnosticStatus.OK
    return status(level, f"{prefix}: bus", f"{bus.lost} lost" if bus.lost else "no loss", values)


def servo_status(prefix: str, joint: str, health: ServoHealth, age_s: float, silent_s: float = 0.0) -> DiagnosticStatus:
    """Health of one servo; a wrong voltage is a warning, and an error of the arm once it lasts.

    Args:
        prefix: of the entry's name.
        joint: that the servo moves.
        health: as the servo told it last.
        age_s: of its last answer [s].
        silent_s: for how long it has left questions unanswered [s]; 0 for one that answers.
    """
    values: dict[str, object] = {
        "voltage_fault": health.voltage_fault,
        "overheated": health.overheated,
        "overloaded": health.overloaded,
        "age_s": age_s,
    }
    if health.temperature_c is not None:
        values["temperature_c"] = health.temperature_c
    complaints = (*((NO_ANSWER,) if silent_s > 0.0 else ()), *health.faults)
    level = DiagnosticStatus.ERROR if complaints else DiagnosticStatus.OK
    if complaints == ("voltage",):
        level = DiagnosticStatus.WARN
    return status(level, f"{prefix}: {joint}", ", ".join(complaints) or "healthy", values)


def servo_statuses(prefix: str, snapshot: Snapshot) -> list[DiagnosticStatus]:
    """Health of every servo that has been read."""
    reading = snapshot.reading
    if reading is None:
        return []
    ages = snapshot.stamp_s - reading.stamps_s
    return [
        servo_status(prefix, joint, health, float(age), float(silent_s))
        for joint, health, age, silent_s in zip(JOINT_NAMES, reading.health, ages, reading.silent_s, strict=True)
    ]
