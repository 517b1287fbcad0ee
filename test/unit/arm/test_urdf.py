"""The URDF itself: a tree that physics engines and ROS tools accept."""

import math
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from dofbot_ros.arm.gripper import joint_to_gap, tip_distance
from dofbot_ros.arm.model import forward_chain, load_model, parse_model
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.errors import ConfigError

URDF = share_file("urdf", "dofbot.urdf")
LINKS = ElementTree.parse(URDF).getroot().findall("link")
FRAMES = ("tool_link", "camera_optical_frame")
MODEL = load_model()
HAND = ("link5", "right_crank", "right_bar", "right_finger", "left_crank", "left_bar", "left_finger")
MASS = 0.893


def mass(link):
    return float(link.find("inertial/mass").get("value"))


def pad(side):
    """Centre and size of the finger's collision box, in the finger."""
    link = next(link for link in LINKS if link.get("name") == f"{side}_finger")
    centre = np.array(link.find("collision/origin").get("xyz").split(), dtype=float)
    return centre, np.array(link.find("collision/geometry/box").get("size").split(), dtype=float)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.get("name"))
def test_every_link_is_a_possible_rigid_body(link):
    assert mass(link) > 0
    i = {key: float(value) for key, value in link.find("inertial/inertia").attrib.items()}
    matrix = [[i["ixx"], i["ixy"], i["ixz"]], [i["ixy"], i["iyy"], i["iyz"]], [i["ixz"], i["iyz"], i["izz"]]]
    a, b, c = np.linalg.eigvalsh(matrix)
    assert 0 < a <= b <= c <= a + b


@pytest.mark.parametrize(
    "link", [link for link in LINKS if link.get("name") not in FRAMES], ids=lambda x: x.get("name")
)
def test_every_body_is_drawn_in_primitives(link):
    shapes = [shape.tag for geometry in link.iter("geometry") for shape in geometry]
    assert shapes
    assert set(shapes) <= {"box", "cylinder", "sphere"}


def test_masses_add_up_to_the_reference():
    assert sum(mass(link) for link in LINKS) == pytest.approx(MASS, abs=1e-3)


def test_hand_keeps_the_reference_centre_of_mass():
    """The vendor's link 5 has it 73 mm behind a frame that is 183.85 mm from joint 4."""
    q = np.zeros(6)
    wrist = forward_chain(MODEL, q, "link4")[2, 3]
    total = moment = 0.0
    for link in LINKS:
        if link.get("name") in HAND:
            com = np.array([*link.find("inertial/origin").get("xyz").split(), 1], dtype=float)
            total += mass(link)
            moment += mass(link) * ((forward_chain(MODEL, q, link.get("name")) @ com)[2] - wrist)
    assert moment / total == pytest.approx(0.18385 - 0.073, abs=0.002)


def test_joints_and_limits_are_the_agreed_ones():
    assert MODEL.joint_names == JOINT_NAMES
    np.testing.assert_array_equal(MODEL.lower, [-math.pi / 2] * 5 + [0.0])
    np.testing.assert_array_equal(MODEL.upper, [math.pi / 2] * 4 + [math.pi, math.pi / 2])
    np.testing.assert_array_equal(MODEL.max_velocity, [1.6] * 6)
    np.testing.assert_array_equal(MODEL.max_effort, [1.47] * 5 + [0.59])


def test_mimic_joints_follow_the_crank_within_their_own_limits():
    mimics = {j.name: j for j in MODEL.joints if j.mimic}
    assert {name: j.mimic.multiplier for name, j in mimics.items()} == {
        "right_finger_joint": -1,
        "right_bar_joint": 1,
        "left_crank_joint": -1,
        "left_finger_joint": 1,
        "left_bar_joint": -1,
    }
    driver = MODEL.joint("grip_joint")
    for joint in mimics.values():
        assert joint.mimic.joint == "grip_joint"
        assert joint.mimic.offset == 0
        ends = sorted(joint.mimic.multiplier * q for q in (driver.lower, driver.upper))
        assert [joint.lower, joint.upper] == ends


@pytest.mark.parametrize("q", np.linspace(0, math.pi / 2, 7))
def test_fingers_move_as_the_gripper_formulas_say(q):
    """Pads stay parallel, their inner faces are a gap apart, their tips lie where tip_distance says."""
    joints = np.array([0, 0, 0, 0, 0, q])
    wrist = forward_chain(MODEL, joints, "link4")[2, 3]
    faces = {}
    for side, inward in (("right", 1), ("left", -1)):
        pose = forward_chain(MODEL, joints, f"{side}_finger")
        np.testing.assert_allclose(pose[:3, :3], np.eye(3), atol=1e-12)
        centre, size = pad(side)
        corner = pose[:3, 3] + centre + size / 2 * [0, inward, 1]
        faces[side] = corner[1]
        assert corner[2] - wrist == pytest.approx(tip_distance(q), abs=1e-9)
    assert faces["left"] - faces["right"] == pytest.approx(joint_to_gap(q), abs=1e-9)


@pytest.mark.parametrize("q", [0.0, 0.7, math.pi / 2])
@pytest.mark.parametrize(("side", "out"), [("right", -1), ("left", 1)])
def test_the_four_bar_closes(side, out, q):
    """Bar and crank are parallel and equally long, so the bar's far end stays on the finger."""
    joints = np.array([0.3, 0.2, 0.4, -0.3, 1.0, q])
    end = forward_chain(MODEL, joints, f"{side}_bar") @ [0, out * 0.030, 0, 1]
    hole = forward_chain(MODEL, joints, f"{side}_finger") @ [0, -out * 0.008, 0.018, 1]
    np.testing.assert_allclose(end, hole, atol=1e-12)


def test_tool_is_between_the_tips_at_a_30_mm_gap():
    pose = np.linalg.inv(forward_chain(MODEL, np.zeros(6), "link4")) @ forward_chain(MODEL, np.zeros(6), "tool_link")
    np.testing.assert_allclose(pose[:3, 3], [0, 0, tip_distance(math.acos(0.5))], atol=5e-5)
    np.testing.assert_allclose(pose[:3, :3], np.eye(3), atol=1e-12)


def test_camera_looks_along_the_tool_with_up_away_from_the_table():
    reach_forward = np.array([0, math.pi / 2, 0, 0, 0, 0])
    pose = forward_chain(MODEL, reach_forward, "camera_optical_frame")
    np.testing.assert_allclose(pose[:3, 2], [1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(pose[:3, 1], [0, 0, -1], atol=1e-9)
    np.testing.assert_allclose(pose[:3, 3], [0.1657 + 0.0707, 0, 0.1075 + 0.0481], atol=1e-9)


@pytest.fixture(scope="module")
def body():
    pybullet = pytest.importorskip("pybullet", reason="PyBullet is not installed")
    client = pybullet.connect(pybullet.DIRECT)
    flags = pybullet.URDF_USE_SELF_COLLISION | pybullet.URDF_USE_INERTIA_FROM_FILE
    loaded = pybullet.loadURDF(str(URDF), useFixedBase=True, flags=flags, physicsClientId=client)
    yield pybullet, client, loaded
    pybullet.disconnect(client)


def place(body, joints):
    """Put the PyBullet arm into a joint vector (6,); returns link name -> index."""
    pybullet, client, arm = body
    values = dict(zip(JOINT_NAMES, joints, strict=True))
    links = {"base_link": -1}
    for i in range(pybullet.getNumJoints(arm, physicsClientId=client)):
        info = pybullet.getJointInfo(arm, i, physicsClientId=client)
        joint = MODEL.joint(info[1].decode())
        links[info[12].decode()] = i
        if joint.kind != "fixed":
            follows = joint.mimic
            q = follows.multiplier * values[follows.joint] if follows else values[joint.name]
            pybullet.resetJointState(arm, i, q, physicsClientId=client)
    return links


def test_pybullet_places_every_link_where_the_model_does(body):
    pybullet, client, arm = body
    q = np.array([0.5, 0.4, 0.6, 0.3, -0.7, 0.9])
    for name, index in place(body, q).items():
        if index >= 0:
            state = pybullet.getLinkState(arm, index, computeForwardKinematics=True, physicsClientId=client)
            np.testing.assert_allclose(state[4], forward_chain(MODEL, q, name)[:3, 3], atol=1e-6)


# Servo degrees of the reference's safe poses, as joint angles.
POSES = {
    "upright": [0, 0, 0, 0, 0],
    "look-down": [0, -45, 90, 90, 0],
    "transit": [0, 10, 40, 40, 175],
    "rest": [0, -66, 90, 88, -1],
}


@pytest.mark.parametrize("gap", [0.0, math.pi / 2])
@pytest.mark.parametrize("pose", POSES)
def test_nothing_touches_at_the_safe_poses(body, pose, gap):
    """Apart from neighbours in the chain, which overlap where they are hinged, and the closed finger pads."""
    pybullet, client, arm = body
    links = place(body, [*np.radians(POSES[pose]), gap])
    names = {index: name for name, index in links.items()}
    above = {j.child: j.parent for j in MODEL.joints}
    hinged = {frozenset(pair) for pair in above.items()} | {frozenset(("camera_link", "link4"))}
    closed = {frozenset(("right_finger", "left_finger"))} if gap else set()
    touching = set()
    for a, b in combinations(sorted(names), 2):
        pair = frozenset((names[a], names[b]))
        if pair not in hinged | closed:
            points = pybullet.getClosestPoints(arm, arm, 0.0, a, b, physicsClientId=client)
            touching |= {pair} if any(point[8] < 0 for point in points) else set()
    assert touching == set()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><robot name="&b;"/>', "with a document type"),
        ("<robot>" + " " * 1_000_001 + "</robot>", "longer than 1000000 characters"),
        ("\0", "is not XML"),
        (("<a>" * 100_000), "is not XML"),
    ],
)
def test_a_description_that_would_grow_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_model(text)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_a_number_that_is_not_finite_is_named(number: str) -> None:
    text = share_file("urdf", "dofbot.urdf").read_text()
    for key in ('upper="', 'lower="'):
        start = text.index(key) + len(key)
        changed = text[:start] + number + text[text.index('"', start) :]
        with pytest.raises(ConfigError, match=f"{key[:5]}='{number}' is not finite"):
            parse_model(changed)
