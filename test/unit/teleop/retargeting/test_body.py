from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.transforms import rot_axis
from dofbot_ros.core.types import FloatArray
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.teleop.config import ArmConfig, TeleopConfig
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation, Side
from dofbot_ros.teleop.retargeting.body import SIDES, arm_angles, hand_raised
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.retargeting.pipeline import landmark_pipeline

CAMERA_FROM_PERSON = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
"""A person who faces the camera: forward is towards it, his left is right in the image, up is up."""


def person(
    *, raised: float = 0.0, yaw: float = 0.0, elbow: float = 0.0, wrist: float = 0.0, side: Side = "right",
    other_up: bool = False, turned: float = 0.0,
) -> Landmarks:  # fmt: skip
    """A person of sticks: `raised` from hanging, in the vertical plane at `yaw` to his left, `elbow` bent upwards."""
    world = np.zeros((33, 3))
    world[[11, 12]] = [(0.0, 0.2, 0.5), (0.0, -0.2, 0.5)]
    world[[23, 24]] = [(0.0, 0.12, 0.0), (0.0, -0.12, 0.0)]
    other: Side = "left" if side == "right" else "right"
    for name, lift, bend, hand in ((side, raised, elbow, wrist), (other, 2.8 if other_up else 0.0, 0.0, 0.0)):
        p = SIDES[name]
        out = np.array([np.cos(yaw), np.sin(yaw), 0.0]) if name == side else np.array([1.0, 0.0, 0.0])
        angles = (lift, lift + bend, lift + bend - hand)
        points = [world[p.shoulder]]
        for angle, length in zip(angles, (0.3, 0.26, 0.1), strict=True):
            points.append(points[-1] + length * (np.sin(angle) * out + np.array([0.0, 0.0, -np.cos(angle)])))
        world[p.elbow], world[p.wrist] = points[1], points[2]
        world[p.index] = world[p.little] = points[3]
    world = world @ rot_axis((0.0, 0.0, 1.0), turned).T @ CAMERA_FROM_PERSON.T
    image = np.column_stack([world[:, :2] * 300 + (320, 240), world[:, 2] * 300])
    return Landmarks(image, world, 0.9, None, np.full(33, 0.9))


def flipped(body: Landmarks) -> Landmarks:
    """What MediaPipe makes of the mirrored image: the picture turned over, left taken for right."""
    swap = np.arange(33)
    swap[11:25] = [12, 11, 14, 13, 16, 15, 18, 17, 20, 19, 22, 21, 24, 23]
    return replace(body, world=(body.world * (-1, 1, 1))[swap], image=((640, 0, 0) + body.image * (-1, 1, 1))[swap])


@pytest.mark.slow
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("mirrored", [False, True])
@settings(deadline=None)
@given(
    pose=st.tuples(st.floats(0.4, 2.0), st.floats(-1.0, 1.0), st.floats(0.0, 1.5), st.floats(-0.8, 0.8)).filter(
        lambda pose: pose[0] + pose[2] < 2.6
    ),
    turned=st.floats(-0.6, 0.6),
)
def test_the_angles_of_an_arm_are_read_however_the_person_stands(
    side: Side, mirrored: bool, pose: tuple[float, float, float, float], turned: float
) -> None:
    raised, yaw, elbow, wrist = pose
    body = person(raised=raised, yaw=yaw, elbow=elbow, wrist=wrist, side=side, turned=turned)
    angles = arm_angles(flipped(body) if mirrored else body, side, mirrored)
    assert (angles.yaw, angles.raised, angles.elbow, angles.wrist_bend) == pytest.approx(
        (yaw, raised, elbow, wrist), abs=1e-6
    )


def test_a_hanging_arm_has_no_direction() -> None:
    angles = arm_angles(person(), "right", False)
    assert angles.yaw is None
    assert (angles.raised, angles.elbow) == pytest.approx((0.0, 0.0))


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_other_hand_is_seen_when_raised(mirrored: bool) -> None:
    for up in (False, True):
        body = person(raised=0.5, other_up=up)
        assert hand_raised(flipped(body) if mirrored else body, "right", mirrored) is up


def follow(bodies: list[Landmarks | None], config: TeleopConfig, joints: FloatArray) -> tuple[FloatArray, str]:
    """Two seconds of each body at 30 Hz; engaged by the raised hand at the beginning."""
    kinematics = Kinematics()
    teleop = landmark_pipeline(config, kinematics, Workspace(kinematics))
    shown = [person(raised=0.5)] * 20 + [person(raised=0.5, other_up=True)] * 40
    shown += [body for body in bodies for _ in range(120)]  # type: ignore[misc]
    for i, body in enumerate(shown):
        now = 1.0 + i / 30
        teleop.observe(Observation(now, 640, 480, None, body), now)
        for k in range(2):
            if command := teleop.step(joints, now + k / 60):
                assert np.abs(command.position - joints).max() <= config.motion.max_velocity / 50 * 1.01
                joints = command.position
    return joints, teleop.status.reason if not teleop.status.engaged else "engaged"


ARM = TeleopConfig(mode="arm")


def test_the_robot_takes_the_pose_of_the_persons_arm() -> None:
    joints, state = follow([person(raised=0.9, yaw=0.5, elbow=0.6, wrist=0.3)], ARM, np.zeros(6))
    assert state == "engaged"
    assert joints[:4] == pytest.approx([0.5, 0.9, 0.42, 0.3], abs=0.03)


def test_as_a_mirror_it_turns_the_other_way() -> None:
    config = replace(ARM, arm=ArmConfig(facing="mirror"))
    joints, _ = follow([person(raised=0.9, yaw=0.5)], config, np.zeros(6))
    assert joints[0] == pytest.approx(-0.5, abs=0.03)


def test_a_person_who_leaves_is_named() -> None:
    _, state = follow([None], ARM, np.zeros(6))
    assert state is Reason.BODY_LOST


def test_an_arm_that_is_not_seen_well_does_not_steer() -> None:
    dim = person(raised=0.9)
    assert dim.visibility is not None
    visibility = dim.visibility.copy()
    visibility[SIDES["right"].elbow] = 0.2
    _, state = follow([replace(dim, visibility=visibility)], ARM, np.zeros(6))
    assert state is Reason.LOW_SCORE


def test_without_a_hand_in_view_the_gripper_stays() -> None:
    start = np.array([0.0, 0.5, 0.5, 0.5, 0.0, gap_to_joint(0.03)])
    joints, _ = follow([person(raised=0.8)], ARM, start)
    assert joints[5] == pytest.approx(start[5], abs=1e-6)
