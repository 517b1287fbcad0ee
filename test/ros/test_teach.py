"""`dofbot teach`: emulated servos are led by hand, and go the same way again; judged by where they truly are."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.arm.taught import load_taught
from dofbot_ros.core.realtime import realtime
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.emulation.servos import ModelServos
from dofbot_ros.ros.clients.arm_client import ArmClient, background_client
from dofbot_ros.supervisor import ProcessGroup

from .conftest import DOFBOT, PATIENT, READY_S, SOON_S, node_command

NAMESPACE = "taught"
TEACH = [*DOFBOT, "teach", "--namespace", NAMESPACE]
LED_TICKS = 2500
"""Where a hand leads servo 1."""
PLACES = 30
"""Where the hand is on its way."""


@pytest.fixture(scope="module")
def servos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    link = tmp_path_factory.mktemp("bus") / "port"
    with (
        Emulator(ModelServos(now=time.monotonic()), link=link, first=True) as emulator,
        ProcessGroup([node_command("driver_node", NAMESPACE, port=link, **PATIENT)]) as driver,
    ):
        driver.wait_ready(READY_S)
        yield emulator


def lead(emulator: Emulator, to: int) -> None:
    """Turn servo 1 by hand, as slowly and evenly as a hand does: a motion that jerks can only be played slowly."""
    with realtime():
        for ticks in np.linspace(emulator.servos.link(1), to, PLACES):
            with emulator.lock:
                emulator.servos.turn_by_hand(1, float(ticks))
            time.sleep(0.05)


def test_the_arm_goes_the_way_that_a_hand_led_it(servos: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "wave.yaml"
    with background_client(ArmClient, namespace=NAMESPACE) as client:
        client.wait_connected(READY_S)
        client.enable()
        teaching = subprocess.Popen([*TEACH, "record", str(file)], stdin=subprocess.PIPE, text=True)
        client.wait_until(lambda: client.state == "IDLE", READY_S, "free arm")
        lead(servos, LED_TICKS)
        client.wait_until(lambda: bool(client.position[0] > 0.6), SOON_S, "the way")
        teaching.communicate("\n", timeout=READY_S)
        assert teaching.returncode == 0
        client.wait_until(lambda: client.state == "HOLD", SOON_S, "holding arm")
        motion = load_taught(file)
        assert 2 <= len(motion.points) < PLACES  # how many depends on how evenly this process gets its turns
        assert motion.positions[-1][0] == pytest.approx(client.position[0], abs=0.05)
        client.move_joints([0.0] * 5)
        again = subprocess.run([*TEACH, "play", str(file), "--speed", "0.12"], check=False, timeout=READY_S)
        assert again.returncode == 0
        with servos.lock:
            assert servos.servos.link(1) == pytest.approx(LED_TICKS, abs=12)


def test_a_motion_that_is_too_fast_is_refused_with_what_to_do(servos: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "fast.yaml"
    rows = [f"- {{seconds: {s}, joints_deg: [{a}, 0, 0, 0, 0], gap_mm: 30}}" for s, a in ((0.0, 0), (0.1, 60))]
    file.write_text("points:\n" + "\n".join(rows) + "\n")
    done = subprocess.run([*TEACH, "play", str(file)], capture_output=True, text=True, check=False, timeout=READY_S)
    assert done.returncode == 1
    assert "fast.yaml at speed 1: joint1 would need" in done.stderr
