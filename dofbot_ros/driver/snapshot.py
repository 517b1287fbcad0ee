"""What the daemon tells of itself after each cycle."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from dofbot_ros.arm.backend import ArmReading, ArmSent, BusStats
from dofbot_ros.core.types import N_JOINTS, FloatArray
from dofbot_ros.driver.motion_events import MotionEvent
from dofbot_ros.safety.states import ArmState


@dataclass(frozen=True)
class Snapshot:
    """One cycle of the daemon.

    Attributes:
        stamp_s: on the arm's clock [s].
        state, reason: the state of the arm, and why it is in it where that needs saying.
        torque: whether the daemon holds the arm with torque. Servos may hold by themselves: see reading.torque.
        reading: the last one, None before the first; its stamps tell its age.
        sent: what was really sent last.
        motion, kind: number and kind of the motion that runs, 0 and "" for none.
        gripper_moving: whether the gripper is on its way.
        result: how the last motion ended.
        events: what happened to commands since the snapshot of the cycle before, in order.
        commander: name of the commander that holds the arm, "" for none.
        handover: the last take-over of the arm by another commander, in words; handovers counts them.
        trim: what is added to the goals, so that joints arrive which gravity or play holds off them [rad] (6,).
        limited: why the command of this cycle differs from what was asked.
        limited_counts: how many cycles each kind of limit has acted in since connect.
        bus: counters of the backend.
        bus_errors: reads and writes that failed since connect, and the last message.
    """

    stamp_s: float
    state: ArmState
    reason: str = ""
    torque: bool = False
    reading: ArmReading | None = None
    sent: ArmSent | None = None
    motion: int = 0
    kind: str = ""
    gripper_moving: bool = False
    result: MotionEvent | None = None
    events: tuple[MotionEvent, ...] = ()
    commander: str = ""
    handover: str = ""
    handovers: int = 0
    trim: FloatArray = field(default_factory=lambda: np.zeros(N_JOINTS))
    limited: tuple[str, ...] = ()
    limited_counts: dict[str, int] = field(default_factory=dict)
    bus: BusStats = field(default_factory=BusStats)
    bus_errors: int = 0
    last_bus_error: str = ""
