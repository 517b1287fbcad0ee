"""A driver in a process of its own on an emulated arm over a pty, in real time: what virtual time cannot show."""

from __future__ import annotations

import heapq
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.bench.faults.record import Halt
from dofbot_ros.bench.faults.rigs.rig import START, Rig
from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.realtime import realtime
from dofbot_ros.core.types import JOINT_NAMES, FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servos import SERVO_IDS, ModelServos
from dofbot_ros.hardware.emulation.truth_log import TruthLog
from dofbot_ros.safety.authority import LOCAL, Commander
from dofbot_ros.safety.states import ArmState

ANSWER_S = 5.0
"""A command that is not answered by then counts as refused [s]."""
END_S = 20.0


class PtyPorts:
    """The emulator's cable."""

    def __init__(self, emulator: Emulator) -> None:
        self.taken = False
        self._emulator = emulator

    def unplug(self) -> None:
        """Pull the cable."""
        self._emulator.unplug()

    def plug_in(self, name: str | None = None) -> None:
        """Put the cable back, under another name in the same folder or its own."""
        link = Path(self._emulator.port)
        self._emulator.plug_in(link.with_name(Path(name).name) if name else None)


class RemoteDriver:
    """The driver's commands, carried out in its process; what it says comes to `hear`."""

    def __init__(self, config: DriverConfig, first: bool, hear: Callable[[dict[str, Any]], None]) -> None:
        options = {
            "port": config.port,
            "on_exit": config.on_exit,
            "protocol": config.protocol,
            "reconnect_s": config.reconnect_s,
            "first": first,
        }
        command = [sys.executable, "-m", "dofbot_ros.bench.faults.rigs.driver_process", json.dumps(options)]
        # It leads a session of its own, as a driver_node does in a stack: its threads go before those of others.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._hear = hear
        self._answers: dict[int, str] = {}
        self._answered = threading.Condition()
        self._writing = threading.Lock()
        self._number = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def follow(
        self,
        times: ArrayLike,
        positions: ArrayLike,
        velocities: ArrayLike | None = None,
        joints: Sequence[str] = JOINT_NAMES,
    ) -> None:
        """Start a trajectory."""
        self._ask("follow", _plain(times), _plain(positions), _plain(velocities), list(joints))

    def stream(
        self, position: ArrayLike, stamp_s: float, joints: Sequence[str] = JOINT_NAMES, by: Commander = LOCAL
    ) -> None:
        """Follow a point."""
        if by is not LOCAL:
            raise CommandRefusedError("this process speaks for one commander only")
        self._ask("stream", _plain(position), stamp_s, list(joints))

    def twist(self, linear: ArrayLike, angular: ArrayLike, stamp_s: float) -> None:
        """Move the tool with a velocity."""
        self._ask("twist", _plain(linear), _plain(angular), stamp_s)

    def gripper(self, gap_m: float) -> None:
        """Open or close to a gap."""
        self._ask("gripper", gap_m)

    def home(self) -> None:
        """Move upright."""
        self._ask("home")

    def stop(self) -> None:
        """Brake and hold."""
        self._ask("stop")

    def set_torque(self, enabled: bool) -> None:
        """Hold, or let go."""
        self._ask("set_torque", enabled)

    def freedrive(self, enabled: bool) -> None:
        """Let the arm be led by hand, or hold it."""
        self._ask("freedrive", enabled)

    def reset_estop(self) -> None:
        """Allow commands again."""
        self._ask("reset_estop")

    def clear_fault(self) -> None:
        """Forget the fault."""
        self._ask("clear_fault")

    def estop(self) -> float:
        """Stop; nobody waits for an answer. Returns when the signal was sent [s].

        What comes before is not the driver's lateness: looking whether a process runs lets go of the interpreter's
        lock, which other threads here may keep for long, and an ordinary thread may be put off by other programs.
        """
        running = self.process.poll() is None
        with realtime():
            sent_s = time.monotonic()
            if running:
                os.kill(self.process.pid, signal.SIGUSR1)
        return sent_s

    def end(self) -> int:
        """End the process in good order. Returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return code

    def shout(self, call: str, *arguments: object) -> None:
        """Send a command and do not wait for its answer."""
        self._send({"call": call, "arguments": arguments})

    def _ask(self, call: str, *arguments: object) -> None:
        with self._answered:
            self._number += 1
            number = self._number
        self._send({"id": number, "call": call, "arguments": arguments})
        with self._answered:
            if not self._answered.wait_for(lambda: number in self._answers, ANSWER_S):
                raise CommandRefusedError(f"{call} was not answered within {ANSWER_S:g} s")
            refused = self._answers.pop(number)
        if refused:
            raise CommandRefusedError(refused)

    def _send(self, command: dict[str, Any]) -> None:
        stdin = self.process.stdin
        if stdin is None or self.process.poll() is not None:
            raise DofbotError(f"the driver's process has ended with exit code {self.process.returncode}")
        try:
            with self._writing:
                stdin.write(json.dumps(command) + "\n")
                stdin.flush()
        except OSError as error:
            raise DofbotError(f"the driver's process is gone: {error}") from error

    def _read(self) -> None:
        for line in self.process.stdout or ():
            said = json.loads(line)
            if "id" in said:
                with self._answered:
                    self._answers[said["id"]] = said["refused"]
                    self._answered.notify_all()
            else:
                self._hear(said)


class ProcessRig(Rig):
    """One arm on a pty, one driver in a process, and the machine's clock.

    Args:
        folder: for the port's name.
        seed: decides what faults do by chance.
        config: of the driver; its port is replaced.
        start: where the arm stands [rad] (6,).
        first: whether the driver asks for real-time priority.
    """

    def __init__(
        self,
        folder: Path,
        seed: int = 0,
        config: DriverConfig | None = None,
        start: FloatArray = START,
        *,
        first: bool = True,
    ) -> None:
        self._clock = MonotonicClock()
        log, now = TruthLog(), self._clock.now()
        servos = ModelServos([float(t) for t in DEFAULT_CALIBRATION.rad_to_ticks(start)], now=now, log=log)
        for servo in SERVO_IDS:
            servos.torque(servo, False, now)
        faults = FaultPlan(rng=np.random.default_rng(seed))
        given = config or DriverConfig()
        self.emulator = Emulator(servos, given.protocol, faults=faults, link=folder / "ttyUSB0", first=True)
        super().__init__(DriverConfig(**{**given.__dict__, "port": self.emulator.port}), faults, servos, log)
        self._ports = PtyPorts(self.emulator)
        self._first = first
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0
        self._driver_state = ArmState.DISCONNECTED
        self._stopped_until_s = -np.inf
        self._news = threading.Lock()
        self.late_ms: deque[float] = deque(maxlen=100_000)
        """Latenesses of the loop's wake-ups [ms]."""
        self.remote: RemoteDriver

    def __enter__(self) -> ProcessRig:
        self.emulator.start()
        self.start_driver()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remote.end()
        self.emulator.close()

    def start_driver(self) -> None:
        """Begin with a new driver."""
        self._driver_state = ArmState.DISCONNECTED
        self.remote = RemoteDriver(self.config, self._first, self._hear)

    def kill_driver(self) -> None:
        """End the driver's process without a word to it (SIGKILL)."""
        self.remote.process.kill()
        self.remote.process.wait()
        self.watch(self.now, ArmState.DISCONNECTED, "killed")

    @property
    def driver(self) -> RemoteDriver:
        """Where commands go."""
        return self.remote

    @property
    def ports(self) -> PtyPorts:
        """Where the cable is."""
        return self._ports

    @property
    def state(self) -> ArmState:
        """What the driver said last that it is doing."""
        return self._driver_state

    @property
    def now(self) -> float:
        """On the machine's steady clock [s]."""
        return self._clock.now()

    def run(self, seconds: float) -> None:
        """Let `seconds` pass [s]; what is due happens in this thread."""
        end_s = self.now + seconds
        while True:
            due_s = self._due[0][0] if self._due else end_s
            if due_s >= end_s:
                self._clock.sleep_until(end_s)
                return
            self._clock.sleep_until(due_s)
            heapq.heappop(self._due)[2]()

    def at(self, time_s: float, event: Callable[[], object]) -> None:
        """Let `event` happen at `time_s` [s]."""
        self._count += 1
        heapq.heappush(self._due, (time_s, self._count, event))

    def between_cycles(self, time_s: float, command: Callable[[], object]) -> None:
        """Give `command` at `time_s` [s]; the driver's own threads see to the rest."""
        self.at(time_s, command)

    def stand(self, seconds: float) -> None:
        """Stop the driver's process for `seconds` [s]."""
        process = self.remote.process
        process.send_signal(signal.SIGSTOP)
        self._stopped_until_s = self.now + seconds
        # In a thread of its own: this one may wait for an answer of the process meanwhile.
        threading.Timer(seconds, lambda: process.send_signal(signal.SIGCONT)).start()

    def tamper(self, event: Callable[[], object]) -> None:
        """Let `event` happen to servos, line or ports, while the emulator's thread waits."""
        with self.emulator.lock:
            event()

    def estop(self) -> None:
        """Send an emergency stop; a process that stands gets it when it goes on."""
        if self.now < self._stopped_until_s:
            self.at(self._stopped_until_s + 0.001, self.estop)
            return
        self.record.halts.append(Halt(self.remote.estop(), "estop"))

    def _hear(self, said: dict[str, Any]) -> None:
        with self._news:
            if "state" in said:
                self._driver_state = ArmState(said["state"])
                self.watch(float(said["t"]), self._driver_state, str(said["reason"]))
            else:
                self.late_ms.extend(said["late_ms"])

    def wait_connected(self, at_most_s: float = 60.0) -> None:
        """Return when the driver has found its arm.

        Raises:
            DofbotError: it has not.
        """
        end_s = self.now + at_most_s
        while self.state is ArmState.DISCONNECTED:
            if self.now > end_s:
                raise DofbotError(f"the driver has not found its arm within {at_most_s:g} s")
            time.sleep(0.02)


def _plain(values: ArrayLike | None) -> object:
    return None if values is None else np.asarray(values, dtype=np.float64).tolist()
