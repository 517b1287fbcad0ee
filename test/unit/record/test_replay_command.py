"""`dofbot replay` and `dofbot export`: exit codes, one line for what is wrong, Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from command_line import dofbot_here

import dofbot_ros.record
from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.errors import DependencyError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.emulation.servos import SERVO_IDS
from dofbot_ros.safety.stop_line import Address, StopLine, ask, ros_domain
from dofbot_ros.safety.stop_sender import STOP

from .episodes import episode, state, stream, text

DOFBOT = (sys.executable, "-c", "from dofbot_ros.cli.main import main; main()")


@pytest.mark.slow
def test_json_has_the_measured_keys_and_nothing_else_is_on_stdout(tmp_path: Path) -> None:
    path = episode(tmp_path, [state(0.02 * i, [0.001 * i] * 6) for i in range(50)])
    command = [*DOFBOT, "replay", str(path), "--backend", "sim", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {"duration_s", "points", "clamped", "rms_error_rad"} <= set(result)
    assert result["duration_s"] == pytest.approx(0.98, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["missing", "no mcap", "no arm"])
@pytest.mark.parametrize("command", ["replay", "export"])
def test_a_file_that_is_no_episode_is_one_line_and_exit_code_1(tmp_path: Path, kind: str, command: str) -> None:
    path = tmp_path / "x.mcap"
    if kind == "no mcap":
        path.write_text("a text that is long enough to be anything")
    elif kind == "no arm":
        path = episode(tmp_path, [text(0.0, "HOLD")])
    words = ["--backend", "sim"] if command == "replay" else [str(tmp_path / "out.npz")]
    done = dofbot_here(command, path, *words)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    says = {"missing": "No such file", "no mcap": "is no MCAP file", "no arm": "does not say how the arm moved"}
    assert says[kind] in done.stderr
    assert done.stdout == ""


@contextmanager
def playing(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Emulator]]:
    """A replay that turns joint 1 from 0.4 to 1.4 rad, where it has just passed 0.5, and the servos."""
    path = episode(tmp_path, [stream(0.02 * i, [0.4 + 0.005 * i, 0, 0, 0, 0]) for i in range(200)])
    with Emulator() as emulator:
        command = [*DOFBOT, "replay", str(path), "--backend", "serial", "--port", str(emulator.port)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            deadline = time.monotonic() + 40.0
            while joint1(emulator) < 0.5:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield process, emulator
        finally:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_ctrl_c_brings_the_arm_to_rest_and_exits_130(tmp_path: Path) -> None:
    with playing(tmp_path) as (process, emulator):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 130, err
        assert "Traceback" not in err
        assert out == ""
        assert 0.5 < joint1(emulator) < 1.3


@pytest.mark.slow
def test_dofbot_estop_stops_it(tmp_path: Path) -> None:
    with playing(tmp_path) as (process, emulator):
        owner = ask(Address(ros_domain()), STOP)
        assert owner is not None
        assert (owner.node, owner.pid) == ("replay", process.pid)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 1
        assert len(err.strip().splitlines()) == 1
        assert re.fullmatch(r"dofbot: the replay ended after \d+\.\d s: ESTOP: dofbot estop", err.strip())
        assert out == ""
        assert 0.5 < joint1(emulator) < 1.0
        with emulator.lock:
            assert all(emulator.servos.torque_on(servo) for servo in SERVO_IDS)


@pytest.mark.slow
def test_it_is_refused_beside_the_node_of_the_arm(tmp_path: Path) -> None:
    path = episode(tmp_path, [stream(0.02 * i, [0.4 + 0.005 * i, 0, 0, 0, 0]) for i in range(20)])
    with closing(StopLine(Address(ros_domain()), "driver_node", lambda: None)):
        done = dofbot_here("replay", path, "--backend", "emulator")
    assert done.returncode == 1
    assert "driver_node (process " in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def joint1(emulator: Emulator) -> float:
    """Where the first servo stands [rad]."""
    with emulator.lock:
        ticks = [emulator.servos.position(servo, time.monotonic()) for servo in SERVO_IDS]
    return float(DEFAULT_CALIBRATION.ticks_to_rad(ticks)[0])


def test_without_the_mcap_libraries_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dofbot_ros.record, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"'\.\[teleop\]'"):
        dofbot_ros.record.require_mcap()
