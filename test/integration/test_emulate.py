"""`dofbot emulate` as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from command_line import dofbot_here

from dofbot_ros.core.rate import Rate
from dofbot_ros.errors import PortError
from dofbot_ros.hardware.serial_arm import SerialArm

COMMAND = [sys.executable, "-c", "from dofbot_ros.cli.main import main; main()", "emulate"]


@contextmanager
def emulate(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The port that the process prints, and the process; it is dead afterwards."""
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("protocol", ["bus", "se"])
def test_it_prints_a_port_that_answers(protocol):
    with emulate("--protocol", protocol) as (port, _):
        arm = SerialArm(port, protocol)
        assert arm.connect().fresh.all()
        arm.close()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_130_takes_its_link_with_it_and_the_arm_notices(tmp_path, ending):
    link = tmp_path / "dofbot"
    with emulate("--link", str(link)) as (port, process):
        assert port == str(link)
        arm = SerialArm(port)
        arm.connect()
        process.send_signal(ending)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert out == ""
        assert "Traceback" not in err
        assert not link.is_symlink()
        with pytest.raises(PortError, match="gone"):
            arm.read()
        arm.close()


def test_faults_named_on_the_command_line_happen():
    with emulate("--fault", "drop=0.05", "--fault", "heat=2", "--seed", "5") as (port, _):
        arm = SerialArm(port)
        arm.connect()
        for _ in range(50):
            reading = arm.read()
        arm.close()
        assert reading.health[1].overheated
        assert arm.stats().retries > 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--fault", "dorp=1"], "did you mean drop"),
        (["--fault", "jam=9"], "1 to 6"),
        (["--world", "sim", "--fault", "jam=2"], "--world none"),
        (["--link", "/proc/dofbot"], "cannot be made a link"),
    ],
)
def test_what_it_cannot_do_is_one_line_and_an_exit_code(options, says):
    result = dofbot_here("emulate", *options)
    assert result.returncode == (2 if "--fault" in options else 1)
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


def test_a_file_in_the_link_s_place_is_left_alone(tmp_path):
    notes = tmp_path / "notes"
    notes.write_text("mine")
    result = dofbot_here("emulate", "--link", str(notes))
    assert result.returncode == 1
    assert Path(notes).read_text() == "mine"


def test_bytes_move_the_simulated_arm():
    pytest.importorskip("pybullet", reason="--world sim needs pybullet")
    with emulate("--world", "sim") as (port, _):
        arm = SerialArm(port)
        start = arm.connect().position
        arm.torque(True)
        goal = start + np.array([0.4, 0.2, 0.0, 0.0, 0.3, 0.3])
        arm.write(goal, 0.5)
        rate, deadline = Rate(arm.clock, 50.0), arm.clock.now() + 8.0
        while not np.allclose(arm.read().position, goal, atol=0.03):
            assert arm.clock.now() < deadline
            rate.wait()
        arm.close()
