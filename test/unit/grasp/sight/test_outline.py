"""The arm's outline: shadows are none, edges are found to the pixel, and an arm that stands elsewhere is told where."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import load_model
from dofbot_ros.core.transforms import transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.grasp.sight.edges import edge_offsets, foreground
from dofbot_ros.grasp.sight.fit import (
    HEIGHT,
    SHIFT,
    TURN,
    UNKNOWNS,
    ZEROS,
    ArmView,
    OutlineCamera,
    Spread,
    fit_outline,
)
from dofbot_ros.grasp.sight.registration import Registration, shown_poses
from dofbot_ros.grasp.sight.silhouette import ArmShapes, OutlinePoints
from dofbot_ros.vision.intrinsics import from_field_of_view

SHAPES = ArmShapes(load_model())
KINEMATICS = Kinematics()
# Half a metre above the table, straight down, its upper edge away from the arm.
DOWN = transform(np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]).T, (0.19, 0.0, 0.58))
CAMERA = OutlineCamera(from_field_of_view(640, 480, 0.98), DOWN)
QUICK = settings(max_examples=4, deadline=None)


def table(rng: np.random.Generator) -> ImageArray:
    coarse = rng.integers(90, 200, (24, 32, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)


def drawn(x: FloatArray, q: FloatArray) -> FloatArray:
    """Where the arm with the unknowns `x` is seen."""
    poses = SHAPES.link_poses(q + np.append(x[ZEROS], 0.0))
    poses[[link != "base_link" for link in SHAPES.links], 2, 3] += x[HEIGHT]
    pixels = [CAMERA.project(base, x) for _, _, base in SHAPES.corners(poses)]
    return np.asarray(SHAPES.mask(pixels, (640, 480)) / 255.0)


def test_a_shadow_is_no_foreground_and_a_thing_is() -> None:
    rng = np.random.default_rng(0)
    bare = table(rng)
    image = bare.copy()
    image[100:200, 100:200] = (0.6 * image[100:200, 100:200]).astype(np.uint8)
    image[300:400, 300:400] = (20, 22, 25)
    shown = foreground(bare, image)
    assert shown[110:190, 110:190].mean() < 0.1
    assert shown[310:390, 310:390].mean() > 0.9
    assert shown[:90].max() == 0.0


@given(st.integers(-8, 8))
def test_an_edge_is_found_where_it_is(by: int) -> None:
    shown = np.zeros((100, 200), np.float32)
    shown[:, : 100 + by] = 1.0
    at = np.column_stack([np.full(5, 99.5), np.linspace(20, 80, 5)])
    points = OutlinePoints(np.zeros(5, np.int64), np.zeros((5, 3)), at, np.tile([1.0, 0.0], (5, 1)))
    offset, found = edge_offsets(shown, points, 10)
    assert found.all()
    assert np.abs(offset - by).max() <= 1.0
    assert not edge_offsets(np.zeros_like(shown), points, 10)[1].any()


@pytest.mark.slow
@QUICK
@given(st.lists(st.floats(-1.0, 1.0), min_size=UNKNOWNS, max_size=UNKNOWNS))
def test_the_outline_tells_where_the_hand_is_in_the_picture(deviations: list[float]) -> None:
    x = np.array(deviations) * Spread().vector()
    everywhere = np.ones((480, 640), np.bool_)
    joints = [np.append(q, 0.3) for q in shown_poses(KINEMATICS)]
    fit = fit_outline(SHAPES, CAMERA, [ArmView(q, drawn(x, q), everywhere) for q in joints])

    def tools(of: FloatArray) -> FloatArray:
        points = np.array([KINEMATICS.link_points(q[:5] + of[ZEROS])[3] for q in joints])
        return CAMERA.project(points + [0.0, 0.0, of[HEIGHT]], of)

    before, after = (np.linalg.norm(tools(v) - tools(x), axis=1).max() for v in (np.zeros(UNKNOWNS), fit.x))
    assert after < max(3.0, 0.5 * before)
    assert fit.found > 0.8
    found = Registration(fit, CAMERA, KINEMATICS)
    assert not found.refusal or found.apart() > 0.02


def test_an_arm_that_stands_where_it_is_told_needs_nothing_and_noise_is_not_believed() -> None:
    q = np.append(shown_poses(KINEMATICS)[0], 0.0)
    everywhere = np.ones((480, 640), np.bool_)
    right = fit_outline(SHAPES, CAMERA, [ArmView(q, drawn(np.zeros(UNKNOWNS), q), everywhere)])
    assert np.abs(right.x / Spread().vector()).max() < 0.5
    assert not Registration(right, CAMERA, KINEMATICS).needed
    empty = fit_outline(SHAPES, CAMERA, [ArmView(q, np.zeros((480, 640)), everywhere)])
    assert "only 0 edges" in Registration(empty, CAMERA, KINEMATICS).refusal
    assert np.array_equal(empty.x, np.zeros(UNKNOWNS))


@given(st.floats(-0.01, 0.01), st.floats(-0.01, 0.01), st.floats(-0.02, 0.02))
def test_a_camera_that_is_elsewhere_moves_what_it_sees_by_as_much(dx: float, dy: float, turn: float) -> None:
    x = np.zeros(UNKNOWNS)
    x[SHIFT], x[TURN] = (dx, dy, 0.0), (0.0, 0.0, turn)
    fit = fit_outline(SHAPES, CAMERA, [])
    found = Registration(type(fit)(x, fit.covariance, 0.0, 1.0, 500), CAMERA, KINEMATICS)
    T = found.seen(transform(np.eye(3), (0.2, 0.05, 0.015)))
    c, s = np.cos(turn), np.sin(turn)
    about = np.array([0.01, 0.05])
    expected = np.array([0.19, 0.0]) + np.array([[c, -s], [s, c]]) @ about + (dx, dy)
    assert np.abs(T[:2, 3] - expected).max() < 1e-6
    assert abs(T[2, 3] - 0.015) < 1e-9
    assert abs(np.arctan2(T[1, 0], T[0, 0]) - turn) < 1e-6
    off, yaw = found.hand_off(0.2, 0.0)
    assert np.abs(off).max() < 1e-12
    assert abs(yaw) < 1e-12
