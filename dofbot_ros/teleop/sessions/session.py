"""A whole session without ROS: observations steer the simulated arm, through the driver's daemon, on simulated time."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType

import numpy as np

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.core.types import ARM_JOINTS, GRIP, N_ARM, ImageArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.errors import DofbotError
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.config import CameraConfig, WorldConfig
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World
from dofbot_ros.teleop.config import START, TeleopConfig
from dofbot_ros.teleop.input.landmarks import Observation
from dofbot_ros.teleop.input.recording import RecordedLandmarks
from dofbot_ros.teleop.retargeting.pipeline import TeleopPipeline, TeleopStatus, landmark_pipeline
from dofbot_ros.teleop.sessions.tracking_log import Sample, TrackingLog

DELAY_S = 0.03
"""From capture to observation, as a camera and MediaPipe take it [s]."""
GAP_STEP_M = 0.0005
"""Smaller changes of the gap are not worth a command [m]."""
VIEW = CameraConfig(
    field_of_view=0.72, position=(0.62, -0.58, 0.42), target=(0.12, 0.0, 0.13), up=(0.0, 0.0, 1.0), supersampling=1
)
"""Over the operator's right shoulder, as it were: table and arm as a whole."""


class SimSession:
    """One operator and one simulated arm, engaged whenever that is possible. Use it as a context.

    The same observations give the same path, however fast the machine is.

    Args:
        config: of teleoperation.
        seed: of the world; its table is empty.
    """

    def __init__(self, config: TeleopConfig, seed: int = 0) -> None:
        driver = DriverConfig()
        self._world = World(WorldConfig(marked=()), seed)
        backend = SimArm(self._world)
        self._daemon = ArmDaemon(backend, driver)
        self._clock = backend.clock
        kinematics = self._daemon.kinematics
        self._kinematics = kinematics
        by_key = replace(config, clutch=replace(config.clutch, signs=False))
        self._pipeline: TeleopPipeline[Observation] = landmark_pipeline(by_key, kinematics, self._daemon.workspace)
        self._period_s = 1.0 / config.control_rate_hz
        self._driver_period_s = 1.0 / driver.control_rate_hz
        self._driver_due_s = self._tick_s = self._clock.now()
        self._gap: float | None = None
        self._samples: list[Sample] = []
        self._start_s: float | None = None
        self._released = 0
        self._get_ready()

    def __enter__(self) -> SimSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._daemon.shutdown()
        self._world.close()

    @property
    def status(self) -> TeleopStatus:
        """How things stand."""
        return self._pipeline.status

    @property
    def shift_s(self) -> float:
        """From the stamps of the observations to the times of the path [s]."""
        return 0.0 if self._start_s is None else self._start_s - self._samples[0].time_s

    def observe(self, observation: Observation) -> Observation:
        """Run the arm until `observation` has been seen; its stamps may begin anywhere.

        Returns:
            The observation with its stamp on the session's clock.
        """
        if self._start_s is None:
            self._start_s = self._clock.now() - observation.stamp_s
        shifted = RecordedLandmarks([observation], self._start_s).read() or observation
        self._run_until(shifted.stamp_s + DELAY_S)
        self._pipeline.observe(shifted, self._clock.now())
        return shifted

    def finish(self, seconds: float = 1.0) -> TrackingLog:
        """Go on without observations for `seconds`, in which the arm comes to rest. Returns the log."""
        self._run_until(self._clock.now() + seconds)
        counts = self._daemon.snapshot().limited_counts
        # A stream that ends because the clutch let go is stale once, as it has to be.
        ended = min(self._released, counts.get("stale", 0))
        rejections = sum(n for reason, n in counts.items() if "limit" not in reason) - ended
        return TrackingLog.from_samples(self._samples, released=self._released, rejections=rejections)

    def render(self, width: int, height: int) -> ImageArray:
        """The arm as an onlooker sees it, RGB (height, width, 3)."""
        return SimCamera(self._world, VIEW.sized(width, height)).render()

    def _get_ready(self) -> None:
        """Connect, stiffen, take the starting pose, and let the soft start pass."""
        self._daemon.step()
        self._daemon.set_torque(True)
        joints = self._kinematics.solve(START)
        self._daemon.follow([3.0], [joints], joints=ARM_JOINTS)
        self._run_until(self._clock.now() + 4.0)
        result = self._daemon.snapshot().result
        if result is None or not result.succeeded:
            raise DofbotError(f"the simulated arm has not reached its start: {result.reason if result else 'moving'}")
        self._samples.clear()

    def _run_until(self, end_s: float) -> None:
        while self._tick_s + self._period_s <= end_s:
            self._tick_s += self._period_s
            self._clock.sleep_until(self._tick_s)
            self._tick(self._tick_s)

    def _tick(self, now: float) -> None:
        reading = self._daemon.snapshot().reading
        measured = reading.position if reading is not None else np.full(N_ARM + 1, np.nan)
        before = self._pipeline.status.engaged
        if self._start_s is not None:
            self._pipeline.engage()
        command = self._pipeline.step(measured, now)
        status = self._pipeline.status
        self._released += before and not status.engaged
        if command is not None:
            self._daemon.stream(command.stopping_point, now, ARM_JOINTS)
            if self._gap is not None and abs(command.gap - self._gap) > GAP_STEP_M:
                self._daemon.gripper(command.gap)
            if self._gap is None or abs(command.gap - self._gap) > GAP_STEP_M:
                self._gap = command.gap
        if now >= self._driver_due_s - 1e-9:
            self._driver_due_s = max(self._driver_due_s, now - self._driver_period_s) + self._driver_period_s
            self._daemon.step()
        tool = self._kinematics.forward(measured[:N_ARM])
        self._samples.append(
            Sample(now, status.engaged, status.target, command, measured, tool, joint_to_gap(float(measured[GRIP])))
        )
