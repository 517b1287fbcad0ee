"""The rehearsal: bytes on a pty move the simulated arm, through the driver that also moves the real one."""

from __future__ import annotations

import time

import numpy as np
import pytest

from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.sim.servos import WorldServos
from dofbot_ros.sim.world import World

GOAL = np.array([0.4, 0.3, 0.2, 0.3, -0.4, 0.8])
LIMIT_S = 60.0


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["bus", "se"])
def test_bytes_on_the_wire_move_the_simulated_joints(protocol: str) -> None:
    world = World(WorldConfig(marked=()))
    with Emulator(WorldServos(world), protocol) as emulator:
        arm = SerialArm(emulator.port, protocol)
        assert arm.connect().position == pytest.approx(np.zeros(6), abs=0.02)
        arm.write(GOAL, 0.5)
        deadline = time.monotonic() + LIMIT_S
        while not np.allclose(arm.read().position, GOAL, atol=0.03):
            assert time.monotonic() < deadline, f"stuck at {arm.read().position}"
        assert world.arm.positions() == pytest.approx(GOAL, abs=0.03)
        arm.close()
