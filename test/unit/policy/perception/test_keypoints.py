"""Keypoints tell where the camera stands and where the block lies; pictures show what their labels say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.core.transforms import exp_so3, rot_z, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.policy.env.sim_robot import SimRobot, SimRobotConfig
from dofbot_ros.policy.interface.tool_pitch_map import reach_map
from dofbot_ros.policy.perception.camera_estimate import CameraEstimate
from dofbot_ros.policy.perception.keypoint_data import KeypointData, empty_data, load_data, record, render_data
from dofbot_ros.policy.perception.keypoints import (
    ARM_KEYPOINTS,
    BLOCK,
    arm_points,
    image_yaw,
    on_plane,
    project,
    yaw_of,
)
from dofbot_ros.policy.perception.pixels import WIDTH, PolicyCamera, nominal_view
from dofbot_ros.sim.config import CameraConfig
from dofbot_ros.sim.randomization import load_level

INTRINSICS, NOMINAL = nominal_view(WIDTH)
SHARP = np.full(len(ARM_KEYPOINTS), 1.5)
SIGMA = [0.3] * len(ARM_KEYPOINTS)

places = st.tuples(st.floats(0.10, 0.28), st.floats(-0.2, 0.2))
turns = st.floats(-math.pi, math.pi)


@st.composite
def displacements(draw: st.DrawFn) -> FloatArray:
    """A camera knocked by up to 15 mm and 3 degrees."""
    direction, axis = (np.array(draw(st.tuples(*[st.floats(-1, 1)] * 3))) for _ in range(2))
    shift, turn = draw(st.floats(0.0, 0.015)), math.radians(draw(st.floats(0.0, 3.0)))
    direction, axis = (v / max(1.0, float(np.linalg.norm(v))) for v in (direction, axis))
    return NOMINAL @ transform(exp_so3(turn * axis), shift * direction)


def joints(radius: float, azimuth: float, z: float) -> list[float]:
    bent = reach_map().solve(radius, z)
    assert bent is not None
    return [azimuth, *bent, 0.0, 0.0]


@given(place=places, yaw=turns, z=st.floats(0.0, 0.08), pose=displacements())
def test_places_and_yaws_come_back_from_the_picture(
    place: tuple[float, float], yaw: float, z: float, pose: FloatArray
) -> None:
    point = np.array([[*place, z]])
    pixel = project(point, INTRINSICS, pose)
    assert on_plane(pixel, INTRINSICS, pose, z) == pytest.approx(point, abs=1e-9)
    told = yaw_of(
        pixel[0], image_yaw(point[0], yaw, lambda points: project(points, INTRINSICS, pose)), INTRINSICS, pose, z
    )
    assert math.remainder(told - yaw, 2 * math.pi) == pytest.approx(0.0, abs=0.02)


@settings(max_examples=40, deadline=None)
@given(pose=displacements(), place=places, azimuth=st.floats(-0.5, 0.5))
def test_the_arm_in_the_picture_tells_a_knocked_camera_from_its_calibration(
    pose: FloatArray, place: tuple[float, float], azimuth: float
) -> None:
    camera = CameraEstimate(INTRINSICS, NOMINAL, SIGMA)
    for i in range(25):
        q = joints(0.16 + 0.002 * i, azimuth, 0.11 - 0.002 * i)
        camera.update(project(arm_points(q), INTRINSICS, pose), SHARP, q, q)
    block = np.array([[*place, 0.015]])
    pixel = project(block, INTRINSICS, pose)
    error = np.linalg.norm(on_plane(pixel, INTRINSICS, camera.pose, 0.015) - block)
    assert error < 0.001 + 0.05 * np.linalg.norm(on_plane(pixel, INTRINSICS, NOMINAL, 0.015) - block)


def test_a_late_picture_of_a_moving_arm_does_not_move_the_camera() -> None:
    camera = CameraEstimate(INTRINSICS, NOMINAL, SIGMA)
    for i in range(20):
        before, q = joints(0.20, 0.06 * (i - 1) - 0.5, 0.1), joints(0.20, 0.06 * i - 0.5, 0.1)
        camera.update(project(arm_points(before), INTRINSICS, NOMINAL), SHARP, q, before)
    centre = np.array([[0.20, 0.0, 0.015]])
    pixel = project(centre, INTRINSICS, NOMINAL)
    assert on_plane(pixel, INTRINSICS, camera.pose, 0.015) == pytest.approx(centre, abs=0.0025)


def test_points_that_were_not_found_are_not_believed() -> None:
    camera = CameraEstimate(INTRINSICS, NOMINAL, SIGMA)
    q = joints(0.2, 0.0, 0.1)
    camera.update(np.full((len(ARM_KEYPOINTS), 2), 5.0), SHARP, q, q)
    assert camera.pose == pytest.approx(NOMINAL)


@pytest.fixture(scope="module")
def data() -> KeypointData:
    return render_data(load_level("none"), 24, (5,))


def test_a_block_lies_where_its_label_says() -> None:
    """What differs from the grey table on the side that the arm is not on is the block."""
    sim = SimRobot(SimRobotConfig(marked="red"))
    seen = empty_data(6)
    draw = load_level("none").draw(np.random.default_rng(0))
    camera = PolicyCamera(sim.world, draw)
    for i in range(6):
        sim.reset(draw, joints(0.2, -0.9, 0.1), seed=i)
        sim.world.place("red", transform(rot_z(0.3 * i), (0.14 + 0.02 * i, 0.16 - 0.03 * i, 0.015)))
        record(seen, i, sim, camera)
    sim.close()
    for picture, pixels, shown in zip(seen.pictures, seen.pixels, seen.shown, strict=True):
        u, v = np.rint(pixels[BLOCK]).astype(int)
        near = picture[v - 7 : v + 8, u - 7 : u + 8].astype(float)
        there = np.abs(near - np.array(CameraConfig().table_colour)).max(axis=2) > 30
        rows, columns = np.nonzero(there)
        assert np.array([columns.mean() + u - 7, rows.mean() + v - 7]) == pytest.approx(pixels[BLOCK], abs=0.8)
        assert shown > 0.95


def test_pictures_repeat_themselves_and_survive_a_file(data: KeypointData, tmp_path: Path) -> None:
    again = render_data(load_level("none"), 3, (5,))
    assert np.array_equal(again.pictures, data.pictures[:3])
    path = tmp_path / "some.npz"
    again.save(path)
    both = load_data([path, path])
    assert len(both) == 6
    assert np.array_equal(both.pixels[3:], again.pixels)


def test_what_shows_of_a_block_is_told(data: KeypointData) -> None:
    assert data.shown.min() >= 0.0
    assert data.shown.max() == pytest.approx(1.0, abs=0.05)
    assert data.shown.std() > 0.1
