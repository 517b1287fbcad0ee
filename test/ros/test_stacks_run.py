"""`dofbot up`: quick to be ready, ended by Ctrl-C, and never a process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

DOFBOT = (sys.executable, "-c", "from dofbot_ros.cli.main import main; main()")

StartStack = Callable[..., "tuple[subprocess.Popen[str], list[psutil.Process]]"]


@pytest.fixture
def up() -> Iterator[StartStack]:
    """Start a stack, wait until it says `ready`, return it and all processes below it."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
        process = subprocess.Popen(
            [*DOFBOT, "up", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        started.append(process)
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("ready"):
                return process, psutil.Process(process.pid).children(recursive=True)
        pytest.fail(f"never ready: {''.join(said)}")

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=5.0)


def left(processes: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    """Those that still run after `within_s` [s]."""
    return psutil.wait_procs(processes, timeout=within_s)[1]


@pytest.mark.parametrize(
    ("words", "nodes"),
    [
        (["sim"], {"sim_node", "block_localizer_node"}),
        (["demo", "backend:=emulator"], {"world_node", "driver_node", "block_localizer_node"}),
        (["bringup", "backend:=sim"], {"sim_node"}),
        (["grasp"], {"sim_node", "grasp_node"}),
    ],
)
def test_a_stack_gets_ready_and_ctrl_c_leaves_nothing(
    up: StartStack, words: list[str], nodes: set[str], tmp_path: Path
) -> None:
    arguments = [f"emulator_port:={tmp_path / 'port'}"] if "backend:=emulator" in words else []
    stack, processes = up(*words, *arguments)
    commands = [" ".join(p.cmdline()) for p in processes]
    assert {n for n in nodes if any(f"dofbot_ros.ros.nodes.{n} " in c for c in commands)} == nodes
    stack.send_signal(signal.SIGINT)
    said = stack.communicate(timeout=60.0)[1]
    assert stack.returncode == 130, said
    assert "Traceback" not in said
    assert not left(processes, 0.0)


def test_a_stack_that_is_killed_takes_its_nodes_with_it(up: StartStack) -> None:
    stack, processes = up("sim")
    stack.kill()
    assert not left(processes, 30.0)


def test_the_end_of_a_required_node_is_the_end_of_the_stack(up: StartStack) -> None:
    stack, processes = up("sim")
    node = next(p for p in processes if "dofbot_ros.ros.nodes.sim_node" in p.cmdline())
    os.kill(node.pid, signal.SIGKILL)
    said = stack.communicate(timeout=60.0)[1]
    assert stack.returncode == 1
    assert "sim_node ended (killed by SIGKILL)" in said
    assert not left(processes, 30.0)


def test_the_end_of_another_node_is_told_and_the_others_go_on(up: StartStack, tmp_path: Path) -> None:
    stack, processes = up("bringup", "backend:=sim", f"camera:={tmp_path}")
    camera = next(p for p in processes if "dofbot_ros.ros.nodes.camera_node" in p.cmdline())
    os.kill(camera.pid, signal.SIGKILL)
    assert stack.stderr is not None
    assert any("camera_node ended" in line for line in stack.stderr)
    assert stack.poll() is None


def test_a_node_that_cannot_start_is_named(tmp_path: Path) -> None:
    command = [*DOFBOT, "up", "bringup", "backend:=sim", f"calibration_file:={tmp_path / 'none.yaml'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60.0, check=False)
    assert done.returncode == 1
    assert "none.yaml: cannot be read" in done.stderr
    assert "sim_node ended (exit code 1) before it was ready" in " ".join(done.stderr.split())
