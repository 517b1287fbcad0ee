"""Torque comes on over real frames: whatever pose the arm is found in, nothing moves, and lies are not believed."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.arm.calibration import Calibration, ServoCalibration
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.clock import EventClock
from dofbot_ros.core.types import GRIP
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.serial_backend import serial_backend
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servos import SERVO_IDS, UPRIGHT_TICKS, ModelServos
from dofbot_ros.hardware.port.servo_line import ServoLine
from dofbot_ros.hardware.port.virtual_port import VirtualPorts
from dofbot_ros.safety.states import ArmState

PORT = "/dev/ttyUSB0"
PERIOD_S = 0.02


class Arm:
    """A daemon over a virtual line to servos that stand somewhere."""

    def __init__(self, ticks, calibration=None, protocol="bus", torque=False):
        self.clock, self.faults = EventClock(100.0), FaultPlan()
        self.servos = ModelServos([float(t) for t in ticks], now=100.0)
        for servo in SERVO_IDS:
            self.servos.torque(servo, torque, 100.0)
        self.calibration = calibration or Calibration()
        self.robot = Robot.calibrated(self.calibration)
        self.config = DriverConfig(port=PORT, protocol=protocol)
        line = ServoLine(self.servos, protocol, faults=self.faults, now=100.0)
        self.ports = VirtualPorts(line, self.clock, PORT)
        self.start()

    def start(self):
        ports = self.ports
        backend = serial_backend(self.config, self.calibration, self.clock, open_port=ports.open, ports=ports.listed)
        self.daemon = ArmDaemon(backend, self.config, self.robot)

    def run(self, seconds):
        """Control cycles; returns the true ticks after each (n, 6)."""
        truth = []
        for _ in range(round(seconds / PERIOD_S)):
            begin = self.clock.now()
            self.daemon.step()
            self.clock.sleep_until(max(begin + PERIOD_S, self.clock.now() + 0.001))
            truth.append([self.servos.position(servo, self.clock.now()) for servo in SERVO_IDS])
        return np.array(truth)


def at(**ticks):
    pose = list(UPRIGHT_TICKS)
    for name, value in ticks.items():
        pose[int(name[-1]) - 1] = value
    return pose


@pytest.mark.parametrize("protocol", ["bus", "se"])
@pytest.mark.parametrize("ticks", [3400, 3900, 700, 200])
def test_an_arm_that_stands_past_its_limits_is_held_where_it_is_and_first_moves_inward_and_slowly(ticks, protocol):
    arm = Arm(at(servo1=ticks), protocol=protocol)
    arm.run(0.2)
    arm.daemon.set_torque(True)
    held = arm.run(2.0)
    assert np.abs(held[:, 0] - ticks).max() <= 5, "play and a tick"
    arm.daemon.home()
    moved = arm.run(1.0)[:, 0]
    inward = np.sign(2000 - ticks) * np.diff(moved)
    assert inward.min() >= -1
    assert inward.sum() > 20
    outside = np.abs(moved[:-1] - 2000) > 1100
    assert (inward[outside] <= 0.3 * 700 * PERIOD_S + 3).all()


@pytest.mark.parametrize("ticks", [4095, 4050, 50, 0])
def test_a_servo_beyond_the_goals_that_it_accepts_gets_no_torque(ticks):
    arm = Arm(at(servo1=ticks))
    arm.run(0.2)
    with pytest.raises(CommandRefusedError, match=rf"servo 1 \(joint1\) is at tick {ticks}.*lead the arm back by hand"):
        arm.daemon.set_torque(True)
    assert not any(arm.servos.torque_on(servo) for servo in SERVO_IDS)
    assert np.ptp(arm.run(1.0)[:, 0]) == 0


def test_a_gripper_beyond_its_table_is_held_where_it_is():
    arm = Arm(at(servo6=3300))
    arm.run(0.2)
    arm.daemon.set_torque(True)
    assert np.abs(arm.run(1.0)[:, GRIP] - 3300).max() <= 5


def test_a_sensor_that_lies_when_torque_comes_on_is_not_believed():
    arm = Arm(at())
    arm.run(0.2)
    arm.faults.zero = frozenset({2})
    with pytest.raises(CommandRefusedError, match=r"servo 2 \(joint2\)"):
        arm.daemon.set_torque(True)
    assert np.abs(arm.run(0.5)[:, 1] - 2000).max() == 0


@pytest.mark.parametrize("protocol", ["bus", "se"])
def test_a_driver_that_is_started_anew_says_that_servos_hold_or_that_it_does_not_know_and_lets_them_go(protocol):
    arm = Arm(at(), protocol=protocol, torque=True)
    arm.run(0.3)
    snapshot = arm.daemon.snapshot()
    assert snapshot.state is ArmState.IDLE
    assert ("all servos hold" if protocol == "bus" else "as far as this driver knows") in snapshot.reason
    arm.daemon.freedrive(True)
    arm.run(0.1)
    assert not any(arm.servos.torque_on(servo) for servo in SERVO_IDS)
    arm.daemon.set_torque(True)
    arm.run(0.1)
    assert all(arm.servos.torque_on(servo) for servo in SERVO_IDS)


def test_calibrated_limits_reach_the_governor():
    """A zero off by 300 ticks: what the servo may not reach, the governor must not believe in."""
    calibration = Calibration(joint1=ServoCalibration(1, 2300, 900, 3100))
    arm = Arm(at(servo1=2300), calibration)
    highest = np.radians((3100 - 2300) * 180 / 2200)
    assert arm.robot.upper[0] == pytest.approx(highest)
    arm.run(0.2)
    arm.daemon.set_torque(True)
    arm.run(2.0)
    with pytest.raises(CommandRefusedError, match="joint1"):
        arm.daemon.follow([3.0], [[highest + 0.05]], joints=["joint1"])
    for _ in range(300):
        arm.daemon.stream([1.5], arm.clock.now(), ["joint1"])
        truth = arm.run(PERIOD_S)
    assert abs(truth[-1, 0] - 3100) <= 6
    assert arm.daemon.snapshot().state is ArmState.ACTIVE


def test_limits_that_leave_a_joint_no_room_are_refused():
    from dofbot_ros.errors import CalibrationError

    with pytest.raises(CalibrationError, match="no room"):
        Robot.calibrated(Calibration(joint1=ServoCalibration(1, 1600, 3000, 3500)))
