"""A MotionControl and its control periods, without servos: the arm is where it was told to be, or where a test says."""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.backend import ArmReading, ServoHealth
from dofbot_ros.arm.robot import load_robot
from dofbot_ros.core.types import FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.motion_control import MotionControl
from dofbot_ros.motion.source import Follow, GoTo, Stream
from dofbot_ros.motion.trajectory import MotionLimits, Trajectory
from dofbot_ros.safety.workspace import Workspace

PERIOD_S = 0.02
SPEED, ACCELERATION = 1.6, 8.0
ROBOT = load_robot()
LIMITS = MotionLimits(ROBOT.lower, ROBOT.upper, np.full(6, SPEED), np.full(6, ACCELERATION))
WORKSPACE = Workspace(ROBOT.kinematics)


def joints(value: float, joint: int = 0) -> FloatArray:
    """Zeros but for one joint, shape (6,)."""
    return np.where(np.arange(6) == joint, value, 0.0)


class Cycles:
    """A MotionControl on an arm that is wherever it was told to be, or where `measured` says."""

    def __init__(self, **config: float) -> None:
        self.config = DriverConfig(**{"soft_start_s": 0.0, **config})  # type: ignore[arg-type]
        self.control = MotionControl(LIMITS, WORKSPACE, self.config)
        self.now = 10.0
        self.measured: FloatArray | None = None
        self.pressing: tuple[bool | None, ...] = (None,) * 6
        self.heard: tuple[bool | None, ...] = (False,) * 6
        self.silent_s = np.zeros(6)
        self.fresh = np.ones(6, dtype=np.bool_)
        self.control.start(np.zeros(6), self.now)
        self.sent = [np.zeros(6)]

    @property
    def reading(self) -> ArmReading:
        at = self.control.at.position if self.measured is None else self.measured
        return ArmReading(
            self.now,
            at.copy(),
            np.full(6, self.now),
            self.fresh,
            (ServoHealth(),) * 6,
            self.silent_s,
            pressing=self.pressing,
            heard=self.heard,
        )

    def run(self, seconds: float, brake: bool = False) -> None:
        for _ in range(round(seconds / PERIOD_S)):
            self.now += PERIOD_S
            step = self.control.brake if brake else self.control.decide
            governed = step(self.reading, self.now)
            self.sent.append(governed.position)

    def go_to(self, target: FloatArray, kind: str = "joints") -> int:
        at = self.control.at
        self.control.generator.reset(at.position, at.velocity)
        return self.control.begin(GoTo(kind, self.control.generator, target))

    def follow(self, target: FloatArray, seconds: float, grips: bool = False) -> int:
        trajectory = Trajectory([seconds], target[None], None, self.control.at)
        return self.control.begin(Follow(trajectory, PERIOD_S), grips)

    def stream(self, point: FloatArray, grips: bool = False) -> Stream:
        source = Stream(point, self.now)
        self.control.begin(source, grips)
        return source

    def speeds(self, joint: int = 0) -> FloatArray:
        """Of what was sent [rad/s]."""
        speeds: FloatArray = np.diff(np.array(self.sent)[:, joint]) / PERIOD_S
        return speeds


INTO_TABLE = np.array([0.0, 1.5, 0.9, 0.0, 0.0, 0.0])
"""The gripper would be below the table [rad]."""


def table_edge() -> FloatArray:
    """The last allowed pose on the way from upright to INTO_TABLE [rad] (6,)."""
    way = np.linspace(0.0, 1.0, 2001)[:, None] * INTO_TABLE
    first = WORKSPACE.first_violation(way, way[0])
    assert first is not None
    edge: FloatArray = way[first[0] - 1]
    return edge


TABLE_EDGE = table_edge()
