import numpy as np
import pytest

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import ToolPose
from dofbot_ros.driver.config import HOME, PARK
from dofbot_ros.errors import ConfigError
from dofbot_ros.safety.separation import Box
from dofbot_ros.safety.workspace import CHUNK, NAMES, Workspace, WorkspaceConfig

ARM = Kinematics()
WORKSPACE = Workspace(ARM)


def joints(x, y, z, tilt_deg, roll=0.0, *, grip=np.pi / 3):
    return np.append(ARM.solve(ToolPose(x, y, z, np.pi - np.radians(tilt_deg), roll)), grip)


def corner(tilt_deg):
    """How far the lower corners of the pads are below tool_link, the hand not rolled and the gap 30 mm [m]."""
    return 0.006 * np.sin(np.radians(tilt_deg))


@pytest.mark.parametrize("pose", [HOME, PARK])
@pytest.mark.parametrize("base_height", [0.098, 0.1075, 0.120])
def test_home_and_park_are_allowed(pose, base_height):
    assert Workspace(Kinematics(base_height=base_height)).violation(np.array(pose)) == ""


@pytest.mark.parametrize(
    ("radius", "tilt"), [(0.15, 10), (0.16, 12), (0.18, 20), (0.20, 22), (0.22, 28), (0.24, 34), (0.26, 40)]
)
@pytest.mark.parametrize("roll", [0.0, np.pi])
def test_grasps_on_the_table_are_allowed_all_over_the_reach(radius, tilt, roll):
    assert WORKSPACE.violation(joints(radius, 0.0, 0.002 + corner(tilt), tilt, roll)) == ""


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ([0, 1.5, 0.9, 0.0, 0, 0], "too near the table"),
        ([0, -1.2, 1.57, 1.57, 0, np.pi / 2], ""),
        ([0, -0.7, -0.4, -1.4, 0, 1.1], "gripper too near the base"),
        ([0, -0.5, 1.57, 1.57, 0, np.pi / 2], ""),
        ([0, -1.1, -0.1, -1.1, 0, 1.1], "wrist camera too near the base"),
        ([0, -1.5, -0.5, -0.3, 0, 0], "wrist too near the base"),
        ([0, 1.5, 1.3, 0.2, 0, np.pi / 2], "too near the table"),
    ],
)
def test_known_poses(q, name):
    violation = WORKSPACE.violation(np.array(q, dtype=float))
    assert (name in violation) if name else not violation, violation


def test_the_pads_may_come_down_to_their_margin_and_no_further():
    z = WORKSPACE.config.tip_margin + corner(22)
    # tool_link is between the tips at a gap of 30 mm, which is grip pi/3.
    assert WORKSPACE.violation(joints(0.2, 0, z + 1e-4, 22)) == ""
    assert "finger too near the table: by 0.5 mm" in WORKSPACE.violation(joints(0.2, 0, z - 5e-4, 22))


def test_closing_the_gripper_lengthens_the_tool():
    barely = joints(0.2, 0, 0.0015 + corner(22), 22)
    assert WORKSPACE.violation(barely) == ""
    barely[5] = np.pi / 2
    assert "finger" in WORKSPACE.violation(barely)


def test_rolling_a_tilted_hand_lowers_one_of_its_open_fingers():
    level, rolled = joints(0.24, 0, 0.03, 45, grip=0.0), joints(0.24, 0, 0.03, 45, np.pi / 2, grip=0.0)
    assert WORKSPACE.violation(level) == ""
    lowered = WORKSPACE.clearances(level)[5:7].min() - WORKSPACE.clearances(rolled)[5:7].min()
    # Half the gap and the pad's thickness, instead of half its width, at 45 degrees.
    assert lowered == pytest.approx((0.036 - 0.006) * np.sin(np.pi / 4), abs=1e-3)


def test_the_table_may_lie_elsewhere():
    q = joints(0.2, 0, 0.02, 22)
    higher = Workspace(ARM, WorkspaceConfig(table_z=0.01))
    table = slice(0, 7)
    np.testing.assert_allclose(WORKSPACE.clearances(q)[table] - higher.clearances(q)[table], 0.01)


def test_a_box_of_the_base_that_is_turned_inside_out_is_refused():
    with pytest.raises(ConfigError, match="box: lower must lie below upper in x, y and z"):
        Box((0.1, -0.1, 0.0), (0.0, 0.1, 0.1))


def test_many_poses_at_once_are_the_same_as_one_by_one():
    q = np.random.default_rng(0).uniform(-1.5, 1.5, (50, 6))
    np.testing.assert_allclose(WORKSPACE.clearances(q), [WORKSPACE.clearances(row) for row in q], atol=1e-12)
    assert WORKSPACE.clearances(q).shape == (50, len(NAMES))
    assert WORKSPACE.clearances(q.reshape(5, 10, 6)).shape == (5, 10, len(NAMES))
    assert WORKSPACE.clearances(np.empty((0, 6))).shape == (0, len(NAMES))


def test_a_path_longer_than_what_is_judged_at_once_is_the_same_as_its_parts():
    q = np.random.default_rng(1).uniform(-1.5, 1.5, (2 * CHUNK + 7, 6))
    whole = WORKSPACE.clearances(q)
    np.testing.assert_allclose(whole[CHUNK - 3 : CHUNK + 3], WORKSPACE.clearances(q[CHUNK - 3 : CHUNK + 3]), atol=1e-12)
    np.testing.assert_allclose(whole[-2:], WORKSPACE.clearances(q[-2:]), atol=1e-12)


def test_an_arm_in_a_forbidden_place_may_move_where_nothing_gets_worse():
    sunk = joints(0.2, 0, -0.004, 22)
    up, down = joints(0.2, 0, 0.0, 22), joints(0.2, 0, -0.006, 22)
    assert WORKSPACE.first_violation(np.array([up, up]), sunk) is None
    index, offence = WORKSPACE.first_violation(np.array([up, down, up]), sunk)
    assert index == 1
    assert "finger too near the table" in offence


def test_an_arm_in_a_forbidden_place_may_stand_still():
    q = joints(0.2, 0.0, -0.02, 22)
    # Both fingers are as low: which of them is named is a matter of rounding.
    assert "finger too near the table" in WORKSPACE.violation(q)
    assert WORKSPACE.first_violation(np.vstack([q, q]), q) is None


def test_where_every_clearance_is_negative_the_worst_one_is_named_in_millimetres():
    deep = Workspace(ARM, WorkspaceConfig(table_z=1.0))
    name, _, told = deep.violation(np.array(HOME)).partition(": by ")
    lowest = int(np.argmin(deep.clearances(np.array(HOME))))
    assert name == NAMES[lowest]
    assert told == f"{-1000 * deep.clearances(np.array(HOME))[lowest]:.1f} mm"


@pytest.mark.parametrize("off", [(0.003, 0.0), (-0.003, 0.0), (0.0, 0.004), (0.0, -0.004), (0.002, 0.003)])
def test_fingers_that_a_calibration_puts_elsewhere_are_judged_there(off):
    """A level tool, rolled by a quarter turn, shows across as height; one straight down shows along."""
    across, along = off
    told = Workspace(Kinematics(fingers=off, tool=ARM.tool + along))
    fingers = [i for i, name in enumerate(NAMES) if "finger too near the table" in name]
    rolled = np.array([0.0, 0.0, 0.0, np.pi / 2, np.pi / 2, 1.0])
    higher = told.clearances(rolled) - WORKSPACE.clearances(rolled)
    assert np.abs(higher[fingers]) == pytest.approx(abs(across), abs=1e-9)
    turned = rolled * [1, 1, 1, 1, 0, 1]
    assert (told.clearances(turned) - WORKSPACE.clearances(turned))[fingers] == pytest.approx(0.0, abs=1e-9)
    down = np.array([0.0, np.pi / 2, 0.0, np.pi / 2, 0.0, 1.0])
    lower = WORKSPACE.clearances(down) - told.clearances(down)
    assert lower[fingers] == pytest.approx(along, abs=1e-9)
