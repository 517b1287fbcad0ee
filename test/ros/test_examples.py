"""Every program in examples/ runs, and prints what it is about."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SAYS = {
    "first_motion": "the fingers are 30 mm apart",
    "watch": "IDLE   joints",
    "draw_circle": "the tool kept within",
    "hold_something": "holds nothing",
    "stop_in_the_middle": "the motion ended early: stopped",
}

pytest.importorskip("pybullet")


def test_every_example_is_listed_here() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs(name: str) -> None:
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), "sim"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120.0, check=False)
    assert done.returncode == 0, done.stderr
    assert SAYS[name] in done.stdout


def test_a_backend_that_does_not_exist_is_one_clear_line() -> None:
    program = "import dofbot_ros\nwith dofbot_ros.connect('simm'): pass"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60.0, check=False)
    assert "backend 'simm' is not one of" in done.stderr
