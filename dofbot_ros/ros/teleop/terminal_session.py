"""A session over ROS at a terminal: the stack, the keyboard where it steers, and a few lines on how it stands."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from rich.live import Live
from rich.table import Table

from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.console import console, live_region
from dofbot_ros.core.rate import Rate
from dofbot_ros.ros.clients.recorder import recorded
from dofbot_ros.ros.teleop.client import Running, teleop_stack
from dofbot_ros.teleop.config import TeleopConfig
from dofbot_ros.teleop.input.keyboard import Keyboard
from dofbot_ros.teleop.input.keyboard_pad import KeyboardPad
from dofbot_ros.teleop.input.observation_stream import ENDED
from dofbot_ros.teleop.input.source import DEVICES
from dofbot_ros.teleop.sessions.panel import panel
from dofbot_ros.teleop.sessions.report import TeleopReport

POLL_HZ = 30.0
REFRESH_EVERY = 6
"""Polls between two drawings of the table."""


class LiveSession:
    """One session. Use it as a context.

    Args:
        arguments: of the stack `teleop`.
        config: of teleoperation.
        to_start: take the arm to a bent pose first.
        seconds: end after so long; None: at the end of the source, or when interrupted [s].
        record: folder that gets the session as an episode; None: it is not recorded.
        domain: ROS domain of the session; one of its own when None.

    Raises:
        DofbotError: the stack does not start, or there is no terminal for the keyboard.
    """

    def __init__(
        self,
        arguments: dict[str, str],
        config: TeleopConfig,
        to_start: bool,
        seconds: float | None,
        *,
        record: Path | None = None,
        domain: int | None = None,
    ) -> None:
        self._record, self._domain = record, domain
        self._episode: Path | None = None
        self._arguments, self._config = dict(arguments), config
        self._to_start, self._seconds = to_start, seconds
        source = arguments["source"]
        self._source = "gamepad" if source.startswith("/dev/input/") else source
        self._keys: Callable[[float], None] = lambda _: None
        self._opened = ExitStack()
        self._latencies: deque[float] = deque(maxlen=100_000)
        self._sent: deque[float] = deque(maxlen=100)
        self._captured_s = 0.0
        self._engagements = 0
        self._last: TeleopReport | None = None

    def __enter__(self) -> LiveSession:
        try:
            self._opened.enter_context(live_region())
            keyboard: Keyboard | None = None
            if self._arguments["source"] == "keyboard":
                # The keys are read here, where the terminal is; the node hears them as a gamepad.
                keyboard = self._opened.enter_context(Keyboard(sys.stdin.fileno()))
                self._arguments["source"] = "joy"
            with console.status("starting the arm"):
                self._stack: Running = self._opened.enter_context(
                    teleop_stack(self._arguments, self._to_start, self._domain)
                )
            self._stack.client.on_report = self._note
            if self._record is not None:
                self._episode = self._opened.enter_context(recorded(self._record, label="teleop"))
            if keyboard is not None:
                self._keys = self._pad(keyboard)
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def run(self) -> dict[str, Any]:
        """Show how it stands until the end.

        Returns:
            engagements, latency_ms with p50 and p95 [ms], None where the arm never followed; of a camera frames,
            dropped and hand_found as well; and episode, the file of the recording where there is one.

        Raises:
            DofbotError: a node ended.
        """
        clock = MonotonicClock()
        rate, start, polls = Rate(clock, POLL_HZ), clock.now(), 0
        with Live(console=console, auto_refresh=False, transient=True) as live:
            while self._seconds is None or clock.now() - start < self._seconds:
                self._stack.check()
                self._keys(clock.now())
                if self._last is not None and self._last.source == ENDED:
                    break
                if polls % REFRESH_EVERY == 0:
                    live.update(self._table(), refresh=console.is_terminal)
                polls += 1
                rate.wait()
        return self._result()

    def _pad(self, keyboard: Keyboard) -> Callable[[float], None]:
        pad = KeyboardPad(keyboard, self._config.gamepad)

        def press(now_s: float) -> None:
            engaged = self._last is not None and self._last.engaged
            self._stack.client.joy(*pad.read(now_s, engaged))

        return press

    def _note(self) -> None:
        report = self._stack.client.report
        if report is None:
            return
        if report.engaged and report.captured_s != self._captured_s:
            self._captured_s = report.captured_s
            self._latencies.append(report.latency_s)
            self._sent.append(time.monotonic())
        self._engagements += report.engaged and not (self._last is not None and self._last.engaged)
        self._last = report

    def _table(self) -> Table:
        report = self._last
        recent = [t for t in self._sent if t > time.monotonic() - 1.0]
        pace = None
        if report is not None and report.engaged and recent:
            pace = (1e3 * float(np.median(list(self._latencies)[-len(recent) :])), len(recent))
        signs = self._config.clutch.signs
        return panel(report, self._source, self._config.mode, signs=signs, pace=pace)

    def _result(self) -> dict[str, Any]:
        report, pictures = self._last, {}
        if report is not None and self._source not in DEVICES:
            looked = max(1, report.frames - report.dropped)
            pictures = {"frames": report.frames, "dropped": report.dropped, "hand_found": report.hands / looked}
        p50, p95 = np.percentile(1e3 * np.array(self._latencies), [50, 95]) if self._latencies else (None, None)
        return {
            **pictures,
            "engagements": self._engagements,
            "latency_ms": {"p50": p50, "p95": p95},
            **({} if self._episode is None else {"episode": str(self._episode)}),
        }
