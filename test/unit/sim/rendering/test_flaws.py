"""A flawed arm gives way and stands as its flaws say; a flawed camera shows what lens, tone and shadows make of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.transforms import apply, invert
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.config import CameraConfig, WorldConfig
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.rendering.flaws import ArmFlaws, PictureFlaws
from dofbot_ros.sim.rendering.picture import develop
from dofbot_ros.sim.rendering.tables import table_picture
from dofbot_ros.sim.world import World
from dofbot_ros.vision.markers.blocks import BlockLocaliser

pytest.importorskip("pybullet")

STRETCHED = np.array([0.0, 1.3, 0.0, 0.0, 0.0, 0.0])
"""Nearly level; the simulated joint itself ends at a quarter turn."""
EMPTY = WorldConfig(marked=())


def rest_at(world: World, goal: FloatArray, **servos: Any) -> tuple[FloatArray, FloatArray]:
    """True and measured joint angles [rad] (6,) of an arm that has long been told to be at `goal`."""
    arm = SimArm(world, **servos)
    arm.connect()
    arm.write(goal, 1.5)
    arm.clock.sleep_until(arm.clock.now() + 3.0)
    return world.arm.positions(), arm.read().position


@pytest.fixture
def worlds() -> Iterator[Any]:
    made: list[World] = []

    def make(config: WorldConfig) -> World:
        made.append(World(config))
        return made[-1]

    yield make
    for world in made:
        world.close()


def test_gravity_bends_a_stretched_arm_by_what_the_flaws_say_and_encoders_see_all_but_the_flex(worlds: Any) -> None:
    flaws = ArmFlaws(droop_rad=0.03, flex_rad=0.01, play_rad=0.02)
    true, measured = rest_at(worlds(replace(EMPTY, arm=flaws)), STRETCHED)
    ideal, _ = rest_at(worlds(EMPTY), STRETCHED)
    assert true[1] - ideal[1] == pytest.approx(math.sin(1.3) * (0.03 + 0.01) + 0.01, abs=0.003)
    assert true[1] - measured[1] == pytest.approx(math.sin(1.3) * 0.01, abs=0.001)
    assert true[3] - ideal[3] < true[1] - ideal[1]


def test_an_upright_arm_is_not_bent(worlds: Any) -> None:
    true, _ = rest_at(worlds(replace(EMPTY, arm=ArmFlaws(droop_rad=0.05, flex_rad=0.02))), np.zeros(6))
    np.testing.assert_allclose(true[:5], 0.0, atol=2e-3)


def test_lengths_and_tilt_move_the_tool(worlds: Any) -> None:
    q = np.array([0.4, 0.8, 0.6, 0.7, 0.0, 0.0])
    flaws = ArmFlaws(upper_arm_m=0.002, forearm_m=-0.001, tool_m=0.001, base_height_m=0.004)
    world = worlds(replace(EMPTY, arm=flaws))
    world.arm.teleport(q)
    kinematics = replace_lengths(flaws)
    np.testing.assert_allclose(world.arm.link_pose("tool_link"), kinematics.tool_transform(q[:5]), atol=1e-6)
    tilted = worlds(replace(EMPTY, arm=replace(flaws, tilt=(0.01, -0.02))))
    tilted.arm.teleport(q)
    expected = tilted.arm.pose @ kinematics.tool_transform(q[:5])
    np.testing.assert_allclose(tilted.arm.link_pose("tool_link"), expected, atol=1e-6)


def replace_lengths(flaws: ArmFlaws) -> Any:
    drawn = DRAWN.kinematics
    return type(drawn)(
        base_height=drawn.base_height + flaws.base_height_m,
        upper_arm=drawn.upper_arm + flaws.upper_arm_m,
        forearm=drawn.forearm + flaws.forearm_m,
        tool=drawn.tool + flaws.tool_m,
    )


def test_fingers_move_along_the_tool_and_across_it(worlds: Any) -> None:
    straight, moved = worlds(EMPTY), worlds(replace(EMPTY, arm=ArmFlaws(finger_along_m=0.002, finger_across_m=-0.003)))
    for finger in ("left_finger", "right_finger"):
        by = moved.arm.link_pose(finger)[:3, 3] - straight.arm.link_pose(finger)[:3, 3]
        np.testing.assert_allclose(by, [0.0, -0.003, 0.002], atol=1e-6)


def test_servos_whose_zero_is_off_stand_off_and_do_not_know_it(worlds: Any) -> None:
    told = DEFAULT_CALIBRATION
    true = replace(told, joint2=replace(told.joint2, zero_ticks=told.joint2.zero_ticks + 24))
    at, measured = rest_at(worlds(EMPTY), np.array([0.0, 0.5, 0.0, 0.0, 0.0, 0.0]), truth=true)
    assert measured[1] == pytest.approx(0.5, abs=0.01)
    assert at[1] - measured[1] == pytest.approx(-math.radians(24 / told.joint2.ticks_per_degree), abs=1e-3)


def test_a_lens_shows_blocks_where_its_intrinsics_say(worlds: Any) -> None:
    world = worlds(WorldConfig())
    camera = SimCamera(world, replace(world.config.camera, flaws=PictureFlaws(k1=-0.3)))
    found = BlockLocaliser(world.blocks, camera.intrinsics).locate(camera.render(), 0.0, camera.pose())
    assert len(found.blocks) == 4
    truth = world.truth()
    for block in found.blocks:
        assert 1e3 * np.linalg.norm(block.T_base_block[:3, 3] - truth[block.name][:3, 3]) < 0.4
        T = invert(camera.pose()) @ truth[block.name]
        pixel, _ = cv2.projectPoints(
            T[:3, 3][None], np.zeros(3), np.zeros(3), camera.intrinsics.K, np.array([-0.3, 0, 0, 0, 0])
        )
        u, v = pixel.ravel().round().astype(int)
        assert camera.bodies[v, u] == world.body_id(block.name)


def test_a_label_glued_askew_is_where_its_layout_says(worlds: Any) -> None:
    blocks = WorldConfig().blocks or World(WorldConfig()).blocks
    askew = replace(
        blocks,
        blocks=tuple(
            replace(b, faces={f: replace(m, shift=(0.0015, -0.001), turn=0.05) for f, m in b.faces.items()})
            for b in blocks.blocks
        ),
    )
    world = worlds(WorldConfig(blocks=askew))
    camera = SimCamera(world)
    true, told = (
        BlockLocaliser(known, camera.intrinsics).locate(camera.render(), 0.0, camera.pose())
        for known in (askew, blocks)
    )
    truth = world.truth()
    assert len(true.blocks) == 4
    for block in true.blocks:
        assert 1e3 * np.linalg.norm((block.T_base_block - truth[block.name])[:2, 3]) < 0.3
    for block in told.blocks:
        assert 1e3 * np.linalg.norm((block.T_base_block - truth[block.name])[:2, 3]) > 1.0


def test_a_shadow_darkens_the_table_beside_a_block_and_nothing_else(worlds: Any) -> None:
    world = worlds(WorldConfig())
    plain = SimCamera(world).render().astype(int)
    shaded = SimCamera(world, replace(world.config.camera, flaws=PictureFlaws(shadow=0.5))).render().astype(int)
    assert (shaded <= plain).all()
    camera = SimCamera(world)
    pose = next(iter(world.truth().values()))
    light = np.array(world.config.camera.light.direction)
    # The shadow of a 30 mm cube is 15 mm long here, and begins 15 to 21 mm from its centre.
    in_shadow = pose[:3, 3] - 0.024 * np.append(light[:2] / np.linalg.norm(light[:2]), 0.0)
    in_shadow[2] = 0.0
    p = camera.intrinsics.K @ apply(invert(camera.pose()), in_shadow[None])[0]
    u, v = (p[:2] / p[2]).round().astype(int)
    assert shaded[v, u].sum() < 0.8 * plain[v, u].sum()


def test_tone_and_compression_do_what_they_say() -> None:
    grey = np.full((32, 32, 3), 128, np.uint8)
    rng = np.random.default_rng(0)
    assert develop(grey, PictureFlaws(), 0.0, rng) is grey
    assert int(develop(grey, PictureFlaws(exposure=2.0), 0.0, rng).max()) == 255
    darker = develop(grey, PictureFlaws(gamma=2.0), 0.0, rng)
    assert int(darker[0, 0, 0]) == round(255 * (128 / 255) ** 2)
    warm = develop(grey, PictureFlaws(white_balance=(1.2, 1.0, 0.8)), 0.0, rng)
    assert warm[0, 0, 0] > warm[0, 0, 1] > warm[0, 0, 2]
    noisy = develop(grey, PictureFlaws(), 5.0, rng)
    assert 4.0 < noisy.std() < 6.0
    assert not np.array_equal(develop(noisy, PictureFlaws(jpeg_quality=50), 0.0, rng), noisy)


@pytest.mark.parametrize("kind", ["wood", "printed", "cluttered"])
def test_tables_are_drawn_by_their_seed(kind: Any) -> None:
    first, again, other = (table_picture((0, 0, 0), 200, kind, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_flaws_that_no_arm_and_no_camera_has_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"upper_arm_m must be -0\.02 to 0\.02, got 0\.5"):
        ArmFlaws(upper_arm_m=0.5)
    with pytest.raises(ConfigError, match=r"droop_rad must be 0 to 0\.2"):
        ArmFlaws(droop_rad=-0.01)
    with pytest.raises(ConfigError, match=r"k1 must be -0\.6 to 0\.6"):
        PictureFlaws(k1=-2.0)
    with pytest.raises(ConfigError, match="gamma must be positive"):
        PictureFlaws(gamma=0.0)
    CameraConfig(flaws=PictureFlaws(k1=-0.3))
