"""Ticks and joint angles: exact both ways, as the vendor's frames have them, and nothing implausible."""

import math
from dataclasses import replace

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.arm.calibration import (
    DEFAULT_CALIBRATION,
    HIGHEST_TICK,
    LOWEST_TICK,
    TICKS_PER_DEGREE,
    Calibration,
    ServoCalibration,
    load_calibration,
)
from dofbot_ros.arm.gripper import servo_degrees_to_joint
from dofbot_ros.config.loader import save_yaml, to_mapping
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.errors import CalibrationError, ConfigError

FILE = share_file("config", "calibration.yaml")
SHIFTED = Calibration(
    base_height_m=0.112,
    joint1=ServoCalibration(11, 2024, 1000, 3050, -1, 12.05),
    joint2=ServoCalibration(3, 1961, 930, 3110, 1, 11.81),
    joint3=ServoCalibration(2, 2040, 900, 3100, -1, 13.0),
    joint4=ServoCalibration(4, 1600, 96, 4000, 1, 11.0),
    joint5=ServoCalibration(5, 1786, 96, 4000, 1, 14.0),
    grip_joint=ServoCalibration(6, 950, 960, 3000, 1, 12.1),
)


def at(calibration, joint, ticks):
    """Rows of ticks (n, 6): all servos at a position of their own, one of them swept."""
    rows = np.tile([(s.min_ticks + s.max_ticks) // 2 for s in calibration.servos], (len(ticks), 1))
    rows[:, joint] = ticks
    return rows


@pytest.mark.parametrize("joint", range(6), ids=JOINT_NAMES)
@pytest.mark.parametrize(
    "calibration", [DEFAULT_CALIBRATION, SHIFTED, load_calibration(FILE)], ids=["code", "odd", "file"]
)
def test_every_tick_comes_back_exactly(calibration, joint):
    servo = calibration.servos[joint]
    ticks = at(calibration, joint, np.arange(servo.min_ticks, servo.max_ticks + 1))
    q = calibration.ticks_to_rad(ticks)
    np.testing.assert_array_equal(calibration.rad_to_ticks(q), ticks)
    assert (np.sign(np.diff(q[:, joint])) == servo.sign).all()


@pytest.mark.parametrize("calibration", [DEFAULT_CALIBRATION, SHIFTED])
@given(st.lists(st.floats(-4.0, 4.0), min_size=6, max_size=6), st.lists(st.integers(0, 4095), min_size=6, max_size=6))
def test_plain_numbers_are_converted_as_arrays_are(calibration, q, ticks):
    assert calibration.plain_ticks(q) == calibration.rad_to_ticks(q).tolist()
    assert calibration.plain_rad(ticks) == calibration.ticks_to_rad(ticks).tolist()


# Servo degrees and raw positions of the reference's worked frames and of its table of mid positions. Arm_Lib cuts the
# fraction off where this package rounds, which for servo 6 makes one tick (0.08 degrees).
@pytest.mark.parametrize(
    ("joint", "degrees", "raw", "tolerance"),
    [(0, 90, 2000, 0), (1, 45, 2550, 0), (4, 90, 1486, 0), (5, 134, 2537, 1), (5, 30, 1266, 1), (5, 180, 3100, 0)]
    + [(i, 90, 2000, 0) for i in (1, 2, 3)],
)
def test_the_worked_frames_positions(joint, degrees, raw, tolerance):
    q = np.zeros(6)
    if joint == 5:
        q[joint] = servo_degrees_to_joint(degrees)
    else:
        q[joint] = math.radians(90 - degrees if joint in (1, 2, 3) else degrees - 90)
    assert abs(DEFAULT_CALIBRATION.rad_to_ticks(q)[joint] - raw) <= tolerance


def test_the_raw_formulas_of_the_reference():
    """raw = 900 + 2200 s / 180, inverted for servos 2 to 4, and 380 + 3320 s / 270 for servo 5."""
    for s in np.linspace(0, 180, 37):
        straight, inverted = 900 + 2200 * s / 180, 900 + 2200 * (180 - s) / 180
        fifth = 380 + 3320 * s / 270
        q = np.radians([s - 90, 90 - s, 90 - s, 90 - s, s - 90, 0])
        raw = DEFAULT_CALIBRATION.rad_to_ticks(q)
        np.testing.assert_allclose(raw[:5], [straight, inverted, inverted, inverted, fifth], atol=1.2)


@given(st.lists(st.floats(-10, 10), min_size=6, max_size=6))
def test_nothing_that_a_servo_does_not_accept_is_ever_sent(q):
    ticks = DEFAULT_CALIBRATION.rad_to_ticks(q)
    assert ((ticks >= LOWEST_TICK) & (ticks <= HIGHEST_TICK)).all()


@given(st.lists(st.integers(LOWEST_TICK, HIGHEST_TICK), min_size=6, max_size=6))
def test_an_arm_that_was_pushed_past_its_limits_is_held_where_it_is(ticks):
    q = DEFAULT_CALIBRATION.ticks_to_rad(ticks)
    assert DEFAULT_CALIBRATION.rad_to_ticks(q).tolist() == ticks
    assert DEFAULT_CALIBRATION.plain_ticks(q.tolist()) == ticks


def test_limits_are_those_of_the_ticks_whatever_the_sign_and_zero():
    turned = replace(DEFAULT_CALIBRATION, joint1=ServoCalibration(1, 2300, 900, 3100, sign=-1))
    lower, upper = turned.limits
    assert np.degrees([lower[0], upper[0]]) == pytest.approx([-800 / TICKS_PER_DEGREE, 1400 / TICKS_PER_DEGREE])
    assert (DEFAULT_CALIBRATION.limits[0][5], DEFAULT_CALIBRATION.limits[1][5]) == pytest.approx((0.0, np.pi / 2))


@given(st.lists(st.floats(-1.5, 1.5), min_size=5, max_size=5), st.floats(0.0, 1.57))
def test_rounding_is_less_than_a_tick(arm, grip):
    q = np.array([*arm, grip])
    back = DEFAULT_CALIBRATION.ticks_to_rad(DEFAULT_CALIBRATION.rad_to_ticks(q))
    tick = math.radians(1 / 12.2)
    assert np.abs(back - q)[:5].max() <= 0.5 * tick + 1e-9
    # The cranks turn up to 1.2 times as fast as their servo, where they are nearly closed.
    assert abs(back[5] - q[5]) <= 0.7 * tick


def test_a_reading_past_the_limits_is_not_clipped():
    ticks = np.array([850, 3200, 2000, 2000, 3800, 900])
    q = DEFAULT_CALIBRATION.ticks_to_rad(ticks)
    assert q[0] < -math.pi / 2
    assert q[1] > math.pi / 2
    assert q[4] > math.pi


def test_the_file_says_what_the_code_says():
    read, code = to_mapping(load_calibration(FILE)), to_mapping(DEFAULT_CALIBRATION)
    assert read.pop("base_height_m") == code.pop("base_height_m")
    for name in JOINT_NAMES:
        assert read[name] == pytest.approx(code[name], abs=1e-6), name


def test_a_saved_calibration_reads_back_the_same(tmp_path):
    save_yaml(SHIFTED, tmp_path / "mine.yaml")
    assert load_calibration(tmp_path / "mine.yaml") == SHIFTED


def changed(tmp_path, edit):
    content = yaml.safe_load(FILE.read_text())
    edit(content)
    path = tmp_path / "calibration.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    ("joint", "change", "message"),
    [
        ("joint2", {"zero_ticks": 2401}, r"joint2: zero_ticks 2401 is more than 400 from the nominal 2000"),
        ("joint5", {"zero_ticks": 1100}, r"joint5: zero_ticks 1100 is more than 300 from the nominal 1486"),
        ("joint1", {"sign": 0}, r"joint1: .*sign 0 must be 1 .* or -1"),
        ("joint3", {"sign": 2}, r"joint3: .*sign 2 must be 1 .* or -1"),
        ("joint4", {"ticks_per_degree": 10.9}, r"joint4: .*ticks_per_degree 10.9 is not these servos': .* 11 to 14"),
        ("joint4", {"ticks_per_degree": 14.1}, r"joint4: .*ticks_per_degree 14.1 is not these servos'"),
        ("joint1", {"min_ticks": 3100, "max_ticks": 900}, r"joint1: .*limits are reversed: min_ticks 3100 >= max"),
        ("joint1", {"min_ticks": 95}, r"joint1: .*limits 95\.\.3100 leave what the servos accept: 96\.\.4000"),
        ("joint1", {"max_ticks": 4001}, r"joint1: .*limits 900\.\.4001 leave what the servos accept"),
        ("joint1", {"id": 0}, r"joint1: .*id 0 is not a servo's address: 1 to 250"),
        ("joint1", {"id": 254}, r"joint1: .*id 254 is not a servo's address"),
        ("joint2", {"id": 1}, r"joint1 and joint2 have the same id 1"),
        ("grip_joint", {"max_ticks": 3200}, r"grip_joint: limits 900\.\.3200 are 0\.0\.\.188\.2 degrees of servo 6"),
        ("grip_joint", {"sign": -1}, r"grip_joint: limits 900\.\.3100 are -180\.0\.\.-?0\.0 degrees of servo 6"),
    ],
)
def test_an_implausible_servo_is_refused_with_the_reason(tmp_path, joint, change, message):
    with pytest.raises(CalibrationError, match=rf"calibration\.yaml: {message}"):
        load_calibration(changed(tmp_path, lambda content: content[joint].update(change)))


@pytest.mark.parametrize("height", [0.0899, 0.1301])
def test_an_implausible_base_height_is_refused(tmp_path, height):
    path = changed(tmp_path, lambda content: content.update(base_height_m=height))
    with pytest.raises(CalibrationError, match=r"base_height_m .* is not this arm's: 0\.09 to 0\.13 m"):
        load_calibration(path)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_are_finite(tmp_path, value):
    with pytest.raises(ConfigError, match=r"base_height_m: expected a finite number"):
        load_calibration(changed(tmp_path, lambda content: content.update(base_height_m=value)))
    with pytest.raises(ConfigError, match=r"joint4: ticks_per_degree: expected a finite number"):
        load_calibration(changed(tmp_path, lambda content: content["joint4"].update(ticks_per_degree=value)))


def test_an_unknown_key_names_the_nearest(tmp_path):
    path = changed(tmp_path, lambda content: content["joint1"].update(zero_tick=2000))
    with pytest.raises(ConfigError, match=r"joint1: key 'zero_tick' is not one of .*did you mean zero_ticks"):
        load_calibration(path)


def test_zeros_within_the_vendors_own_window_are_accepted():
    assert replace(DEFAULT_CALIBRATION, joint2=ServoCalibration(2, 2400, 900, 3100)).joint2.zero_ticks == 2400


def test_ids_are_in_joint_order():
    assert SHIFTED.ids == (11, 3, 2, 4, 5, 6)
