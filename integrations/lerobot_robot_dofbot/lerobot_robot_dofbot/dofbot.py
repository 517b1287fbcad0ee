"""Dofbot: observations and actions of LeRobot over dofbot_ros's arm client; the driver's governor limits all motion."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import Any

import numpy as np
from lerobot.cameras.utils import make_cameras_from_configs
from lerobot.robots.robot import Robot

import dofbot_ros
from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.errors import DofbotError
from lerobot_robot_dofbot.config_dofbot import DofbotConfig

NAMES = tuple(f"{name}.pos" for name in JOINT_NAMES)


class Dofbot(Robot):
    """One arm; positions of its six joints [rad].

    Args:
        config: which arm, and which cameras.
    """

    config_class = DofbotConfig
    name = "dofbot"

    def __init__(self, config: DofbotConfig) -> None:
        super().__init__(config)
        self.config = config
        self.cameras = make_cameras_from_configs(config.cameras)
        self._running = ExitStack()
        self._arm: dofbot_ros.ArmClient | None = None

    @cached_property
    def observation_features(self) -> dict[str, Any]:
        """Positions, and pictures (h, w, 3)."""
        pictures = {name: (one.height, one.width, 3) for name, one in self.config.cameras.items()}
        return {**dict.fromkeys(NAMES, float), **pictures}

    @cached_property
    def action_features(self) -> dict[str, Any]:
        """Positions to go to."""
        return dict.fromkeys(NAMES, float)

    @property
    def is_connected(self) -> bool:
        """Whether the arm and all cameras are."""
        return self._arm is not None and all(camera.is_connected for camera in self.cameras.values())

    @property
    def is_calibrated(self) -> bool:
        """Always: `dofbot calibrate` does it, and the driver reads its file."""
        return True

    def calibrate(self) -> None:
        """Nothing: see is_calibrated."""

    def configure(self) -> None:
        """Nothing: the driver does it."""

    def connect(self, calibrate: bool = True) -> None:  # noqa: ARG002 - LeRobot's signature
        """Start the arm's driver, or find the one that runs; the arm holds where it is.

        Raises:
            DofbotError: it cannot be had, and why.
        """
        if self._arm is not None:
            raise DofbotError(f"{self} is connected already")
        config = self.config
        arguments: dict[str, object] = {"port": config.port} if config.backend == "serial" else {}
        if config.max_velocity is not None:
            arguments["max_velocity"] = config.max_velocity
        with ExitStack() as running:
            arm = running.enter_context(dofbot_ros.connect(config.backend, namespace=config.namespace, **arguments))
            for camera in self.cameras.values():
                camera.connect()
                running.callback(camera.disconnect)
            self._running = running.pop_all()
        self._arm = arm

    def get_observation(self) -> dict[str, Any]:
        """Where the joints were read to be last [rad], and the newest picture of each camera."""
        positions = dict(zip(NAMES, self._connected().position.tolist(), strict=True))
        return {**positions, **{name: camera.async_read() for name, camera in self.cameras.items()}}

    def send_action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Send the arm on its way to an action; joints that it does not name stay. Returns what was sent [rad].

        Raises:
            DofbotError: not connected, or the action is no number.
        """
        arm = self._connected()
        goal = np.array([float(action.get(name, now)) for name, now in zip(NAMES, arm.position, strict=True)])
        if not np.isfinite(goal).all():
            raise DofbotError(f"the action is no number: {dict(zip(NAMES, goal.tolist(), strict=True))}")
        sent = np.clip(goal, arm.robot.lower, arm.robot.upper)
        arm.stream(sent)
        return dict(zip(NAMES, sent.tolist(), strict=True))

    def disconnect(self) -> None:
        """Let go of arm and cameras; the arm brakes and holds, and what was started for it ends."""
        self._arm = None
        self._running.close()

    def _connected(self) -> dofbot_ros.ArmClient:
        if self._arm is None:
            raise DofbotError(f"{self} is not connected")
        return self._arm
