"""driver_node on an emulated arm over a pty, in a ROS domain of its own; whoever commands it is a process, too."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.bench.faults.record import Commanded, Halt, Record
from dofbot_ros.bench.faults.rigs.rig import SETTLE_S, START, arm_joints
from dofbot_ros.core.dds import private_domain
from dofbot_ros.core.types import N_JOINTS
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import DofbotError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.emulation.servos import SERVO_IDS, ModelServos
from dofbot_ros.hardware.emulation.truth_log import Truth, TruthLog
from dofbot_ros.safety.states import ArmState
from dofbot_ros.supervisor import Command, ProcessGroup

READY_S = 60.0

Note = dict[str, Any]
"""A line that ros/probes/operator.py wrote."""


class RosRig:
    """The arm and its driver; ends all processes however its context ends.

    Args:
        priority: whether the driver asks for real-time priority.
    """

    def __init__(self, priority: bool = True) -> None:
        self._priority = priority
        self._stack = ExitStack()
        self._log = TruthLog()
        self._groups: dict[str, ProcessGroup] = {}
        self._results: dict[str, Path] = {}
        self._count = 0

    def __enter__(self) -> RosRig:
        with ExitStack() as stack:
            stack.enter_context(private_domain())
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dofbot_faults_")))
            now = time.monotonic()
            ticks = [float(t) for t in DEFAULT_CALIBRATION.rad_to_ticks(START)]
            servos = ModelServos(ticks, now=now, log=self._log)
            for servo in SERVO_IDS:
                servos.torque(servo, False, now)
            self._emulator = stack.enter_context(Emulator(servos, link=self.folder / "port", first=True))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start_driver(self) -> None:
        """Run driver_node and wait until it serves."""
        parameters = (f"port:={self.folder / 'port'}", "reconnect_s:=0.2", f"realtime:={str(self._priority).lower()}")
        words = ("--ros-args", *(word for parameter in parameters for word in ("-p", parameter)))
        self.start("driver_node", (sys.executable, "-m", "dofbot_ros.ros.nodes.driver_node", *words))

    def probe(self, name: str, part: str, *words: str) -> None:
        """Run an operator of ros/probes/operator.py; what it notes goes to notes(name)."""
        self._count += 1
        result = self._results[name] = self.folder / f"{self._count}.jsonl"
        result.touch()
        module = (sys.executable, "-m", "dofbot_ros.ros.probes.operator", part)
        self.start(name, (*module, "--name", name, "--result", str(result), *words))

    def flood(self, part: str, *words: str) -> Path:
        """Run a part of ros/probes/flood.py. Returns the file that it writes at its end."""
        result = self.folder / f"flood_{part}.json"
        module = (sys.executable, "-m", "dofbot_ros.ros.probes.flood", part)
        self.start(f"flooder of {part}", (*module, "--result", str(result), *words))
        return result

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Run a process and wait until it serves.

        Raises:
            DofbotError: it does not.
        """
        group = self._stack.enter_context(ProcessGroup([Command(name, tuple(argv))]))
        group.wait_ready(READY_S)
        self._groups[name] = group

    def kill(self, name: str) -> float:
        """End a process without a word to it (SIGKILL). Returns when [s]."""
        now = time.monotonic()
        os.kill(self._groups[name].pids()[name], signal.SIGKILL)
        return now

    def end(self, name: str) -> None:
        """End a process in good order."""
        self._groups[name].close()

    def notes(self, name: str) -> list[Note]:
        """What an operator has noted so far."""
        lines = self._results[name].read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wait_for(self, name: str, key: str, at_most_s: float = READY_S) -> Note:
        """The first note of an operator that has `key`.

        Raises:
            DofbotError: none within `at_most_s` [s], or it failed before that.
        """
        end_s = time.monotonic() + at_most_s
        while time.monotonic() < end_s:
            for note in self.notes(name):
                if key in note:
                    return note
                if "failed" in note and key != "done":
                    raise DofbotError(f"{name}: {note['failed']}")
            time.sleep(0.02)
        raise DofbotError(f"{name} noted no {key!r} within {at_most_s:g} s")

    def truth(self) -> Truth:
        """What the servos did so far."""
        with self._emulator.lock:
            return self._log.truth()


def record_of(
    operators: Sequence[tuple[Sequence[Note], float]], halts: Sequence[Halt] = (), onset_s: float | None = None
) -> Record:
    """The record of operators, from what each has noted and until when what it sends counts as asked for [s].

    An emergency stop is the end of what any of them asks for.
    """
    notes = [note for told, _ in operators for note in told]
    stops = [Halt(float(note["t"]), "estop") for note in notes if "estop" in note]
    stop_s = min((halt.time_s for halt in stops), default=np.inf)
    commands = [
        command
        for told, until_s in operators
        for note in told
        if (command := _command(note)) is not None
        and (command.time_s < min(until_s, stop_s) or command.kind == "trajectory")
    ]
    states = [(float(n["t"]), ArmState(n["state"]), "") for n in sorted(notes, key=_time) if n.get("state")]
    onset = stop_s if onset_s is None else onset_s
    recovered = any("recovered" in note for note in notes)
    return Record(
        commands=sorted(commands, key=lambda command: command.time_s),
        halts=sorted([*halts, *stops], key=lambda halt: halt.time_s),
        states=states,
        onset_s=onset,
        end_s=onset,
        recovered=recovered,
    )


def _time(note: Note) -> float:
    return float(note["t"])


def _command(note: Note) -> Commanded | None:
    config, time_s = DriverConfig(), float(note["t"])
    if "point" in note:
        rows, kind, lasts_s = [note["point"]], "stream", config.command_timeout_s
    elif "trajectory" in note:
        rows, kind, lasts_s = note["trajectory"], "trajectory", note["seconds"] + config.soft_start_s
    else:
        return None
    points = np.array([np.append(row, START[-1]) for row in rows], dtype=np.float64).reshape(-1, N_JOINTS)
    return Commanded.of(time_s, points, time_s + lasts_s + SETTLE_S, kind, arm_joints())
