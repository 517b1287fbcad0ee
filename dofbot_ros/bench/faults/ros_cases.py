"""The cells of the matrix that take driver_node and real DDS: an emergency stop by service, also under a flood."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.bench.faults.case import Case, Outcome
from dofbot_ros.bench.faults.judge import Rules, judge
from dofbot_ros.bench.faults.record import Commanded, Halt, Record
from dofbot_ros.bench.faults.rig import SETTLE_S, START, arm_joints
from dofbot_ros.errors import DofbotError
from dofbot_ros.hardware.emulator import Emulator
from dofbot_ros.hardware.servos import SERVO_IDS, ModelServos
from dofbot_ros.hardware.truth_log import TruthLog
from dofbot_ros.service.config import DriverConfig
from dofbot_ros.supervisor import Command, ProcessGroup

STREAM_S = 3.0
ESTOP_S = 1.5
READY_S = 60.0
FLOOD_S = 20.0
DDS_S = 0.010
"""From one process to another over DDS, beside what the rule allows the driver [s]."""


def run_ros() -> Iterator[Outcome]:
    """Run these cells one after the other; none where ROS is not installed."""
    if importlib.util.find_spec("rclpy") is None:
        return
    for name, flooded in (("none, over ROS", False), ("flood at 1 kHz on every topic", True)):
        yield run_one(name, flooded)


def run_one(name: str, flooded: bool) -> Outcome:
    """driver_node on a pty; an operator streams over DDS and calls estop in the middle of it.

    Raises:
        DofbotError: a process did not start, or ended early.
    """
    environment = {**os.environ, "ROS_DOMAIN_ID": str(random.SystemRandom().randrange(1, 100))}
    log, now = TruthLog(), time.monotonic()
    servos = ModelServos([float(t) for t in DEFAULT_CALIBRATION.rad_to_ticks(START)], now=now, log=log)
    for servo in SERVO_IDS:
        servos.torque(servo, False, now)
    with tempfile.TemporaryDirectory(prefix="dofbot_faults_") as folder:
        link, result = Path(folder) / "port", Path(folder) / "result.json"
        with Emulator(servos, link=link, first=True) as emulator:
            with ProcessGroup(_commands(link, result, flooded), environment) as group:
                _wait_for(result, group)
                time.sleep(1.0)
            with emulator.lock:
                truth = log.truth()
        record = read_record(json.loads(result.read_text()))
    rules = Rules(estop_s=Rules.estop_s + DDS_S)
    judgement = judge(truth, record, rules)
    return Outcome(Case("ACTIVE stream", name, "estop"), judgement, record.onset_s, False, None, (), ())


def read_record(told: dict[str, object]) -> Record:
    """The record of an operator, from what nodes/fault_probe.py has written."""
    config = DriverConfig()
    points = np.array(told["points"], dtype=np.float64)
    stop_s = float(str(told["estop_s"]))
    commands = [
        Commanded.of(
            float(row[0]),
            np.append(row[1:], START[-1])[None],
            float(row[0]) + config.command_timeout_s + SETTLE_S,
            "stream",
            arm_joints(),
        )
        for row in points
        if row[0] < stop_s  # what is sent after it counts as asked for no more
    ]
    return Record(commands=commands, halts=[Halt(stop_s, "estop")], onset_s=stop_s, end_s=stop_s)


def _commands(link: Path, result: Path, flooded: bool) -> list[Command]:
    module = (sys.executable, "-m", "dofbot_ros.nodes.fault_probe")
    words = ("--ros-args", "-p", f"port:={link}", "-p", "reconnect_s:=0.2")
    operator = ("operator", str(STREAM_S), "--estop", str(ESTOP_S), "--result", str(result))
    commands = [
        Command("driver_node", (sys.executable, "-m", "dofbot_ros.nodes.driver_node", *words)),
        Command("operator", (*module, *operator), required=False),
    ]
    if flooded:
        commands.append(Command("flooder", (*module, "flood", str(FLOOD_S)), required=False))
    return commands


def _wait_for(path: Path, group: ProcessGroup) -> None:
    deadline_s = time.monotonic() + READY_S
    while not path.exists():
        ended = [e for e in group.ended() if e.command.required or e.code != 0]
        if ended or time.monotonic() > deadline_s:
            raise DofbotError(f"{ended[0]} early" if ended else f"the operator was not done within {READY_S:g} s")
        time.sleep(0.05)
