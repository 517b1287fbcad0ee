"""One arm: from a calibration, from a description, and from one to the other."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.arm.model import load_model, parse_model, with_limits
from dofbot_ros.arm.robot import DRAWN, Robot, load_robot
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import JOINT_NAMES, N_JOINTS
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import CalibrationError, ConfigError, InputError
from dofbot_ros.motion.trajectory import MotionLimits


def calibration(zero: int, low: int, high: int, sign: int, height: float) -> Calibration:
    """Of an arm whose joint 2 has this zero and these limits [ticks], and whose joint 2 is this high [m]."""
    servo = replace(DEFAULT_CALIBRATION.joint2, zero_ticks=zero, min_ticks=low, max_ticks=high, sign=sign)
    return replace(DEFAULT_CALIBRATION, base_height_m=height, joint2=servo)


calibrations = st.builds(
    calibration,
    zero=st.integers(1600, 2400),
    low=st.integers(500, 1500),
    high=st.integers(2500, 3500),
    sign=st.sampled_from((1, -1)),
    height=st.floats(0.09, 0.13),
)


@given(calibrations)
def test_every_angle_within_the_limits_is_one_that_the_servo_may_be_sent_to(given_: Calibration) -> None:
    robot = Robot.calibrated(given_)
    assert (robot.lower >= DRAWN.lower).all()
    assert (robot.upper <= DRAWN.upper).all()
    for ends in (robot.lower, robot.upper):
        ticks = given_.rad_to_ticks(ends)
        for servo, tick in zip(given_.servos, ticks, strict=True):
            assert servo.min_ticks <= tick <= servo.max_ticks


@pytest.mark.slow
@settings(max_examples=30)  # a description takes as long as hundreds of poses
@given(calibrations)
def test_a_client_gets_the_drivers_robot_from_its_description(given_: Calibration) -> None:
    robot = Robot.calibrated(given_)
    heard = Robot.described(parse_model(robot.describe().urdf))
    np.testing.assert_array_equal(heard.lower, robot.lower)
    np.testing.assert_array_equal(heard.upper, robot.upper)
    np.testing.assert_array_equal(heard.kinematics.lower, robot.kinematics.lower)
    np.testing.assert_array_equal(heard.kinematics.upper, robot.kinematics.upper)
    q = np.random.default_rng(0).uniform(robot.lower, robot.upper)[:5]
    here, there = (arm.kinematics.tool_transform(q) for arm in (robot, heard))
    np.testing.assert_allclose(there, here, atol=1e-12)


def test_a_zero_that_is_off_takes_away_what_the_servo_does_not_reach() -> None:
    robot = Robot.calibrated(calibration(2300, 900, 3100, 1, 0.112))
    degrees = np.degrees([robot.lower[1], robot.upper[1]])
    assert degrees == pytest.approx([-90.0, 800 / DEFAULT_CALIBRATION.joint2.ticks_per_degree])
    assert robot.kinematics.upper[1] == robot.upper[1]
    assert robot.kinematics.base_height == 0.112


def test_the_drawn_arm_is_the_shipped_urdf_and_the_nominal_calibration_hardly_narrower() -> None:
    shipped, nominal = Robot.described(load_model()), load_robot()
    np.testing.assert_allclose([shipped.lower, shipped.upper], [DRAWN.lower, DRAWN.upper], atol=1e-12)
    np.testing.assert_allclose([nominal.lower, nominal.upper], [DRAWN.lower, DRAWN.upper], atol=1e-3)
    file = load_robot(share_file("config", "calibration.yaml"))
    np.testing.assert_allclose([file.lower, file.upper], [nominal.lower, nominal.upper], atol=1e-7)


def test_servos_that_leave_a_joint_no_room_are_named() -> None:
    servo = replace(DEFAULT_CALIBRATION.joint4, min_ticks=3200, max_ticks=3300)
    with pytest.raises(CalibrationError, match=r"^joint4: min_ticks and max_ticks leave no room .*: 1\.7.*\.\.1\.571"):
        Robot.calibrated(replace(DEFAULT_CALIBRATION, joint4=servo))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"/nowhere/arm\.yaml"):
        load_robot("/nowhere/arm.yaml")


def test_the_description_of_another_arm_is_refused() -> None:
    model = load_model()
    renamed = tuple(replace(joint, name="elbow") if joint.name == "joint3" else joint for joint in model.joints)
    with pytest.raises(InputError, match="joint1, joint2, elbow, joint4, joint5, grip_joint, and needs"):
        Robot.described(replace(model, joints=renamed))
    with pytest.raises(InputError, match="joint9 is to be limited"):
        with_limits(model, {"joint9": (0.0, 1.0)})


def test_motion_limits_are_the_robots_with_a_speed_for_all_joints_or_for_each() -> None:
    robot = Robot.calibrated(calibration(2300, 900, 3100, 1, 0.112))
    each = np.arange(1.0, 7.0)
    limits = MotionLimits.of(robot, 1.6, each)
    np.testing.assert_array_equal(limits.lower, robot.lower)
    np.testing.assert_array_equal(limits.upper, robot.upper)
    np.testing.assert_array_equal(limits.velocity, np.full(len(JOINT_NAMES), 1.6))
    np.testing.assert_array_equal(limits.acceleration, each)
    each[0] = 99.0
    assert limits.acceleration[0] == 1.0


def test_planners_read_the_velocity_that_the_driver_lets_pass() -> None:
    assert load_model().max_velocity.tolist() == [DriverConfig().max_velocity] * N_JOINTS
    assert Robot.calibrated().describe(max_velocity=0.9).max_velocity.tolist() == [0.9] * N_JOINTS


def test_the_described_arm_stands_on_a_root_without_mass() -> None:
    root = ElementTree.fromstring(Robot.calibrated().describe().urdf)
    children = {joint.find("child").attrib["link"] for joint in root.iterfind("joint")}  # type: ignore[union-attr]
    [top] = [link for link in root.iterfind("link") if link.attrib["name"] not in children]
    assert top.attrib["name"] == "base_footprint"
    assert top.find("inertial") is None
