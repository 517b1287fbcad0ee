"""Which way a joint turned is told by two pictures: never wrongly, and of all joints by a camera beside the arm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pybullet")

from dofbot_ros.arm.model import load_model
from dofbot_ros.core.transforms import exp_so3, transform
from dofbot_ros.core.types import JOINT_NAMES, FloatArray, ImageArray
from dofbot_ros.grasp.sight.joint_motion import MovingArm
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World

STEP_RAD = np.radians(5.0)
GRIP = JOINT_NAMES.index("grip_joint")
PLACES = {
    "over the table": ((0.19, 0.0, 0.58), (0.19, 0.0, 0.0), (1, 0, 0)),
    "corner": ((0.5, 0.5, 0.45), (0, 0, 0.22), (0, 0, 1)),
}
Picture = Callable[[FloatArray], ImageArray]


@pytest.fixture(scope="module", params=PLACES)
def camera(request: pytest.FixtureRequest):
    """Where it stands, how to take a picture of the arm at joint angles (6,), and the camera itself."""
    config = load_world_config()
    position, target, up = PLACES[request.param]
    place = {"position": position, "target": target, "up": up, "width": 320, "height": 240}
    config = replace(config, camera=replace(config.camera, **place, noise=2.0))
    world = World(config, 0)
    sim = SimCamera(world)

    def picture(q: FloatArray) -> ImageArray:
        world.arm.teleport(q)
        return sim.render()

    yield request.param, picture, sim
    world.close()


def turned(q: FloatArray, joint: int, by: float) -> FloatArray:
    after = q.copy()
    after[joint] += by
    return after


@pytest.mark.slow
@pytest.mark.parametrize("joint", range(len(JOINT_NAMES)), ids=JOINT_NAMES)
@pytest.mark.parametrize("right", [True, False])
def test_a_camera_at_the_corner_sees_every_joint(camera, joint: int, right: bool) -> None:
    place, picture, sim = camera
    moving, q = MovingArm(load_model(), sim.intrinsics, sim.pose()), np.zeros(6)
    q[GRIP] = 0.4
    seen = moving.judge(picture(q), picture(turned(q, joint, STEP_RAD if right else -STEP_RAD)), q, joint, STEP_RAD)
    if place == "corner":
        assert seen.right is right
    else:
        # The kit's camera looks down on the table: an upright arm is out of its picture but for the turning base.
        assert seen.right is (right if joint == 0 else None)


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.data())
def test_it_is_never_wrong_where_the_camera_is_told_a_little_beside(camera, data: st.DataObject) -> None:
    _, picture, sim = camera
    errors = np.array(data.draw(st.lists(st.floats(-1.0, 1.0), min_size=6, max_size=6), label="camera"))
    believed = np.append(data.draw(st.lists(st.floats(-0.3, 0.3), min_size=5, max_size=5), label="pose"), 0.5)
    joint, sign = data.draw(st.integers(0, GRIP), label="joint"), data.draw(st.sampled_from([1.0, -1.0]), label="sign")
    beside = transform(exp_so3(0.03 * errors[:3]), 0.01 * errors[3:])
    moving, true = MovingArm(load_model(), sim.intrinsics, sim.pose() @ beside), believed.copy()
    if joint != GRIP:
        true[joint] *= sign  # what a wrong sign makes of it
    before, after = picture(true), picture(turned(true, joint, sign * STEP_RAD))
    assert moving.judge(before, after, believed, joint, STEP_RAD).right in (sign > 0.0, None)


@pytest.mark.slow
def test_an_arm_that_stood_still_tells_nothing(camera) -> None:
    _, picture, sim = camera
    moving, q = MovingArm(load_model(), sim.intrinsics, sim.pose()), np.zeros(6)
    before, after = picture(q), picture(q)  # the sensor's noise differs
    for joint in range(len(JOINT_NAMES)):
        assert moving.judge(before, after, q, joint, STEP_RAD).right is None
