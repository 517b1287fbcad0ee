"""The rendered picture is where OpenCV's camera model says, and its markers are the blocks' own."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import apply, invert, rot_rpy, transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import ConfigError
from dofbot_ros.sim.config import CameraConfig, WorldConfig, load_world_config
from dofbot_ros.sim.rendering.camera import SimCamera, block_windows, cropped
from dofbot_ros.sim.world import World
from dofbot_ros.vision.extrinsics import load_extrinsics
from dofbot_ros.vision.markers.aruco import MarkerDetector
from dofbot_ros.vision.markers.block_layout import FACE_AXES
from dofbot_ros.vision.markers.blocks import BlockLocaliser

OVERHEAD = CameraConfig()
SLANTED = replace(OVERHEAD, position=(0.55, 0.2, 0.35), target=(0.2, 0.0, 0.03), up=(0.0, 0.0, 1.0))
SMALL = replace(OVERHEAD, width=224, height=224)


def project(camera: SimCamera, points: FloatArray) -> FloatArray:
    T_camera_world = invert(camera.pose())
    rotation, _ = cv2.Rodrigues(T_camera_world[:3, :3])
    pixels, _ = cv2.projectPoints(points, rotation, T_camera_world[:3, 3], camera.intrinsics.K, None)
    return np.asarray(pixels[:, 0], np.float64)


@pytest.mark.parametrize("config", [OVERHEAD, SLANTED, SMALL], ids=["overhead", "slanted", "small"])
def test_a_known_point_is_drawn_where_opencv_projects_it(config: CameraConfig) -> None:
    world = World(WorldConfig(marked=()))
    client = world.client
    shape = client.createVisualShape(client.GEOM_SPHERE, radius=0.006, rgbaColor=[1, 0, 0, 1])
    ball = client.createMultiBody(0, -1, shape)
    camera = SimCamera(world, replace(config, light=replace(config.light, ambient=1.0, diffuse=0.0)))
    rng = np.random.default_rng(1)
    offsets = []
    for _ in range(12):
        point = rng.uniform([0.12, -0.12, 0.0], [0.28, 0.12, 0.08])
        client.resetBasePositionAndOrientation(ball, point, [0, 0, 0, 1])
        image = camera.render().astype(int)
        rows, columns = np.nonzero((image[..., 0] > 200) & (image[..., 1] < 60))
        offsets.append([columns.mean(), rows.mean()] - project(camera, point[None])[0])
    # A ball is a few dozen whole pixels, so single centroids scatter; a wrong convention would shift all by a half.
    assert np.abs(offsets).max() < 0.3
    assert np.abs(np.mean(offsets, axis=0)).max() < 0.1


def seen_markers(image: ImageArray, dictionary: str) -> dict[int, FloatArray]:
    return {marker.id: marker.corners for marker in MarkerDetector(dictionary).detect(image)}


@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("face", FACE_AXES)
def test_every_face_carries_its_own_marker_the_right_way_round(face: str, quarter_turns: int) -> None:
    world = World(WorldConfig(marked=("red",)))
    block = world.blocks.block("red")
    turned = replace(
        block, faces={f: replace(marker, quarter_turns=quarter_turns) for f, marker in block.faces.items()}
    )
    world = World(WorldConfig(marked=("red",)), blocks=replace(world.blocks, blocks=(turned,)))
    tilt = rot_rpy(0.3, 0.2, 0.4)
    up = np.linalg.inv(turned.face_frame(face)[:3, :3])
    world.place("red", transform(tilt @ up, (0.2, 0.0, 0.1)))
    camera = SimCamera(world, replace(OVERHEAD, position=(0.2, 0.0, 0.3), target=(0.2, 0.0, 0.1)))
    found = seen_markers(camera.render(), world.blocks.dictionary)
    assert turned.faces[face].id in found
    for marker, corners in found.items():
        placed = world.blocks.markers()[marker]
        expected = project(camera, apply(world.truth()["red"], placed.corners))
        # The neighbouring faces are seen at a grazing angle.
        assert np.abs(corners - expected).max() < (0.3 if placed.face == face else 1.0), placed.face


def test_poses_solved_from_the_picture_are_the_true_ones() -> None:
    world = World()
    camera = SimCamera(world, replace(OVERHEAD, noise=1.5), np.random.default_rng(0))
    localiser = BlockLocaliser(world.blocks, camera.intrinsics)
    for seed in range(6):
        world.scatter(seed)
        truth = world.truth()
        found = localiser.locate(camera.render(), 0.0, camera.pose()).blocks
        assert {block.name for block in found} == set(truth)
        for block in found:
            assert np.linalg.norm(block.T_base_block[:3, 3] - truth[block.name][:3, 3]) < 0.5e-3
            assert block.T_base_block[:3, :3] == pytest.approx(truth[block.name][:3, :3], abs=0.02)


@pytest.mark.slow
def test_the_arm_at_its_start_hides_no_block_from_the_overhead_camera() -> None:
    world = World()
    camera = SimCamera(world)
    for seed in range(25):
        world.scatter(seed)
        truth = world.truth()
        visible = seen_markers(camera.render(), world.blocks.dictionary)
        for marker, placed in world.blocks.markers().items():
            pose = truth.get(placed.block.name)
            if pose is not None and (pose[:3, :3] @ placed.block.face_frame(placed.face)[:3, 2])[2] > 0.99:
                assert marker in visible, f"seed {seed}: {placed.block.name} {placed.face}"


def test_wrist_camera_sits_at_its_frame_and_moves_with_the_arm() -> None:
    world = World(WorldConfig(marked=("red",)))
    camera = SimCamera(world, replace(OVERHEAD, mount="wrist", field_of_view=1.2))
    assert camera.pose() == pytest.approx(world.arm.link_pose("camera_optical_frame"))
    world.arm.teleport([0.0, -0.2, 1.2, 1.3, 0.0, 0.0])
    eye = camera.pose()
    distance = -eye[2, 3] / eye[2, 2]
    on_axis = eye[:3, 3] + distance * eye[:3, 2]
    world.place("red", transform(None, (on_axis[0], on_axis[1], 0.015)))
    placed = world.blocks.markers()[4]
    expected = project(camera, apply(world.truth()["red"], placed.corners))
    assert seen_markers(camera.render(), world.blocks.dictionary)[4] == pytest.approx(expected, abs=0.5)


def test_pictures_repeat_and_noise_is_drawn_from_the_generator() -> None:
    world = World(seed=2)
    clean = SimCamera(world).render()
    assert np.array_equal(clean, SimCamera(world).render())
    noisy = [SimCamera(world, replace(OVERHEAD, noise=3.0), np.random.default_rng(s)).render() for s in (0, 0, 1)]
    assert np.array_equal(noisy[0], noisy[1])
    assert not np.array_equal(noisy[0], noisy[2])
    table = clean[20:60, 20:100].astype(float)
    assert (noisy[0][20:60, 20:100] - table).std() == pytest.approx(3.0, rel=0.1)


def test_table_ends_at_the_horizon() -> None:
    world = World(WorldConfig(marked=()))
    level = replace(OVERHEAD, position=(0.2, 0.2, 0.1), target=(0.2, 0.6, 0.1), up=(0.0, 0.0, 1.0))
    image = SimCamera(world, level).render()
    assert len(np.unique(image[:230].reshape(-1, 3), axis=0)) == 1, "above the horizon there is nothing"
    assert (image[470, 320] != image[10, 10]).any()


def test_windows_cover_the_blocks_and_cropping_shifts_the_picture() -> None:
    world = World()
    camera = SimCamera(world)
    for (left, top, right, bottom), (name, pose) in zip(
        block_windows(world, camera.intrinsics, camera.pose()), world.truth().items(), strict=True
    ):
        block = world.blocks.block(name)
        for face in block.faces:
            pixels = project(camera, apply(pose, block.marker_corners(face)))
            assert np.all((pixels > [left, top]) & (pixels < [right - 1, bottom - 1]))
    part = cropped(camera.intrinsics, 100, 50, 300, 250)
    assert part.size == (200, 200)
    assert camera.intrinsics.K[:2, 2] - part.K[:2, 2] == pytest.approx([100, 50])


def test_the_shipped_extrinsics_are_those_of_the_shipped_camera() -> None:
    shipped = load_extrinsics(share_file("config", "sim_camera.yaml"))
    assert shipped.matrix == pytest.approx(SimCamera(World(load_world_config())).pose(), abs=1e-9)
    assert shipped.frame == SimCamera(World()).intrinsics.frame


def test_impossible_cameras_are_refused() -> None:
    with pytest.raises(ConfigError, match="field_of_view"):
        CameraConfig(field_of_view=4.0)
    with pytest.raises(ConfigError, match="up must not"):
        CameraConfig(up=(0.0, 0.0, 1.0))
    with pytest.raises(ConfigError, match="noise"):
        CameraConfig(noise=-1.0)
