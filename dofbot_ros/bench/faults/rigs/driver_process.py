"""A driver in a process of its own, without ROS: commands come as lines of JSON, answers and states go out as such.

Each line in has `call` and `arguments`, and `id` where an answer is wanted. Commands are carried out in order by
one thread, as an executor does; `spam` is trajectories without end in a thread of its own. SIGUSR1 is the emergency
stop: it stands in no queue. Lines out have `t` [s], and `id` with `refused` ("" when carried out), or `state` with
`reason`, or `late_ms`, the latenesses of the loop's wake-ups since the last such line.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.realtime import before_ordinary_programs, realtime
from dofbot_ros.core.types import GRIP, JOINT_NAMES
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.serial_backend import serial_backend
from dofbot_ros.driver.snapshot import Snapshot
from dofbot_ros.errors import DofbotError

CALLS = frozenset(
    ("follow", "stream", "twist", "gripper", "home", "stop", "set_torque", "freedrive", "reset_estop", "clear_fault")
)
REPORT_CYCLES = 50
"""Latenesses are told every so many cycles."""


class DriverProcess:
    """Runs a daemon's loop in the main thread until the end of its input, or a signal."""

    def __init__(self, config: DriverConfig) -> None:
        clock = MonotonicClock()
        self._daemon = ArmDaemon(serial_backend(config, DEFAULT_CALIBRATION, clock), config)
        self._stopping = threading.Event()
        self._lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._commands: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._state = ("", "")
        self._cycles = 0

    def run(self, first: bool) -> None:
        """Serve; `first` asks for real-time priority."""
        for work in (self._listen, self._carry_out, self._speak):
            threading.Thread(target=work, daemon=True).start()
        if first:
            with realtime():
                self._daemon.run(self._stopping.is_set, self._after_cycle)
        else:
            self._daemon.run(self._stopping.is_set, self._after_cycle)
        self._tell(self._daemon.snapshot())
        time.sleep(0.1)  # lets the writer finish

    def estop(self) -> None:
        """Trip the emergency stop."""
        self._daemon.estop("fault matrix")

    def stop(self) -> None:
        """End in good order."""
        self._stopping.set()

    def _after_cycle(self, snapshot: Snapshot, rate: Rate) -> None:
        self._tell(snapshot)
        self._cycles += 1
        if self._cycles % REPORT_CYCLES == 0:
            late_ms = [round(1e3 * late, 3) for late in rate.lateness_s()[-REPORT_CYCLES:]]
            self._lines.put({"t": time.monotonic(), "late_ms": late_ms})

    def _tell(self, snapshot: Snapshot) -> None:
        state = (snapshot.state.value, snapshot.reason)
        if state != self._state:
            self._state = state
            self._lines.put({"t": time.monotonic(), "state": state[0], "reason": state[1]})

    def _listen(self) -> None:
        for line in sys.stdin:
            command = json.loads(line)
            if command["call"] in CALLS:
                self._commands.put(command)
            elif command["call"] == "spam":
                threading.Thread(target=self._spam, args=command["arguments"], daemon=True).start()
        self.stop()

    def _spam(self, count: int, seconds: float) -> None:
        """Command trajectories of `count` points, one after the other, for so many `seconds` [s]."""
        times = np.arange(1, count + 1) * 1e-3
        points = np.zeros((count, GRIP))
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            with suppress(DofbotError):
                self._daemon.follow(times, points, None, JOINT_NAMES[:GRIP])

    def _carry_out(self) -> None:
        while True:
            command = self._commands.get()
            call: Callable[..., object] = getattr(self._daemon, command["call"])
            refused = ""
            try:
                call(*command["arguments"])
            except DofbotError as error:
                refused = str(error)
            if "id" in command:
                self._lines.put({"t": time.monotonic(), "id": command["id"], "refused": refused})

    def _speak(self) -> None:
        while True:
            sys.stdout.write(json.dumps(self._lines.get()) + "\n")
            sys.stdout.flush()


def main() -> None:
    """Serve the arm that the configuration on the command line describes, as one JSON object."""
    options = json.loads(sys.argv[1])
    first = bool(options.pop("first", True))
    if first:
        before_ordinary_programs()
    process = DriverProcess(DriverConfig(**options))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: process.stop())
    signal.signal(signal.SIGUSR1, lambda *_: process.estop())
    process.run(first)
    sys.stdout.flush()
    os._exit(0)  # threads that wait for input or commands have nothing to put in order


if __name__ == "__main__":
    main()
