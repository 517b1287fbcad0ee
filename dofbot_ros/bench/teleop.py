"""How late and how often the simulated arm is told what an operator does, over ROS."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from dofbot_ros.core.console import console
from dofbot_ros.errors import DofbotError
from dofbot_ros.teleop.input.observation_stream import ENDED
from dofbot_ros.teleop.input.source import check_source
from dofbot_ros.teleop.sessions.report import TeleopReport

if TYPE_CHECKING:
    from dofbot_ros.ros.teleop.client import Running

FIRST_S = 20.0
"""The first observation comes within this [s]."""
POLL_S = 0.05
LIMITS = "limit"
"""The governor's reasons that are clamping: position, velocity and acceleration limit."""


def measure(source: str, seconds: float = float("inf")) -> dict[str, Any]:
    """Let teleop_node follow the hand in a video, with the simulated arm, and listen from a third process.

    Args:
        source: a video file, at its own rate; or anything else that teleop_node takes.
        seconds: stop after so long; otherwise at the end of the file [s].

    Returns:
        latency_ms: p50 and p95 from a frame's capture stamp to the arrival of the first command that follows it [ms];
        commands_per_s: such commands, each for a frame of its own, a second, while the arm followed;
        frames: how many the camera gave; dropped: those that a newer one replaced before they were looked at;
        hand_found: share of the frames looked at that showed a hand; let_go: how often following ended before the end;
        rejections: commands refused, and control cycles in which the governor did more than clamp to limits.

    Raises:
        DofbotError: no such source, or nothing was followed.
    """
    from dofbot_ros.ros.teleop.client import teleop_stack

    check_source(source)
    arguments = {"source": _path(source), "backend": "sim", "auto_engage": "true"}
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting the teleop stack")
        with teleop_stack(arguments, to_start=True) as stack:
            progress.update(task, description="following")
            return _listen(stack, seconds, lambda text: progress.update(task, description=text))


def _listen(stack: Running, seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    client = stack.client
    arrivals = client.command_arrivals()
    first: dict[float, TeleopReport] = {}
    last: TeleopReport | None = None
    let_go = rejections = 0

    def note_report() -> None:
        nonlocal last, let_go
        report = client.report
        if report is None or report is last:
            return
        if report.engaged:
            first.setdefault(report.stamp_s, report)
        elif last is not None and last.engaged and not report.source:
            let_go += 1
        last = report

    client.on_report = note_report
    start = time.monotonic()
    while time.monotonic() - start < seconds and not (last is not None and last.source == ENDED):
        stack.check()
        if not (last is not None and last.frames) and time.monotonic() - start > FIRST_S:
            raise DofbotError(f"nothing was seen within {FIRST_S:g} s: {last.source if last else 'no status'}")
        if last is not None:
            say(f"following: {last.frames} frames, {1e3 * last.latency_s:.0f} ms")
            if last.engaged:
                rejections = _rejections(client.diagnostics)
        time.sleep(POLL_S)
    client.on_report = lambda: None
    if last is None or len(first) < 2:
        seen = f"{last.hands} hands in {last.frames} frames, {last.dropped} of them dropped" if last else "no status"
        raise DofbotError(f"nothing was followed: no hand in time for a second ({seen}); is the machine busy?")
    followed = sorted((arrivals[s], report.captured_s) for s, report in first.items() if s in arrivals)
    came_s, captured_s = np.array(followed).T
    p50, p95 = np.percentile(1e3 * (came_s - captured_s), [50, 95])
    return {
        "latency_ms": {"p50": float(p50), "p95": float(p95)},
        "commands_per_s": (len(came_s) - 1) / float(came_s[-1] - came_s[0]),
        "frames": last.frames,
        "dropped": last.dropped,
        "hand_found": last.hands / max(1, last.frames - last.dropped),
        "let_go": let_go,
        "rejections": rejections,
    }


def _rejections(diagnostics: Mapping[str, Mapping[str, str]]) -> int:
    arm = diagnostics.get("arm", {})
    governed = sum(int(n) for key, n in arm.items() if key.startswith("limited cycles") and LIMITS not in key[14:])
    return governed + int(diagnostics.get("commands", {}).get("refused", "0"))


def _path(source: str) -> str:
    return str(Path(source).resolve()) if Path(source).exists() else source
