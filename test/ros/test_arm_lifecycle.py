"""How the arm's nodes end, and what happens when the plug is pulled."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.driver.config import PARK
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.ros.clients.driver_parameters import driver_parameters
from dofbot_ros.supervisor import ProcessGroup

from .conftest import PATIENT, READY_S, SOON_S, node_command


def end(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C and return what the process said on stderr."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60.0)[1]


def spawn(name: str, namespace: str, **parameters: object) -> subprocess.Popen[str]:
    command = node_command(name, namespace, **parameters)
    return subprocess.Popen(command.argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["sim_node", "camera_node", "block_localizer_node"])
def test_a_signal_ends_a_node_with_exit_code_0(name: str, number: int, capfd: pytest.CaptureFixture[str]) -> None:
    with ProcessGroup([node_command(name, f"end_{name}")]) as group:
        group.wait_ready(READY_S)
        os.kill(group.pids()[name], number)
        deadline = time.monotonic() + READY_S
        while not (ended := group.ended()) and time.monotonic() < deadline:
            time.sleep(0.02)
    assert [exit_.code for exit_ in ended] == [0]
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(("on_exit", "holds"), [("hold", True), ("park", False), ("release", False)])
def test_on_exit_is_applied_before_the_driver_ends(tmp_path: Path, on_exit: str, holds: bool) -> None:
    namespace = f"exit_{on_exit}"
    with (
        Emulator(link=tmp_path / "port", first=True) as emulator,
        background_client(ArmClient, namespace=namespace) as client,
    ):
        process = spawn("driver_node", namespace, port=tmp_path / "port", on_exit=on_exit, **PATIENT)
        client.wait_connected(READY_S)
        client.switch("enable_torque", True)
        client.move([0.8], [[0.2, 0.2, 0.2, 0.2, 0.0, 0.0]])
        said = end(process)
        with emulator.lock:
            now = time.monotonic()
            emulator.servos.step(now)
            ticks = np.array([emulator.servos.position(servo, now) for servo in emulator.servos.ids])
            powered = [emulator.servos.torque_on(servo) for servo in emulator.servos.ids]
    assert process.returncode == 0, said
    assert powered == [holds] * 6
    rest = PARK if on_exit == "park" else (0.2, 0.2, 0.2, 0.2, 0.0)
    np.testing.assert_allclose(DEFAULT_CALIBRATION.ticks_to_rad(ticks)[:5], rest[:5], atol=0.05)


def test_a_pulled_plug_is_told_and_the_arm_comes_back(tmp_path: Path) -> None:
    command = node_command("driver_node", "plug", port=tmp_path / "port", **PATIENT)
    with (
        Emulator(link=tmp_path / "port", first=True) as emulator,
        ProcessGroup([command]),
        background_client(ArmClient, namespace="plug") as client,
    ):
        client.wait_connected(READY_S)
        client.switch("enable_torque", True)
        client.wait_until(lambda: client.state == "HOLD", SOON_S, "rest")
        emulator.unplug()
        client.wait_until(lambda: client.state == "DISCONNECTED", SOON_S, "loss of the port")
        with pytest.raises(CommandRefusedError, match="not connected"):
            client.trigger("home")
        emulator.plug_in()
        client.wait_until(lambda: client.state == "IDLE", SOON_S, "arm after it is plugged in again")
        client.switch("enable_torque", True)
        client.home()


def urdf(client: ArmClient) -> str:
    """The arm's description as it was told last, "" before that."""
    return client.described.model.urdf if client.described.model else ""


def test_a_driver_that_was_there_before_its_emulator_has_the_full_speed_of_it(tmp_path: Path) -> None:
    command = node_command("driver_node", "early", port=tmp_path / "port", reconnect_s=0.2, stale_read_s=3.0)
    with ProcessGroup([command]) as group, background_client(ArmClient, namespace="early") as client:
        group.wait_ready(READY_S)
        client.wait_until(lambda: client.state == "DISCONNECTED" and bool(client.diagnostics), SOON_S, "word")
        assert client.diagnostics["arm"]["speed"] == "0.2"  # whatever comes may be a real arm
        with Emulator(link=tmp_path / "port", first=True):
            client.wait_connected(READY_S)
            client.wait_until(lambda: client.diagnostics["arm"]["speed"] == "1", SOON_S, "full speed")
            assert driver_parameters(client, "speed_in_use") == [1.0]
            client.wait_until(lambda: 'velocity="1.6"' in urdf(client), SOON_S, "description with the full speed")
            request = SetParameters.Request(parameters=[Parameter("speed_in_use", value=0.5).to_parameter_msg()])
            [result] = client.call(SetParameters, "driver_node/set_parameters", request).results
            assert result.reason == "speed_in_use is told by the node and cannot be set"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"control_rate_hz": -1.0}, "control_rate_hz must be 20 to 200, got -1.0"),
        ({"on_exit": "prak"}, "'prak' is not one of hold, park, release (did you mean park?)"),
        ({"calibration_file": "/nowhere.yaml"}, "/nowhere.yaml: cannot be read"),
    ],
)
def test_a_wrong_parameter_ends_the_node_with_one_line(parameters: dict[str, object], message: str) -> None:
    command = node_command("driver_node", "wrong", **parameters)
    done = subprocess.run(command.argv, capture_output=True, text=True, timeout=60.0, check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
