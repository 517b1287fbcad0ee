"""The URDF reader against the reference's forward kinematics, and against broken files."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import at_base_height, forward_chain, load_model, parse_model
from dofbot_ros.core.transforms import log_so3, matrix_from_quat, rot_rpy
from dofbot_ros.errors import ConfigError, InputError

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "reference" / "dofbot_fk.csv"

# child: parent, xyz, rpy, axis ("" = fixed); the reference's joint tables of the vendor's four models.
C = {
    "arm1_Link": ("base_link", "0 0 0.0925", "0 0 0", "0 0 1"),
    "arm2_Link": ("arm1_Link", "0 0.00005 0.033", "0 0 0", "0 1 0"),
    "arm3_Link": ("arm2_Link", "0 0.00055 0.08285", "0 0 0", "0 1 0"),
    "arm4_Link": ("arm3_Link", "0 0.00005 0.08285", "0 0 0", "0 1 0"),
    "arm5_Link": ("arm4_Link", "-0.00215 -0.000045 0.078149", "0 0 0", "0 0 1"),
    "Gripping_point_Link": ("arm5_Link", "-0.00265 0.0000976 0.068091", "3.1416 -1.5708 0", ""),
    "Camera_Link": ("arm4_Link", "-0.0481 -0.00005 0.0707", "0 0 0", ""),
}
A = {
    "link1": ("base_link", "0 0 0.06605", "-0.010805 0 0", "0 0 1"),
    "link2": ("link1", "0 -0.00031873 0.04145", "0 1.5708 0", "0 0 1"),
    "link3": ("link2", "-0.08285 0 0", "0 0 0", "0 0 1"),
    "link4": ("link3", "-0.08285 0 0", "0 0 0.0083081", "0 0 1"),
    "link5": ("link4", "-0.07385 -0.001 0", "0 -1.57 0", "0 0 1"),
}
B = {
    "arm_link1": ("base_link", "0 0 0.06605", "-0.010805 0 1.5", "0 0 1"),
    "arm_link2": ("arm_link1", "0 0 0.0405", "-1.5708 0 0", "0 0 -1"),
    "arm_link3": ("arm_link2", "0 -0.0829 0", "0 0 0", "0 0 -1"),
    "arm_link4": ("arm_link3", "0 -0.0829 0", "0 0 0", "0 0 -1"),
    "arm_link5": ("arm_link4", "-0.00215 -0.17455 0", "1.5708 0 0", "0 0 1"),
}
D = {
    "link1": ("base_link", "0 0 0.064", "0 0 0", "0 0 1"),
    "link2": ("link1", "0 0 0.0435", "0 1.5708 0", "0 0 1"),
    "link3": ("link2", "-0.08285 0 0", "0 0 0", "0 0 1"),
    "link4": ("link3", "-0.08285 0 0", "0 0 0", "0 0 1"),
    "link5": ("link4", "-0.18385 -0.00215 -0.000605", "0 -1.5708 0", "0 0 1"),
}
VARIANTS = {"C_yahboom_cad_ros2": C, "A_yahboom_info": A, "B_yahboom_moveit": B, "D_pi5_dynamic": D}


def urdf(table):
    links = "".join(f'<link name="{name}"/>' for name in ("base_link", *table))
    joints = "".join(
        f'<joint name="to_{child}" type="{"continuous" if axis else "fixed"}"><parent link="{parent}"/>'
        f'<child link="{child}"/><origin xyz="{xyz}" rpy="{rpy}"/><axis xyz="{axis or "1 0 0"}"/></joint>'
        for child, (parent, xyz, rpy, axis) in table.items()
    )
    return f'<robot name="variant">{links}{joints}</robot>'


def rows():
    if not REFERENCE.is_file():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"the reference table {REFERENCE} is not here"))]
    with REFERENCE.open() as file:
        found = list(csv.DictReader(file))
    return [pytest.param(row, id=f"{row['urdf'][0]}-{row['frame']}-{i % 5}") for i, row in enumerate(found)]


def numbers(row, *keys):
    return np.array([float(row[key]) for key in keys])


ROWS = rows()
TOOL_ROWS = [p for p in ROWS if p.values[0] is None or p.values[0]["frame"] == "Gripping_point_Link"]


@pytest.mark.parametrize("row", ROWS)
def test_the_vendors_models_give_the_reference_poses(row):
    model = parse_model(urdf(VARIANTS[row["urdf"]]))
    pose = forward_chain(model, numbers(row, "j1", "j2", "j3", "j4", "j5"), row["frame"])
    np.testing.assert_allclose(pose[:3, 3], numbers(row, "x", "y", "z"), atol=1e-4)
    turned = log_so3(pose[:3, :3].T @ matrix_from_quat(numbers(row, "qx", "qy", "qz", "qw")))
    assert np.linalg.norm(turned) < 1e-4


@pytest.mark.parametrize("row", TOOL_ROWS)
def test_our_model_agrees_with_the_cad_apart_from_what_it_leaves_out(row):
    """C's base is 18 mm taller, its tool frame 36.76 mm nearer to joint 4; the rest are its lateral offsets."""
    q = np.array([*numbers(row, "j1", "j2", "j3", "j4", "j5"), 0.0])
    tool = forward_chain(load_model(), q, "tool_link")
    point = tool @ [0, 0, (0.078149 + 0.068091) - 0.183, 1] + [0, 0, 0.018, 0]
    assert np.linalg.norm(point[:3] - numbers(row, "x", "y", "z")) < 0.006
    frame = tool[:3, :3] @ rot_rpy(3.1416, -1.5708, 0)
    turned = log_so3(frame.T @ matrix_from_quat(numbers(row, "qx", "qy", "qz", "qw")))
    assert np.linalg.norm(turned) < 1e-4


def test_a_batch_is_the_same_as_one_by_one():
    model = load_model()
    q = np.random.default_rng(0).uniform(model.lower, model.upper, (3, 4, 6))
    poses = forward_chain(model, q, "left_finger")
    assert poses.shape == (3, 4, 4, 4)
    np.testing.assert_allclose(poses[1, 2], forward_chain(model, q[1, 2], "left_finger"), atol=1e-15)


def test_the_root_stays_where_it_is():
    np.testing.assert_array_equal(forward_chain(load_model(), np.ones((2, 6)), "base_link"), [np.eye(4)] * 2)


def test_a_prismatic_joint_slides():
    slider = urdf({"a": ("base_link", "0 0 1", "0 0 0", "0 0 2")}).replace("continuous", "prismatic")
    model = parse_model(slider.replace("</joint>", '<limit lower="0" upper="1" velocity="1" effort="1"/></joint>'))
    np.testing.assert_allclose(forward_chain(model, [0.25], "a")[:3, 3], [0, 0, 1.25])


def test_the_closed_form_is_the_chain():
    model = load_model()
    arm = Kinematics.from_model(model)
    for q in np.random.default_rng(1).uniform(model.lower, model.upper, (50, 6)):
        np.testing.assert_allclose(arm.tool_transform(q[:5]), forward_chain(model, q, "tool_link"), atol=1e-12)
        points = [forward_chain(model, q, link)[:3, 3] for link in ("link2", "link3", "link4", "tool_link")]
        np.testing.assert_allclose(arm.link_points(q[:5]), points, atol=1e-12)


def test_the_closed_forms_defaults_are_the_urdf():
    default, read = Kinematics(), Kinematics.from_model(load_model())
    for name in ("base_height", "upper_arm", "forearm", "tool", "lower", "upper"):
        np.testing.assert_allclose(getattr(read, name), getattr(default, name), atol=1e-12, err_msg=name)


def test_a_calibrated_base_height_replaces_the_drawings():
    assert Kinematics.from_model(load_model(), base_height=0.112).forward(np.zeros(5)).z == pytest.approx(
        0.112 + 0.3487
    )


def test_a_model_can_be_raised_to_a_calibrated_base_height():
    raised = at_base_height(load_model(), 0.112)
    assert Kinematics.from_model(raised).base_height == pytest.approx(0.112)
    q = np.full(6, 0.3)
    lift = forward_chain(raised, q, "left_finger") - forward_chain(load_model(), q, "left_finger")
    np.testing.assert_allclose(lift[:3, 3], [0, 0, 0.0045], atol=1e-12)


def test_a_model_without_the_joints_cannot_be_raised():
    with pytest.raises(InputError, match="the base height is that of joint2 on joint1"):
        at_base_height(parse_model(urdf(C)), 0.112)


def test_the_closed_form_refuses_a_chain_with_offsets():
    model = parse_model(load_model().urdf.replace('"0 0 0.07815"', '"-0.002 0 0.07815"'))
    with pytest.raises(InputError, match="axes z y y y z, one straight above the other"):
        Kinematics.from_model(model)


def test_an_unknown_link_lists_the_known_ones():
    with pytest.raises(InputError, match=r"'tool_lnk' is not one of base_link, .*did you mean tool_link"):
        forward_chain(load_model(), np.zeros(6), "tool_lnk")


def test_an_unknown_joint_lists_the_known_ones():
    with pytest.raises(InputError, match=r"'joint9' is not one of joint1, .*did you mean joint"):
        load_model().joint("joint9")


def test_a_joint_vector_of_another_length_is_refused():
    with pytest.raises(InputError, match=r"q needs 6 joints \(joint1, .*got shape \(5,\)"):
        forward_chain(load_model(), np.zeros(5), "tool_link")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<robot", "<<robot", "is not XML"),
        ('<child link="arm3_Link"/>', '<child link="arm2_Link"/>', "arm2_Link hangs on both"),
        ('<parent link="arm1_Link"/>', '<parent link="arm4_Link"/>', "is no tree: .*arm2_Link, .* hang on themselves"),
        ('<parent link="arm1_Link"/>', '<parent link="arm0_Link"/>', "joint to_arm2_Link: link 'arm0_Link' is not one"),
        ('<link name="base_link"/>', '<link name="base_link"/><link name="loose"/>', "has 2 roots"),
        ('type="continuous"', 'type="rotary"', "joint to_arm1_Link: type 'rotary' is not one of revolute"),
        ('type="continuous"', 'type="revolute"', "joint to_arm1_Link: a revolute joint needs a limit"),
        ('xyz="0 0 0.0925"', 'xyz="0 0.0925"', "joint to_arm1_Link: xyz='0 0.0925' needs 3 numbers"),
        ('xyz="0 0 0.0925"', 'xyz="0 0 high"', "xyz='0 0 high' is not made of numbers"),
        ('xyz="0 0 1"', 'xyz="0 0 0"', "joint to_arm1_Link: axis has no direction"),
        ('<child link="arm1_Link"/>', "", "joint to_arm1_Link: an element lacks link"),
        ("</joint>", '<mimic joint="to_none"/></joint>', "joint to mimic 'to_none' is not one of"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(old, new, message):
    text = urdf(C)
    assert old in text
    with pytest.raises(ConfigError, match=f"arm.urdf: .*{message}"):
        parse_model(text.replace(old, new, 1), "arm.urdf")


def test_reversed_limits_are_refused():
    with pytest.raises(ConfigError, match="joint joint1: limits are reversed"):
        parse_model(load_model().urdf.replace(f'lower="-{math.pi / 2}"', 'lower="2"', 1))


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.urdf: cannot be read"):
        load_model(tmp_path / "none.urdf")
