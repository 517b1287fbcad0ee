"""Shapes of a URDF: their corner points enclose them, and leaving inner ones out changes no lowest point."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.arm.model import load_model, parse_model
from dofbot_ros.arm.shapes import SIDES, convex_corners, convex_faces, convex_outline, link_shapes, outer_points
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError, InputError

MODEL = load_model()
DRAWN = [link for link in MODEL.links if link_shapes(MODEL, link)]
directions = arrays(np.float64, 3, elements=st.floats(-1.0, 1.0)).filter(lambda d: np.linalg.norm(d) > 0.1)


def one(geometry: str, origin: str = "") -> str:
    return f'<robot name="r"><link name="a"><visual>{origin}<geometry>{geometry}</geometry></visual></link></robot>'


@pytest.mark.parametrize("link", DRAWN)
def test_the_shapes_own_corners_lie_on_them_or_round_them(link: str) -> None:
    for shape in link_shapes(MODEL, link):
        corners = shape.corners()
        grown = 1.0 / math.cos(math.pi / SIDES) if shape.kind == "cylinder" else 1.0
        assert shape.holds(shape.pose[:3, 3] + (corners - shape.pose[:3, 3]) / (grown + 1e-9)).all()
        assert not shape.holds(shape.pose[:3, 3] + 1.001 * (corners - shape.pose[:3, 3])).any()


@pytest.mark.parametrize("link", DRAWN)
@settings(max_examples=30, deadline=None)
@given(direction=directions)
def test_leaving_out_inner_points_changes_no_lowest_point(link: str, direction: FloatArray) -> None:
    shapes = link_shapes(MODEL, link)
    everything = np.vstack([shape.corners() for shape in shapes])
    outer = outer_points(shapes)
    assert len(outer) <= len(everything)
    # A cylinder's corners stand out of it: those inside another shape may go, though its own prism reached further.
    assert (outer @ direction).min() == pytest.approx((everything @ direction).min(), abs=6e-4)
    exact = [
        (shape.pose[:3, :3].T @ direction, float(shape.pose[:3, 3] @ direction), shape.size, shape.kind)
        for shape in shapes
    ]
    lowest = min(
        middle - (size[0] * math.hypot(d[0], d[1]) + size[2] * abs(d[2]) if kind == "cylinder" else np.abs(d) @ size)
        for d, middle, size, kind in exact
    )
    assert (outer @ direction).min() <= lowest + 1e-12


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, (12, 3), elements=st.floats(-1.0, 1.0).map(lambda v: round(v, 2))), directions)
def test_corners_and_faces_of_a_hull_say_the_same(points: FloatArray, direction: FloatArray) -> None:
    if np.linalg.matrix_rank(points - points[0], tol=0.05) < 3:
        return
    corners = convex_corners(points)
    assert (corners @ direction).min() == pytest.approx((points @ direction).min(), abs=1e-7)
    normals, offsets = convex_faces(points)
    assert (points @ normals.T <= offsets + 1e-6).all()
    assert not (2.0 * np.array([3.0, 3.0, 3.0]) @ normals.T <= offsets).all()


@given(arrays(np.float64, (20, 2), elements=st.floats(-1.0, 1.0)), st.floats(0.0, 2.0 * math.pi))
def test_an_outline_reaches_as_far_as_its_points(points: FloatArray, turn: float) -> None:
    direction = np.array([math.cos(turn), math.sin(turn)])
    outline = convex_outline(points)
    assert (outline @ direction).max() == pytest.approx((points @ direction).max(), abs=1e-6)


def test_a_sphere_is_enclosed_by_its_cube() -> None:
    (shape,) = link_shapes(parse_model(one('<sphere radius="0.02"/>', '<origin xyz="0 0 0.1"/>')), "a")
    np.testing.assert_allclose(np.ptp(shape.corners(), axis=0), 0.04)
    np.testing.assert_array_equal(shape.holds(np.array([[0.0, 0.0, 0.119], [0.019, 0.0, 0.119]])), [True, False])


def test_a_capsule_has_round_ends() -> None:
    (shape,) = link_shapes(parse_model(one('<capsule radius="0.02" length="0.1"/>')), "a")
    np.testing.assert_allclose(np.ptp(shape.corners(), axis=0), (0.04, 0.04, 0.14))
    places = np.array([[0.0, 0.0, 0.069], [0.019, 0.0, 0.069], [0.019, 0.0, 0.049], [0.0, 0.021, 0.0]])
    np.testing.assert_array_equal(shape.holds(places), [True, False, True, False])


def test_elements_can_be_chosen() -> None:
    assert len(link_shapes(parse_model(one('<sphere radius="0.02"/>')), "a", ("visual",))) == 1
    assert link_shapes(parse_model(one('<sphere radius="0.02"/>')), "a", ("collision",)) == ()


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        ('<mesh filename="a.stl"/>', "URDF: visual of a: shape 'mesh' is not one of box, cylinder, sphere"),
        ("", "URDF: visual of a: shape 'nothing' is not one of box"),
        ('<box size="1 2"/>', "URDF: visual of a: size='1 2' needs 3 finite numbers"),
        ('<box size="1 2 nan"/>', "needs 3 finite numbers"),
        ('<cylinder radius="wide" length="1"/>', "radius='wide' is not made of numbers"),
        ('<cylinder length="1"/>', "radius=None needs 1 finite numbers"),
    ],
)
def test_a_shape_that_cannot_be_read_is_told(geometry: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        link_shapes(parse_model(one(geometry)), "a")


def test_an_unknown_link_is_told() -> None:
    with pytest.raises(InputError, match="link 'link9' is not one of base_link"):
        link_shapes(MODEL, "link9")
