"""How soon `dofbot estop` stops a moving arm: from the start of the command to servos that truly rest."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import track

from dofbot_ros.core.console import console
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.hardware.emulation.servo_model import TICKS_PER_RAD
from dofbot_ros.safety import stop_sender
from dofbot_ros.supervisor import Command, ProcessGroup

if TYPE_CHECKING:
    from dofbot_ros.hardware.emulation.truth_log import Truth
    from dofbot_ros.ros.clients.arm_client import ArmClient

SENDER = Path(stop_sender.__file__)
WAYS = {
    "installed": (sys.executable, "-I", "-S", str(SENDER), "--namespace", "bench"),
    "command": (sys.executable, "-c", "from dofbot_ros.cli.entry import main; main()", "estop", "--namespace", "bench"),
    "ros": (sys.executable, "-c", "from dofbot_ros.ros.clients.connect import stop_now; stop_now('bench')"),
}
"""`dofbot estop` as `make install-user` puts it on the PATH, the command of the virtual environment itself, and the
same stop as a call of the ROS service by a program that was not running."""
READY_S, WATCH_S, ATTEMPTS = 60.0, 6.0, 4
UNDERWAY_RAD = 0.15
"""So far joint 1 has turned when the stop is asked for [rad]."""
SWING_RAD, SWING_S = 1.4, 7.0
"""The motion that is stopped: slow enough to last until the slower way has stopped it [rad], [s]."""
WINDOW_S = 0.04
"""Speeds are taken over this time [s]."""
SLOWED, RESTED = 0.8, 0.05
"""Shares of the speed before: braking has begun, the arm rests."""


def measure(trials: int = 10, ways: tuple[str, ...] = tuple(WAYS)) -> dict[str, Any]:
    """Stop a joint in the middle of its motion, again and again, judged by the emulated servos' truth.

    The driver is a process of its own on emulated servos at 115200 baud.

    Args:
        trials: of each way.
        ways: of WAYS.

    Returns:
        For each way p50 and max of: done_s, until the command has ended; braking_s, until the servo is truly slower;
        rest_s, until it truly rests, all from the start of the command's process [s]. latched: how many of all stops
        held the state ESTOP, refused a motion, and let none happen afterwards. trials.

    Raises:
        DofbotError: the driver does not run, or a command fails.
    """
    from dofbot_ros.core.dds import private_domain
    from dofbot_ros.hardware.emulation.emulator import Emulator
    from dofbot_ros.hardware.emulation.servos import ModelServos
    from dofbot_ros.hardware.emulation.truth_log import TruthLog
    from dofbot_ros.ros.clients.arm_client import ArmClient, background_client

    log, latched = TruthLog(), 0
    times: dict[str, list[tuple[float, float, float]]] = {way: [] for way in ways}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dofbot_bench_")))
        stack.enter_context(private_domain())
        servos = ModelServos(now=time.monotonic(), log=log)
        emulator = stack.enter_context(Emulator(servos, link=folder / "port", first=True))
        driver = stack.enter_context(ProcessGroup([_driver(folder / "port")]))
        driver.wait_ready(READY_S)
        arm = stack.enter_context(background_client(ArmClient, namespace="bench"))
        arm.wait_connected(READY_S)
        jobs = [way for _ in range(trials) for way in ways]
        for way in track(jobs, "stopping", console=console, transient=True):
            arm.reset()
            arm.enable()
            arm.home()
            with emulator.lock:
                log.take()
            begun_s, done_s = _stop_moving(arm, WAYS[way])
            latched += _latched(arm)
            with emulator.lock:
                truth = log.take()
            braking_s, rest_s = stopped(truth, begun_s)
            times[way].append((done_s - begun_s, braking_s - begun_s, rest_s - begun_s))
    names = ("done_s", "braking_s", "rest_s")
    figures = {
        way: {
            name: {"p50": float(np.median(column)), "max": float(np.max(column))}
            for name, column in zip(names, np.array(rows).T, strict=True)
        }
        for way, rows in times.items()
    }
    return {**figures, "latched": latched, "trials": trials * len(ways)}


def stopped(truth: Truth, begun_s: float) -> tuple[float, float]:
    """When servo 1 truly began to brake, and when it truly rested for good [s].

    Args:
        truth: from before the stop until after it.
        begun_s: when the stop was asked for [s].

    Raises:
        DofbotError: it did not move at that time, or never came to rest.
    """
    place = truth.links[:, 0] / TICKS_PER_RAD
    speed = np.abs(_speed(truth.time_s, place))
    before = float(np.median(speed[(truth.time_s > begun_s - WINDOW_S) & (truth.time_s < begun_s)]))
    after = truth.time_s > begun_s
    # The last time that it was fast: a driver that a busy machine keeps waiting makes it slower for a moment, too.
    fast, moving = speed >= SLOWED * before, after & (speed > RESTED * before)
    if before < 0.02 or not moving.any() or moving[-1]:
        raise DofbotError(f"no stop to measure: joint1 moved at {before:.3f} rad/s, and then at {speed[-1]:.3f} rad/s")
    return max(begun_s, float(truth.time_s[fast][-1])), float(truth.time_s[moving][-1])


def _speed(time_s: FloatArray, place: FloatArray) -> FloatArray:
    """Over the WINDOW_S that ends at each sample [rad/s]."""
    earlier = np.interp(time_s - WINDOW_S, time_s, place)
    speed: FloatArray = (place - earlier) / WINDOW_S
    return speed


def _stop_moving(arm: ArmClient, command: tuple[str, ...]) -> tuple[float, float]:
    """Swing joint 1, and stop it on its way. Returns when the command began and when it had ended [s]."""
    _swing(arm)
    begun_s = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise DofbotError(f"{' '.join(command)} failed: {done.stderr.strip()}")
    done_s = time.monotonic()
    arm.wait_until(lambda: arm.state == "ESTOP", WATCH_S, "emergency stop")
    return begun_s, done_s


def _swing(arm: ArmClient) -> None:
    """Return while joint 1 is on its way. A motion that a busy machine has paused is begun anew."""
    for attempt in range(ATTEMPTS):
        arm.send_trajectory([SWING_S], [[SWING_RAD]], ["joint1"])
        try:
            arm.wait_until(lambda: bool(arm.position[0] > UNDERWAY_RAD), WATCH_S, "motion")
            return
        except DofbotError:
            if attempt == ATTEMPTS - 1:
                raise


def _latched(arm: ArmClient) -> bool:
    """Whether a motion is refused, and nothing has moved a moment later."""
    from dofbot_ros.errors import CommandRefusedError

    arm.rest(0.5)
    before = arm.position.copy()
    try:
        arm.move([1.0], [[0.0]], ["joint1"])
    except CommandRefusedError as refusal:
        arm.rest(0.5)
        return "ESTOP" in str(refusal) and arm.state == "ESTOP" and bool(np.abs(arm.position - before).max() < 0.005)
    return False


def _driver(port: Path) -> Command:
    words = ("-r", "__ns:=/bench", "-p", f"port:={port}", "-p", "stale_read_s:=3.0")  # a busy machine is no loose cable
    return Command("driver_node", (sys.executable, "-m", "dofbot_ros.ros.nodes.driver_node", "--ros-args", *words))
