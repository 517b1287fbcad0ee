"""The arms that a replay can be played on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Literal

from dofbot_ros.arm.backend import ArmBackend
from dofbot_ros.arm.calibration import Calibration, calibration_of
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.clock import Clock
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.first_time import permitted
from dofbot_ros.driver.serial_backend import serial_backend
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.safety.stop_line import Address, StopLine, ros_domain

BackendName = Literal["sim", "emulator", "serial"]


@contextmanager
def open_arm(name: BackendName, config: DriverConfig) -> Iterator[tuple[ArmDaemon, Clock]]:
    """The daemon of an arm, not connected yet, and the arm's clock. At the end it comes to rest as on_exit says.

    On the stop line it stands where the arm's node would: `dofbot estop` stops it.

    Args:
        name: sim, a simulated arm that runs as fast as the machine does; emulator, six emulated servos on a pseudo
            serial port; serial, the arm on config.port.
        config: of the daemon, and of the port where there is one.

    Raises:
        DofbotError: the arm's node runs, or another replay; or no such port.
        CommandRefusedError: a recording may not be played on this arm yet.
    """
    calibration = calibration_of(config.calibration_file)
    with ExitStack() as stack:
        backend = _backend(name, config, calibration, stack)
        daemon = ArmDaemon(backend, config, Robot.calibrated(calibration))
        if name != "sim":
            _stop_line(daemon, stack)
        stack.callback(daemon.shutdown)
        yield daemon, backend.clock


def _stop_line(daemon: ArmDaemon, stack: ExitStack) -> None:
    """Heard until the arm has come to rest: the stack closes it after the daemon."""

    def state() -> tuple[str, str]:
        snapshot = daemon.snapshot()
        return snapshot.state.value, snapshot.reason

    stack.callback(StopLine(Address(ros_domain()), "replay", lambda: daemon.estop("dofbot estop"), state).close)


def _backend(name: BackendName, config: DriverConfig, calibration: Calibration, stack: ExitStack) -> ArmBackend:
    if name == "sim":
        from dofbot_ros.sim.arm import SimArm
        from dofbot_ros.sim.world import World

        world = World()
        stack.callback(world.close)
        return SimArm(world, calibration=calibration)
    if name == "emulator":
        from dofbot_ros.hardware.emulation.emulator import Emulator

        config = replace(config, port=stack.enter_context(Emulator(protocol=config.protocol, first=True)).port)
    allowed, slower = permitted(config, calibration)
    if slower:
        raise CommandRefusedError(
            "nobody has checked that this arm's joints turn the right way, and a recording is played at its own speed: "
            "run `dofbot arm check`, and name the file that it writes by --calibration-file"
        )
    return serial_backend(allowed, calibration)
