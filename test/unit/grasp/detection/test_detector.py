"""From an image to grasps: blocks are found, on a bare table nothing is, and the arm in the way is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.transforms import rot_z, transform
from dofbot_ros.core.types import ImageArray
from dofbot_ros.grasp.detection.clear_view import arm_hides
from dofbot_ros.grasp.detection.detector import GraspDetection, GraspDetector, NothingToGraspError
from dofbot_ros.grasp.detection.model_io import load_model
from dofbot_ros.grasp.detection.overlay import BANNER_PX, BEST, SCALE, draw_detection
from dofbot_ros.grasp.detection.planner import NetworkPlanner
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.simulation.grasp_sim import pinch_planner
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.sim.config import PlainBlock, WorldConfig
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World

BLOCKS = (PlainBlock("red", (200, 40, 40)), PlainBlock("blue", (40, 80, 190), 0.025))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    pytest.importorskip("pybullet")
    world = World(WorldConfig(marked=(), plain=BLOCKS), 0)
    yield world
    world.close()


@pytest.fixture(scope="module")
def detector() -> GraspDetector:
    pytest.importorskip("onnxruntime")
    return GraspDetector(NetworkPlanner(load_model(), count=4), pinch_planner(), np.zeros(5))


def look(world: World, detector: GraspDetector, red: tuple[float, float], blue: tuple[float, float]) -> GraspDetection:
    for name, (x, y) in (("red", red), ("blue", blue)):
        world.place(name, transform(rot_z(0.4), (x, y, 0.5 * world.block_size(name))))
    camera = SimCamera(world)
    return detector.detect(camera.render(), camera.intrinsics, camera.pose())


AWAY = (0.20, 0.50)
"""Outside of the view."""


@pytest.mark.parametrize(("x", "y"), [(0.17, -0.03), (0.21, 0.035), (0.23, 0.0)])
def test_the_best_grasp_is_on_the_block(world: World, detector: GraspDetector, x: float, y: float) -> None:
    plan = look(world, detector, (x, y), AWAY).best()
    assert np.hypot(plan.pinch.x - x, plan.pinch.y - y) < 0.010
    # The motions hang together, and lead back to where they began.
    motions = plan.motions
    np.testing.assert_array_equal(motions.reach.positions[0], np.zeros(5))
    np.testing.assert_allclose(motions.descend.positions[0], motions.reach.positions[-1], atol=1e-9)
    np.testing.assert_allclose(motions.lift.positions[0], motions.descend.positions[-1], atol=1e-9)
    np.testing.assert_allclose(plan.back.positions[0], motions.lift.positions[-1], atol=1e-9)
    np.testing.assert_allclose(plan.back.positions[-1], np.zeros(5), atol=1e-9)


def test_a_bare_table_has_nothing_to_grasp(world: World, detector: GraspDetector) -> None:
    detection = look(world, detector, AWAY, (0.1, -0.6))
    assert not detection.offers
    assert detection.chance < 0.5 * detection.min_chance
    with pytest.raises(NothingToGraspError, match="nothing on the table"):
        detection.best()


def test_what_is_out_of_reach_is_told(world: World) -> None:
    """The same network, told that its view lies further out than the arm reaches."""
    model = load_model()
    far = TopDownView(centre=(0.40, 0.0))
    object.__setattr__(model.info, "view", far)
    detector = GraspDetector(NetworkPlanner(model, count=2), pinch_planner(), np.zeros(5), min_chance=1e-6)
    detection = look(world, detector, (0.41, 0.0), AWAY)
    assert detection.offers
    assert not detection.reachable
    with pytest.raises(NothingToGraspError, match=r"nothing within reach of 2 grasps: no grasp at x 0\.4"):
        detection.best()


def test_the_picture_shows_the_best_grasp_in_white(world: World, detector: GraspDetector) -> None:
    detection = look(world, detector, (0.19, 0.03), AWAY)
    picture = draw_detection(detection, "words")
    assert picture.shape == (SCALE * detection.view.size + BANNER_PX, SCALE * detection.view.size, 3)
    row, column = detection.view.to_pixel(detection.best().pinch.x, detection.best().pinch.y)
    around = picture[BANNER_PX + round(SCALE * row) - 4 :, round(SCALE * column) - 4 :][: 2 * SCALE, : 2 * SCALE]
    assert (around == BEST).all(axis=-1).any()
    # Far from any object the view keeps its colour.
    np.testing.assert_array_equal(picture[-1, 0], detection.image[-1, 0])


def test_an_arm_that_covers_the_view_is_never_taken_for_out_of_it(world: World) -> None:
    small = replace(world.config.camera, width=160, height=120, supersampling=1)
    camera, view, kinematics = SimCamera(world, small), TopDownView(), Kinematics()
    workspace, rng = Workspace(kinematics), np.random.default_rng(3)

    def seen() -> ImageArray:
        return view.rectify(camera.render(), camera.intrinsics, camera.pose())

    world.arm.teleport(np.zeros(6))
    free = seen()
    counts = {True: 0, False: 0}
    while min(counts.values()) < 8:
        q = np.append(rng.uniform([-1.5, -0.5, -0.5, -0.5, -1.5], 1.5), rng.uniform(0.0, 1.5))
        if workspace.clearances(q).min() < 0.0:
            continue
        world.arm.teleport(q)
        covered = bool((seen() != free).any())
        counts[covered] += 1
        if covered:
            assert arm_hides(kinematics, q, view, camera.pose()), q
    world.arm.teleport(np.zeros(6))
    assert not arm_hides(kinematics, np.zeros(6), view, camera.pose())
