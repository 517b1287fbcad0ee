"""A driver on an emulated arm in virtual time: the real loop, the real bytes, no waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.bench.faults.record import Commanded, Halt
from dofbot_ros.bench.faults.rigs.rig import PORT, START, Rig, arm_joints
from dofbot_ros.core.clock import EventClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import GRIP, FloatArray
from dofbot_ros.driver.config import PARK, DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.serial_backend import serial_backend
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servos import SERVO_IDS, ModelServos
from dofbot_ros.hardware.emulation.truth_log import TruthLog
from dofbot_ros.hardware.port.servo_line import ServoLine
from dofbot_ros.hardware.port.virtual_port import VirtualPorts
from dofbot_ros.safety.states import ArmState

PARKED_S = 6.0
"""From the beginning of its end to a driver that has parked its arm [s]."""
LOCKED_S = 0.02
"""A real thread that calls estop() is waited for so long [s]: what takes longer stands before a lock."""


class VirtualRig(Rig):
    """One arm, one driver, one clock.

    Args:
        seed: decides what faults do by chance.
        config: of the driver.
        start: where the arm stands [rad] (6,).
        holding: whether the servos have torque before the driver comes.
    """

    def __init__(
        self,
        seed: int = 0,
        config: DriverConfig | None = None,
        start: FloatArray = START,
        *,
        holding: bool = False,
    ) -> None:
        self.clock = EventClock(1000.0)
        log, now = TruthLog(), self.clock.now()
        servos = ModelServos([float(t) for t in DEFAULT_CALIBRATION.rad_to_ticks(start)], now=now, log=log)
        for servo in SERVO_IDS:
            servos.torque(servo, holding, now)
        super().__init__(config or DriverConfig(port=PORT), FaultPlan(rng=np.random.default_rng(seed)), servos, log)
        self.line = ServoLine(servos, self.config.protocol, faults=self.faults, now=now)
        self._ports = VirtualPorts(self.line, self.clock, PORT)
        self.daemon = self._new_driver()
        self._rate = Rate(self.clock, self.config.control_rate_hz)
        self._waiting: list[Callable[[], object]] = []
        self._threads: list[threading.Thread] = []
        self._stopped_until_s = -np.inf
        self._switching = False

    def _new_driver(self) -> ArmDaemon:
        arm = serial_backend(
            self.config, DEFAULT_CALIBRATION, self.clock, open_port=self._ports.open, ports=self._ports.listed
        )
        return ArmDaemon(arm, self.config)

    @property
    def driver(self) -> ArmDaemon:
        """Where commands go."""
        return self.daemon

    @property
    def ports(self) -> VirtualPorts:
        """Where the cable is."""
        return self._ports

    @property
    def state(self) -> ArmState:
        """What the driver says that it is doing."""
        return self.daemon.snapshot().state

    @property
    def now(self) -> float:
        """On the clock of driver and servos [s]."""
        return self.clock.now()

    def run(self, seconds: float) -> None:
        """Let the driver's loop run for `seconds` [s]; what is due comes between its cycles or in the middle of one."""
        end_s = self.now + seconds
        while self.now < end_s:
            waiting, self._waiting = self._waiting, []
            for command in waiting:
                command()
            snapshot = self.daemon.step()
            self.watch(self.now, snapshot.state, snapshot.reason)
            self.stand(self.cycle_pause_s)
            self._rate.wait()

    def at(self, time_s: float, event: Callable[[], object]) -> None:
        """Let `event` happen at `time_s` [s], in the middle of whatever is under way."""
        self.clock.at(time_s, event)

    def between_cycles(self, time_s: float, command: Callable[[], object]) -> None:
        """Give `command` at `time_s` [s] as a thread does that waits for the daemon's lock: between two cycles.

        A switch of torque holds the bus, not that lock: a command that comes meanwhile is answered at once.
        """
        self.clock.at(time_s, lambda: command() if self._switching else self._waiting.append(command))

    def torque(self, enabled: bool) -> None:
        """Call set_torque(); this lets time pass."""
        with self._switch():
            super().torque(enabled)

    def freedrive(self, enabled: bool) -> None:
        """Call freedrive(); this lets time pass."""
        with self._switch():
            super().freedrive(enabled)

    @contextmanager
    def _switch(self) -> Iterator[None]:
        self._switching = True
        try:
            yield
        finally:
            self._switching = False

    def stand(self, seconds: float) -> None:
        """Stop the driver's process for `seconds` [s], in the middle of whatever it does; the world goes on."""
        self._stopped_until_s = self.now + seconds
        self.clock.advance(seconds)

    def tamper(self, event: Callable[[], object]) -> None:
        """Let `event` happen to servos, line or ports."""
        event()

    def estop(self) -> None:
        """Call estop() from a thread of its own, as an executor does: it must not wait for the driver's cycle."""
        if self.now < self._stopped_until_s:
            self.at(self._stopped_until_s, self.estop)
            return
        self.record.halts.append(Halt(self.now, "estop"))
        thread = threading.Thread(target=self.daemon.estop, args=("fault matrix",), daemon=True)
        thread.start()
        thread.join(LOCKED_S)
        self._threads.append(thread)

    def shut_down(self) -> None:
        """End the driver as its on_exit says, which is to park; this lets time pass."""
        here = self.true()
        points = np.vstack([here, np.append(np.array(PARK[:GRIP]), here[GRIP])])
        self.note(Commanded.of(self.now, points, self.now + PARKED_S, "park", arm_joints()))
        self.daemon.shutdown()
        snapshot = self.daemon.snapshot()
        self.watch(self.now, snapshot.state, snapshot.reason)

    def restart(self) -> None:
        """Begin with a new driver, as after the process has ended; its operator names the port that is there now."""
        self.config = replace(self.config, port=self._ports.name or self.config.port)
        self.daemon = self._new_driver()
        self._state = None

    def close(self) -> None:
        """Wait for threads that the driver had kept waiting."""
        for thread in self._threads:
            thread.join(timeout=5.0)
