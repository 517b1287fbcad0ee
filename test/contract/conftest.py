"""One arm per backend, ready to be connected: what every test of the contract gets as `arm`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dofbot_ros.arm.backend import ArmBackend
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.hardware.wire.protocol import ProtocolName

BACKENDS = ("serial-bus", "serial-se", "sim")


@pytest.fixture(params=BACKENDS)
def arm(request: pytest.FixtureRequest) -> Iterator[ArmBackend]:
    if request.param == "sim":
        pytest.importorskip("pybullet", reason="the simulated arm needs pybullet")
        from dofbot_ros.sim.arm import SimArm
        from dofbot_ros.sim.world import World

        backend: ArmBackend = SimArm(World(seed=0))
        yield backend
        backend.close()
        return
    protocol: ProtocolName = "se" if request.param == "serial-se" else "bus"
    with Emulator(protocol=protocol, first=True) as emulator:
        backend = SerialArm(emulator.port, protocol)
        yield backend
        backend.close()
