"""Servos whose play, delay, speed and droop are known are told from their recorded motion."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.calibration.fitting.gravity import gravity_load
from dofbot_ros.calibration.identification import identify, identify_file, place
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.hardware.emulation.servo_model import TICKS_PER_RAD, ServoModel, ServoModelConfig

STEP_S = 0.02


def sweeps() -> FloatArray:
    """Commands of joints 2 to 4, one after the other: to and fro with rests, slowly and faster; (n, 5) [rad]."""
    parts = []
    for seconds in (8.0, 3.0):
        n = round(seconds / STEP_S)
        triangle = np.interp(np.arange(n) / n, [0.0, 0.25, 0.75, 1.0], [0.0, 1.0, -1.0, 0.0])
        parts += [np.clip(1.4 * triangle, -1.0, 1.0)] * 2
    once = 0.7 * np.concatenate(parts)
    commands = np.zeros((3 * len(once) + 200, 5))
    for i, joint in enumerate((1, 2, 3)):
        commands[i * len(once) : (i + 1) * len(once), joint] = once
    commands[:, 1:4] += 0.2
    commands[-150:, 1] = 1.4
    return commands


def run(commands: FloatArray, config: ServoModelConfig, droop: float = 0.0) -> FloatArray:
    """What emulated servos read, their links giving way under gravity by `droop` at full load [rad]: (n, 5)."""
    start = DEFAULT_CALIBRATION.rad_to_ticks(np.append(commands[0], 0.0)).tolist()
    servos = [ServoModel(t, config) for t in start]
    read, q = np.zeros_like(commands), commands[0].copy()
    for i, command in enumerate(commands):
        now = (i + 1) * STEP_S
        ticks = DEFAULT_CALIBRATION.rad_to_ticks(np.append(command, 0.0)).tolist()
        load = gravity_load(DRAWN.kinematics, q[None])[0]
        for j in range(5):
            servos[j].command(ticks[j], 20, now)
            servos[j].feel(servos[j].reference(now) + droop * load[j] * TICKS_PER_RAD, now)
        q = DEFAULT_CALIBRATION.ticks_to_rad([s.position for s in servos])[:5]
        read[i] = q
    return read


@pytest.mark.parametrize(("backlash", "delay"), [(4.0, 0.01), (18.0, 0.05), (24.0, 0.10)])
def test_play_delay_and_speed_are_told(backlash: float, delay: float) -> None:
    commands, speed = sweeps(), 2.0
    config = ServoModelConfig(backlash_ticks=backlash, start_delay_s=delay, max_speed=speed * TICKS_PER_RAD)
    times = STEP_S * np.arange(1, len(commands) + 1)

    found = identify(times, commands, run(commands, config), DRAWN.kinematics)

    assert set(found) == {"joint2", "joint3", "joint4"}
    for one in found.values():
        assert one.play_rad == pytest.approx(backlash / TICKS_PER_RAD, abs=0.003)
        # Each command is a ramp of 20 ms, and so is half a step late on average.
        assert one.delay_s == pytest.approx(delay + 0.5 * STEP_S, abs=0.015)
        assert one.droop_rad == pytest.approx(0.0, abs=0.005)
    assert found["joint2"].max_speed == pytest.approx(speed, rel=0.05)
    assert found["joint3"].max_speed is None


def test_droop_is_told_apart_from_play() -> None:
    commands, droop = sweeps(), math.radians(2.0)
    config = ServoModelConfig(backlash_ticks=18.0)
    times = STEP_S * np.arange(1, len(commands) + 1)

    found = identify(times, commands, run(commands, config, droop), DRAWN.kinematics)

    assert found["joint2"].droop_rad == pytest.approx(droop, abs=math.radians(0.3))
    assert found["joint2"].play_rad == pytest.approx(18.0 / TICKS_PER_RAD, abs=0.005)


def test_an_exported_motion_is_placed_among_the_desks(tmp_path: Path) -> None:
    commands = sweeps()
    read = run(commands, ServoModelConfig(backlash_ticks=15.0))
    path = tmp_path / "motion.npz"
    times = STEP_S * np.arange(len(commands))
    np.savez(path, times=times, commands=commands, positions=np.column_stack([read, np.zeros(len(read))]))

    found = identify_file(path, "")

    assert found["play_deg_place"] == "between careful and typical"
    assert found["joints"]["joint2"]["play_deg"] == pytest.approx(15.0 / 12.2222, abs=0.2)


def test_motions_that_tell_nothing_are_refused(tmp_path: Path) -> None:
    times = STEP_S * np.arange(500)
    with pytest.raises(InputError, match="no joint moved to and fro"):
        identify(times, np.zeros((500, 5)), np.zeros((500, 5)), DRAWN.kinematics)
    with pytest.raises(InputError, match="needs at least 100 samples"):
        identify(times[:50], np.zeros((50, 5)), np.zeros((50, 5)), DRAWN.kinematics)
    np.savez(tmp_path / "x.npz", times=times)
    with pytest.raises(InputError, match="it lacks commands, positions"):
        identify_file(tmp_path / "x.npz", "")


def test_places() -> None:
    assert place("play_deg", 0.5) == "better than careful"
    assert place("droop_deg", 2.5) == "between typical and rough"
    assert place("play_deg", 9.0) == "worse than rough"
