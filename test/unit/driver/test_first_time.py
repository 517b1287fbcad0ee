"""An arm that nobody has watched moves slowly, on its whole way and whatever commands it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.first_time import FIRST_SPEED, is_real, permitted
from dofbot_ros.driver.motion_events import Event
from dofbot_ros.hardware.emulation.emulator import Emulator

CHECKED = replace(DEFAULT_CALIBRATION, signs_checked=True)


@pytest.mark.parametrize(
    ("asked", "calibration", "speed", "told"),
    [
        ({}, DEFAULT_CALIBRATION, FIRST_SPEED, True),
        ({"waive_check": True}, DEFAULT_CALIBRATION, 1.0, False),
        ({}, CHECKED, 1.0, False),
        ({"first_time": True}, CHECKED, FIRST_SPEED, False),
        ({"first_time": True, "speed": 0.1}, CHECKED, 0.1, False),
        ({"speed": 0.1}, DEFAULT_CALIBRATION, 0.1, False),
        ({"speed": 0.5}, DEFAULT_CALIBRATION, FIRST_SPEED, True),
        ({"speed": 0.5}, CHECKED, 0.5, False),
    ],
)
def test_a_real_arm_gets_its_speed_once_it_was_checked(asked, calibration, speed: float, told: bool) -> None:
    config, why = permitted(DriverConfig(**asked), calibration)
    assert config.speed == speed
    assert bool(why) is told
    if told:
        assert "`dofbot arm check`" in why


def test_an_emulated_port_is_no_real_one(tmp_path) -> None:
    with Emulator(link=tmp_path / "port") as emulator:
        assert not is_real(emulator.port)
        assert not is_real(str(tmp_path / "port"))
        assert permitted(DriverConfig(port=emulator.port), DEFAULT_CALIBRATION) == (
            DriverConfig(port=emulator.port),
            "",
        )
    assert is_real("/dev/ttyUSB0")
    assert is_real("auto")


def test_a_port_that_is_not_there_yet_counts_as_a_real_one(tmp_path) -> None:
    assert is_real(str(tmp_path / "port"))


@pytest.mark.parametrize(("at_first", "then"), [(0.2, 1.0), (1.0, 0.2)])
def test_the_speed_is_that_of_what_answers_upon_each_connection(new_bench, at_first: float, then: float) -> None:
    answers = [at_first, then]
    bench = new_bench(speed=0.2, allowed=lambda: answers[0])

    def fastest() -> float:
        bench.hold()
        bench.daemon.move_joints([0.0 if bench.measured()[0] > 0.5 else 1.2, 0, 0, 0, 0])
        places = []
        for _ in range(400):
            bench.run(0.02)
            places.append(bench.measured()[0])
        return float(np.abs(np.array(places[5:]) - places[:-5]).max() / 0.1)

    limit = DriverConfig().max_velocity
    for share in (at_first, then):
        assert fastest() == pytest.approx(share * limit, rel=0.1)
        assert bench.daemon.config.velocity == pytest.approx(share * limit)
        assert bench.daemon.limits.velocity[0] == pytest.approx(share * limit)
        bench.arm.absent = True
        bench.run(0.1)
        bench.arm.absent = False
        answers.pop(0)
        answers.append(then)
        bench.run(2.0)
    numbers = [event.motion for event in bench.events if event.event is Event.BEGAN]
    assert numbers == sorted(set(numbers)), "motions are counted on"


SPEED, WAY = 0.2, 0.8


@pytest.mark.parametrize("motion", ["trajectory", "joints", "stream"])
def test_every_motion_is_as_much_slower(new_bench, motion: str) -> None:
    bench = new_bench(speed=SPEED)
    bench.hold()
    if motion == "trajectory":
        bench.daemon.follow([1.2], [[WAY]], joints=["joint1"])
    elif motion == "joints":
        bench.daemon.move_joints([WAY, 0, 0, 0, 0])
    places = []
    for _ in range(320):
        if motion == "stream":
            bench.daemon.stream([WAY], bench.clock.now(), ["joint1"])
        bench.run(0.02)
        places.append(bench.measured()[0])
    assert places[-1] == pytest.approx(WAY, abs=0.02)
    fastest = np.abs(np.array(places[5:]) - places[:-5]).max() / 0.1
    assert fastest < 1.1 * SPEED * bench.daemon.config.max_velocity


def test_a_trajectory_is_the_same_path_and_takes_as_much_longer(new_bench) -> None:
    times, points = [1.0, 2.0], [[0.4, -0.2], [0.1, 0.3]]
    velocities, joints = [[0.2, 0.0], [0.0, 0.0]], ["joint1", "joint2"]
    for speed in (1.0, 0.5):
        bench = new_bench(speed=speed)
        bench.hold()
        number = bench.daemon.follow(times, points, velocities, joints)
        bench.run(1.0 / speed)
        assert bench.arm.goals[-1][:2] == pytest.approx(points[0], abs=0.02)
        assert not [event for event in bench.events if event.motion == number and event.event is Event.ENDED]
        bench.run(1.1 / speed)
        assert bench.arm.goals[-1][:2] == pytest.approx(points[1], abs=0.01)
