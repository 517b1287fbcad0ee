"""The three quick starts, walked: their commands as they stand in the pages, in order, in a folder of their own."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from dofbot_ros.supervisor import Command, ProcessGroup

from .conftest import DOFBOT, PATIENT, measured

pytest.importorskip("pybullet")
pytest.importorskip("serial")

DOCS = Path(__file__).resolve().parents[2] / "docs"
LIMIT_S = 100.0
"""More than any one command takes on a busy machine [s]."""
NOT_HERE = {
    "git clone ADDRESS_OF_THIS_REPOSITORY dofbot_ros && cd dofbot_ros": "this is the clone",
    "make install-user": "takes minutes; CI installs in its own way",
    "dofbot doctor": "fails by its nature where something is missing: test/unit/cli/test_doctor.py",
    "dofbot find-port": "lists what is plugged in: test/unit/cli/test_servos.py",
    "dofbot demo --trials 3 --out demo_out": "test/ros/test_demo.py",
    "dofbot teach record wave.yaml": "asks for a hand on the arm: test/ros/test_teach.py",
    "dofbot teach play wave.yaml --speed 0.5": "test/ros/test_teach.py",
    "dofbot teleop --source keyboard --backend serial --port /dev/ttyUSB0": "wants keys: test/ros/test_teleop.py",
    "dofbot teleop --source keyboard --record demos --seconds 60": "wants keys: test/ros/test_teleop.py",
    "dofbot policy train --task pick --demos demos --out pick_run": "wants demonstrations",
    "dofbot trials run --planner aruco --desk typical --out A": "test/ros/test_trials_run.py",
    "dofbot trials report A": "test/ros/test_trials_run.py",
}
"""Line of a page -> why it is not walked here, or where else it is."""
SMALLER = {
    "dofbot arm check": "--yes --seconds 0.8",
    "dofbot policy train --task reach --randomize wide --steps 20000 --out reach_run": "--steps 300",
    "dofbot policy evaluate --model reach_run --episodes 100": "--episodes 2 --workers 1",
}
"""Line of a page -> options that make it small; a later option counts."""


def lines(page: str) -> list[str]:
    """The commands of a page in their order, without their comments."""
    text = (DOCS / f"quickstart_{page}.md").read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)  # Python: test_snippets.py
    return [line.split("  #")[0].strip() for line in re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE)]


class Shell:
    """Terminals in one folder that is home, with an arm on an emulated bus.

    Args:
        folder: empty.
        port: of the emulated arm.
    """

    def __init__(self, folder: Path, port: str) -> None:
        self._folder, self._port = folder, port
        self._environment = {**os.environ, "HOME": str(folder), "OMP_NUM_THREADS": "1"}
        self._stack: subprocess.Popen[str] | None = None
        self._patient = folder / "patient.yaml"
        parameters = {"driver_node": {"ros__parameters": {"stale_read_s": PATIENT["stale_read_s"]}}}
        self._patient.write_text(yaml.safe_dump(parameters), encoding="utf-8")

    def walk(self, line: str) -> None:
        """Type one line; a stack goes on in a terminal of its own until the next one, or the end."""
        words = shlex.split(line.replace("/dev/ttyUSB0", self._port).replace("$HOME", str(self._folder)))
        assert words[0] == "dofbot", f"`{line}` is neither walked nor in NOT_HERE"
        command = [*DOFBOT, *words[1:], *shlex.split(SMALLER.get(line, ""))]
        if words[1] == "up":
            self.stop()
            self._start([*command, f"params_file:={self._patient}"] if "port:=/dev/ttyUSB0" in line else command)
            return
        done = measured(
            lambda: subprocess.run(
                command, cwd=self._folder, env=self._environment, input="\n", capture_output=True, text=True,
                timeout=LIMIT_S, check=False,
            )
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stderr}"

    def stop(self) -> None:
        """Ctrl-C in the stack's terminal."""
        if self._stack is not None:
            self._stack.send_signal(signal.SIGINT)
            self._stack.communicate(timeout=LIMIT_S)
            self._stack = None

    def _start(self, command: list[str]) -> None:
        self._stack = subprocess.Popen(
            command, cwd=self._folder, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, bufsize=1,
        )  # fmt: skip
        assert self._stack.stderr is not None
        said = []
        for said_line in self._stack.stderr:
            said.append(said_line)
            if said_line.startswith("ready"):
                assert "not connected" not in said_line
                return
        pytest.fail(f"never ready: {''.join(said)}")


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path}"
        time.sleep(0.02)


@contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    """A shell whose arm stands upright on an emulated bus."""
    link = folder / "ttyUSB0"
    with ExitStack() as running:
        emulator = Command("emulator", (*DOFBOT, "emulate", "--link", str(link)))
        running.enter_context(ProcessGroup([emulator]))
        _wait_for(link)
        made = Shell(folder, str(link))
        running.callback(made.stop)
        yield made


@pytest.mark.parametrize("page", ["owner", "student"])
def test_a_quick_start_is_walked(page: str, tmp_path: Path) -> None:
    with shell(tmp_path) as terminal:
        for line in lines(page):
            if line not in NOT_HERE:
                terminal.walk(line)
    if page == "owner":
        assert (tmp_path / ".config/dofbot/calibration.yaml").exists()


def test_the_stacks_of_the_ros_quick_start_start_by_its_arguments(tmp_path: Path) -> None:
    with shell(tmp_path) as terminal:
        for line in lines("ros"):
            found = re.fullmatch(r"ros2 launch dofbot_ros (\w+)\.launch\.py(.*)", line)
            if found and "--show-args" not in line:
                terminal.walk(f"dofbot up {found[1]}{found[2]}")


def test_what_is_not_walked_is_still_there() -> None:
    standing = {*lines("owner"), *lines("student")}
    assert standing >= {*NOT_HERE, *SMALLER}
