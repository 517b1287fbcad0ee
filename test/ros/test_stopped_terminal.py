"""An arm's node goes on when its terminal is stopped (Ctrl-S): what it logs waits, the arm and its stop do not."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.supervisor import Command, ProcessGroup

from .conftest import DOFBOT, PATIENT, READY_S, SOON_S, node_command


class Terminal:
    """A driver_node on an emulator, in a terminal of its own."""

    def __init__(self, link: Path, namespace: str) -> None:
        self._shown, self.screen = pty.openpty()
        command = node_command("driver_node", namespace, port=link, **PATIENT)
        self.node = subprocess.Popen(command.argv, stdin=subprocess.DEVNULL, stdout=self.screen, stderr=self.screen)
        self._told = ""

    def told(self, wanted: str) -> bool:
        """Whether the terminal shows it, soon."""
        deadline = time.monotonic() + SOON_S
        while wanted not in self._told and time.monotonic() < deadline:
            if select.select([self._shown], [], [], 0.1)[0]:
                self._told += os.read(self._shown, 1 << 16).decode()
        return wanted in self._told

    def all(self) -> str:
        """What the terminal has shown by now."""
        while select.select([self._shown], [], [], 0.0)[0]:
            self._told += os.read(self._shown, 1 << 16).decode()
        return self._told

    def close(self) -> None:
        """End the node, and the terminal with it."""
        self.node.kill()
        self.node.wait()
        os.close(self.screen)
        os.close(self._shown)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[tuple[Terminal, ArmClient]]:
    with ExitStack() as running:
        link = tmp_path / "port"
        running.enter_context(ProcessGroup([Command("emulator", (*DOFBOT, "emulate", "--link", str(link)))]))
        terminal = Terminal(link, "stopped")
        running.callback(terminal.close)
        client = running.enter_context(background_client(ArmClient, namespace="stopped"))
        client.wait_connected(READY_S)
        yield terminal, client


@pytest.mark.skipif(sys.platform != "linux", reason="a pseudo terminal of Linux is stopped")
def test_a_stopped_terminal_stops_neither_the_arm_nor_its_emergency_stop(terminal: tuple[Terminal, ArmClient]) -> None:
    shown, client = terminal
    assert shown.told("ready")
    termios.tcflow(shown.screen, termios.TCOOFF)
    for _ in range(3):  # each of these logs a line, and more than one fits nowhere
        client.reset()
        client.enable()
        client.move_joints([0.2, 0.0, 0.0, 0.0, 0.0])
        client.move_joints([0.0] * 5)
        client.estop()
        client.wait_until(lambda: client.state == "ESTOP", SOON_S, "its emergency stop")
    termios.tcflow(shown.screen, termios.TCOON)
    assert shown.told("ESTOP")
    assert shown.told("\x1b["), "lines for a terminal have colours"
    shown.node.send_signal(signal.SIGINT)
    assert shown.told("shut down")
    assert shown.node.wait(SOON_S) == 0
    assert "leaked" not in shown.all()
