"""A TrialArm without ROS, with trouble on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.config.loader import load_yaml
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.desks.installation import install
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.timed_path import TimedPath
from dofbot_ros.sim.config import WorldConfig, load_world_config
from dofbot_ros.trials.arm import Look
from dofbot_ros.trials.direct import DirectArm as TroubleFree
from dofbot_ros.trials.placement import PickProtocol

TRIALS_DRIVER = DriverConfig(max_velocity=2.0, max_acceleration=16.0)
"""As the stack of the trials starts it: with the room that policies need."""


class DirectArm(TroubleFree):
    """Set the attributes to make trouble.

    Args:
        config: what is simulated.
        driver: of the daemon.
        calibration: of the servos, as true as it is told.

    Attributes:
        paths: of all motions that were asked for, the refused ones too.
        rejected: why the daemon refused motions.
        shifted: this block is seen 55 mm from where it is, in the first look.
        refusals: so many of the next motions are refused.
        hidden: nobody tells the true poses.
    """

    def __init__(
        self, config: WorldConfig, driver: DriverConfig | None = None, calibration: Calibration = DEFAULT_CALIBRATION
    ) -> None:
        own = install("own", 0, config)
        own = replace(own, calibration=calibration, belief=replace(own.belief, calibration=calibration))
        super().__init__(own, driver)
        self.paths: list[TimedPath] = []
        self.rejected: list[str] = []
        self.shifted, self.refusals, self.hidden = "", 0, False

    def follow(self, path: TimedPath) -> None:
        self.paths.append(path)
        if self.refusals:
            self.refusals -= 1
            raise CommandRefusedError("refused for a test")
        try:
            super().follow(path)
        except CommandRefusedError as error:
            self.rejected.append(str(error))
            raise

    def look(self) -> Look:
        look = super().look()
        if self.shifted:
            look.blocks[self.shifted] = transform(translation=(0.055, 0.0, 0.0)) @ look.blocks[self.shifted]
            self.shifted = ""
        return look

    def truth(self) -> dict[str, FloatArray] | None:
        return None if self.hidden else super().truth()


@pytest.fixture
def arm() -> Iterator[DirectArm]:
    pytest.importorskip("pybullet")
    direct = DirectArm(load_world_config())
    yield direct
    direct.close()


@pytest.fixture(scope="session")
def kit() -> PickProtocol:
    """The shipped protocol."""
    return load_yaml(PickProtocol, share_file("config", "trials.yaml"))


@pytest.fixture
def pick_arm(kit: PickProtocol) -> Iterator[DirectArm]:
    pytest.importorskip("pybullet")
    direct = DirectArm(kit.world(load_world_config()), TRIALS_DRIVER)
    yield direct
    direct.close()
