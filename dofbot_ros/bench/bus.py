"""How fast the servo bus is: a full position sweep, and a control loop that reads all and writes all."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from rich.progress import Progress

from dofbot_ros.core.console import console
from dofbot_ros.core.parallel import ending_with_this_process
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.realtime import realtime
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.hardware.streamer import StreamConfig

LOOP_HZ = 50.0
SWEEP_SECONDS = 3.0
SWING = 0.3
"""Amplitude of the test motion of every joint [rad]."""


def measure(seconds: float = 20.0) -> dict[str, Any]:
    """Talk to an emulator in a process of its own, at 115200 baud.

    Every cycle of the loop reads all six servos and sends all six a new goal, in one sync-write frame: with six single
    writes a cycle would leave 3 ms of 20. Both ends ask for real-time priority.

    Returns:
        sweep: readings of all six positions as fast as they come: `hz`, how many a second; `median_hz`, one over the
            median time of a reading, which a busy machine changes less; `cpu_ms`, processor time of one;
        loop: `p50_lateness_ms`, `p99_lateness_ms` of its wake-ups, `lost` reads and writes given up, `seconds`, and
        beside them `retries`, `missed` deadlines, `writes` that went out, `busy_ms`, the median length of a cycle, and
        `realtime`, whether the system gave the loop real-time priority.
    """
    with _emulator() as port:
        arm = SerialArm(port, stream=StreamConfig(write_rate_hz=2 * LOOP_HZ, dead_band_ticks=1), sync_write=True)
        start = arm.connect().position
        try:
            with realtime() as permitted:
                sweep = _sweep(arm)
                arm.torque(True)
                loop = _loop(arm, start, seconds) | {"realtime": permitted}
        finally:
            arm.close()
    return {"sweep": sweep, "loop": loop}


def _sweep(arm: SerialArm) -> dict[str, float]:
    cpu_s, ends_s = time.thread_time(), [time.monotonic()]
    while ends_s[-1] - ends_s[0] < SWEEP_SECONDS:
        arm.read()
        ends_s.append(time.monotonic())
    sweeps = len(ends_s) - 1
    return {
        "hz": sweeps / (ends_s[-1] - ends_s[0]),
        "median_hz": 1.0 / float(np.median(np.diff(ends_s))),
        "cpu_ms": 1e3 * (time.thread_time() - cpu_s) / sweeps,
    }


def _loop(arm: SerialArm, start: FloatArray, seconds: float) -> dict[str, Any]:
    before = arm.stats()
    cycles, written = round(seconds * LOOP_HZ), 0
    busy = np.zeros(cycles)
    rate = Rate(arm.clock, LOOP_HZ, keep=cycles)
    # No refresh thread: drawing, it would hold the interpreter while the loop's deadline passes.
    with Progress(console=console, transient=True, auto_refresh=False) as progress:
        task = progress.add_task("50 Hz loop", total=cycles)
        for k in range(cycles):
            rate.wait()
            begin = arm.clock.now()
            arm.read()
            goal = start + SWING * _triangle((k + 1) / LOOP_HZ)
            written += int(arm.write(goal, rate.period_s).written.all())
            busy[k] = arm.clock.now() - begin
            progress.update(task, advance=1, refresh=k % LOOP_HZ == 0 and console.is_terminal)
    p50, p99 = 1e3 * np.percentile(rate.lateness_s(), [50, 99])
    after = arm.stats()
    return {
        "p50_lateness_ms": float(p50),
        "p99_lateness_ms": float(p99),
        "lost": after.lost - before.lost,
        "seconds": seconds,
        "retries": after.retries - before.retries,
        "missed": rate.missed,
        "writes": written,
        "busy_ms": 1e3 * float(np.median(busy)),
    }


def _triangle(seconds: float) -> float:
    """Between 0 and 1 and back in two seconds at an even speed, so that every cycle has a new goal for every servo."""
    return float(1.0 - abs(seconds % 2.0 - 1.0))


@contextmanager
def _emulator() -> Iterator[str]:
    """The port of `dofbot emulate` in another process, so that both ends have an interpreter of their own."""
    command = [sys.executable, "-c", "from dofbot_ros.cli.main import main; main()", "emulate"]
    # In a session of its own: a Ctrl-C is for us, and we end it.
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=ending_with_this_process(),  # noqa: PLW1509 - calls the kernel only, takes no lock
    ) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            if not port:
                raise DofbotError(f"the emulator's process ended with exit code {process.wait()}, without a port")
            yield port
        finally:
            process.terminate()
