"""The gripper: the vendor's table, the four-bar's geometry, and back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.arm import gripper
from dofbot_ros.errors import InputError

# The reference's table: gap [mm] at servo 6 [deg]; the last, at 57 degrees, is where the fingers stop opening.
TABLE = {180: 0, 176: 5, 168: 10, 160: 15, 152: 20, 143: 25, 134: 30, 125: 35, 115: 40, 105: 45, 95: 50, 80: 55}


@pytest.mark.parametrize(("degrees", "gap_mm"), TABLE.items())
def test_the_vendors_table_is_met_exactly(degrees, gap_mm):
    assert 1e3 * gripper.joint_to_gap(float(gripper.servo_degrees_to_joint(degrees))) == pytest.approx(gap_mm, abs=1e-9)


def test_between_the_points_the_gap_is_close_to_straight_interpolation():
    degrees = np.linspace(57, 180, 500)
    straight = np.interp(degrees, [57, *sorted(TABLE)], [60, *(TABLE[d] for d in sorted(TABLE))])
    gaps = [1e3 * gripper.joint_to_gap(q) for q in gripper.servo_degrees_to_joint(degrees)]
    assert np.abs(gaps - straight).max() < 0.6


def test_below_57_degrees_almost_nothing_opens():
    gaps = [gripper.joint_to_gap(q) for q in gripper.servo_degrees_to_joint(np.array([0.0, 30.0, 57.0]))]
    assert gaps[0] == pytest.approx(0.060)
    assert gaps[0] > gaps[1] > gaps[2] > 0.0596


def test_servo_angle_and_crank_angle_rise_together():
    assert (np.diff(gripper.servo_degrees_to_joint(np.linspace(0, 180, 2000))) > 0).all()


@given(st.floats(0.0, 180.0))
def test_servo_angle_comes_back(degrees):
    there = gripper.servo_degrees_to_joint(degrees)
    assert float(gripper.joint_to_servo_degrees(there)) == pytest.approx(degrees, abs=1e-9)


@given(st.floats(0.0, gripper.MAX_GAP))
def test_gap_comes_back(gap):
    q = gripper.gap_to_joint(gap)
    assert 0.0 <= q <= gripper.CLOSED
    assert gripper.joint_to_gap(q) == pytest.approx(gap, abs=1e-12)


def test_closing_pushes_the_tips_along_the_tool():
    """The reference: 157 mm at a gap of 60, 174 at 50, 183 at 30, 187 at 0."""
    for gap_mm, tip_mm in [(60, 157), (50, 174), (30, 183), (0, 187)]:
        assert 1e3 * gripper.tip_distance(gripper.gap_to_joint(1e-3 * gap_mm)) == pytest.approx(tip_mm, abs=0.6)


def test_fingers_pressed_past_closed_have_no_gap():
    assert gripper.joint_to_gap(math.pi / 2 + 0.01) == 0.0


@pytest.mark.parametrize("gap", [-0.001, 0.061, math.nan])
def test_an_impossible_gap_is_refused_with_the_range(gap):
    with pytest.raises(InputError, match=r"is not one of this gripper: it opens 0 to 0\.060 m"):
        gripper.gap_to_joint(gap)
