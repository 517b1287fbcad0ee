"""Families fit the gripper and share no shape; what the engine loads has the size that the shape says; files too."""

from __future__ import annotations

import itertools
import struct
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.grasp.simulation.families import FAMILIES, SPLITS, families_of
from dofbot_ros.grasp.simulation.object_files import MAX_HEIGHT, MAX_LENGTH, MAX_WIDTH, read_folder
from dofbot_ros.grasp.simulation.shapes import Box, Part, Shape, write_urdf
from dofbot_ros.sim import engine

CUBE_OBJ = "\n".join(f"v {x} {y} {z}" for x in (0, 20) for y in (0, 30) for z in (0, 40)) + "\nf 1 2 3\n"

MAX_GRIP = 0.040
"""Widest part that a grasp is meant to close on [m]: the open fingers come down on 60 mm."""


OF_PARTS = ("ell", "tee", "cross", "zed", "chevron", "branch", "wye", "steps", "lobes")


def widths(points: np.ndarray) -> np.ndarray:
    """Extent of the footprint along 36 directions [m]."""
    angle = np.linspace(0, np.pi, 36, endpoint=False)
    return np.ptp(points[:, :2] @ np.stack([np.cos(angle), np.sin(angle)]), axis=0)


def test_no_family_is_in_two_splits() -> None:
    for a, b in combinations(SPLITS.values(), 2):
        assert not set(a) & set(b)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_family_stands_on_the_table_and_fits_the_open_fingers(name: str) -> None:
    for seed in range(50):
        shape = FAMILIES[name](np.random.default_rng(seed))
        points = shape.hull()
        assert shape.family == name
        assert points[:, 2].min() == pytest.approx(0.0, abs=1e-9)
        assert 0.017 < np.ptp(points[:, 2]) < 0.045
        # What is made of bars is held by one of them; whatever is convex is held whole.
        narrowest = widths(points).min() if name not in OF_PARTS else 0.0
        assert narrowest <= MAX_GRIP + 1e-3
        assert shape.radius < 0.06


@pytest.mark.parametrize("name", ["shard", "ramp", "kite", "trapezium"])
def test_no_polygon_that_is_learnt_from_fills_the_triangle_around_it(name: str) -> None:
    for seed in range(300):
        (part,) = FAMILIES[name](np.random.default_rng(seed)).parts
        outline = 1e3 * part.solid.hull()[:, None, :2].astype(np.float32)
        around, _ = cv2.minEnclosingTriangle(outline)
        assert cv2.contourArea(cv2.convexHull(outline)) < 0.95 * around, seed


def test_no_branch_that_is_learnt_from_is_a_t() -> None:
    for seed in range(300):
        bar, *arms = FAMILIES["branch"](np.random.default_rng(seed)).parts
        if len(arms) == 1:
            (arm,) = arms
            length = np.ptp(bar.solid.hull()[:, 0])
            # Where the arm leaves the bar, from the bar's middle.
            out = 0.5 * np.ptp(arm.solid.hull()[:, 0])
            foot = arm.position[0] - out * np.cos(arm.rpy[2])
            assert abs(foot) > 0.35 * length, seed


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_the_engine_loads_what_the_shape_says(name: str, tmp_path: Path) -> None:
    client = engine.connect()
    try:
        for seed in range(2):
            shape = FAMILIES[name](np.random.default_rng(seed))
            body = client.loadURDF(str(write_urdf(shape, 0.031, (1.0, 0.0, 0.0), tmp_path, f"{name}{seed}")))
            assert client.getDynamicsInfo(body, -1)[0] == pytest.approx(0.031)
            low, high = client.getAABB(body)
            expected = shape.hull() - shape.centroid
            # The engine adds a margin of a few millimetres around some shapes' boxes.
            assert np.array(low) == pytest.approx(expected.min(axis=0), abs=0.005)
            assert np.array(high) == pytest.approx(expected.max(axis=0), abs=0.005)
    finally:
        client.disconnect()


def test_centroid_and_volume_of_two_boxes() -> None:
    shape = Shape("two", (Part(Box((0.02, 0.02, 0.02)), (0, 0, 0.01)), Part(Box((0.02, 0.02, 0.04)), (0.03, 0, 0.02))))
    assert shape.volume == pytest.approx(8e-6 + 16e-6)
    assert shape.centroid == pytest.approx([0.02, 0.0, 0.05 / 3])


def write_stl(path: Path, binary: bool) -> None:
    corners = np.array([[0, 0, 0], [50, 0, 0], [0, 50, 0], [0, 0, 50]], float)
    faces = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
    if binary:
        facets = b"".join(struct.pack("<12fH", 0, 0, 0, *corners[list(face)].ravel(), 0) for face in faces)
        path.write_bytes(b" " * 80 + struct.pack("<I", len(faces)) + facets)
        return
    lines = [f"vertex {x} {y} {z}" for face in faces for x, y, z in corners[list(face)]]
    path.write_text("solid t\n" + "\n".join(lines) + "\nendsolid t\n")


def test_files_are_scaled_to_the_gripper_and_bad_ones_named(tmp_path: Path) -> None:
    (tmp_path / "box.obj").write_text(CUBE_OBJ)
    write_stl(tmp_path / "binary.stl", binary=True)
    write_stl(tmp_path / "text.stl", binary=False)
    box = '<collision><geometry><box size="1 2 1"/></geometry></collision>'
    ball = '<collision><origin xyz="0 2 0"/><geometry><sphere radius="0.5"/></geometry></collision>'
    mesh = '<collision><geometry><mesh filename="box.obj" scale="2 2 2"/></geometry></collision>'
    (tmp_path / "union.urdf").write_text(f'<robot name="u"><link name="a">{box}{ball}</link></robot>')
    (tmp_path / "mesh.urdf").write_text(f'<robot name="m"><link name="a">{mesh}</link></robot>')
    (tmp_path / "arm.urdf").write_text('<robot name="r"><link name="a"/><link name="b"/></robot>')
    (tmp_path / "empty.obj").write_text("# nothing\n")
    (tmp_path / "flat.obj").write_text("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n")
    (tmp_path / "torn.urdf").write_text("<robot")
    (tmp_path / "readme.txt").write_text("not looked at")
    found = read_folder(tmp_path)
    assert sorted(found.shapes) == ["binary.stl", "box.obj", "mesh.urdf", "text.stl", "union.urdf"]
    for shape in found.shapes.values():
        x, y, z = np.ptp(shape.hull(), axis=0)
        assert min(x, y) <= MAX_WIDTH + 1e-9
        assert max(x, y) <= MAX_LENGTH + 1e-9
        assert z <= MAX_HEIGHT + 1e-9
        assert max(min(x, y) / MAX_WIDTH, max(x, y) / MAX_LENGTH, z / MAX_HEIGHT) == pytest.approx(1.0)
    x, y, z = np.ptp(found.shapes["mesh.urdf"].hull(), axis=0)
    assert [y / x, z / x] == pytest.approx([1.5, 2.0])
    assert sorted(found.skipped) == ["arm.urdf", "empty.obj", "flat.obj", "torn.urdf"]
    assert "2 links" in found.skipped["arm.urdf"]
    assert "flat" in found.skipped["flat.obj"]
    assert set(families_of(str(tmp_path))) == set(found.shapes)


def obj_box(low: tuple[float, float, float], high: tuple[float, float, float]) -> str:
    ranges = zip(low, high, strict=True)
    return "".join(f"v {x} {y} {z}\n" for x, y, z in itertools.product(*ranges))


def test_a_shape_that_is_not_convex_collides_as_its_pieces(tmp_path: Path) -> None:
    # As V-HACD writes them, in millimetres, with a sliver that has no inside.
    bars = (obj_box((0, 0, 0), (40, 20, 20)), obj_box((0, 20, 0), (20, 60, 20)), obj_box((0, 0, 0), (9, 9, 0)))
    text = "".join(f"o convex_{k}\n{bar}" for k, bar in enumerate(bars))
    (tmp_path / "ell.obj").write_text(text)
    mesh = '<mesh filename="ell.obj" scale="0.001 0.001 0.002"/>'
    (tmp_path / "collides.urdf").write_text(urdf_of(f"<geometry>{mesh}</geometry>"))
    visual = urdf_of(f"<geometry>{mesh}</geometry>").replace("collision", "visual")
    (tmp_path / "only_looks.urdf").write_text(visual)
    unseen = '<visual><geometry><mesh filename="nowhere.obj"/></geometry></visual><collision>'
    (tmp_path / "misses_its_looks.urdf").write_text(
        (tmp_path / "collides.urdf").read_text().replace("<collision>", unseen)
    )
    (tmp_path / "pieces.obj").write_text("".join(f"o {k}\n{bars[0]}" for k in range(65)))
    found = read_folder(tmp_path)
    assert list(found.skipped) == ["pieces.obj"]
    assert "at most 64 together are one to grasp" in found.skipped["pieces.obj"]
    for name, shape in found.shapes.items():
        assert len(shape.parts) == 2, name
        x, y, z = np.ptp(shape.hull(), axis=0)
        assert [y / x, z / x] == pytest.approx([1.5, 1.0 if name.endswith("urdf") else 0.5])
    ell = found.shapes["ell.obj"]
    client = engine.connect()
    try:
        body = client.loadURDF(str(write_urdf(ell, 0.03, (1.0, 0.0, 0.0), tmp_path, "built")))
        corners = ell.hull() - ell.centroid
        low, high = corners.min(axis=0), corners.max(axis=0)
        in_bar, in_corner = (low + 0.004, (*(low[:2] + 0.8 * (high - low)[:2]), 0.0))
        hit = [client.rayTest((x, y, 0.2), (x, y, -0.2))[0][0] == body for x, y, *_ in (in_bar, in_corner)]
        # A hull of the whole would fill the inner corner.
        assert hit == [True, False]
    finally:
        client.disconnect()


def test_a_folder_without_objects_and_an_unknown_family_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no usable \.urdf"):
        families_of(str(tmp_path))
    with pytest.raises(InputError, match="did you mean heldout"):
        families_of("held-out")


def urdf_of(inside: str) -> str:
    return f"<robot><link><collision>{inside}</collision></link></robot>"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.obj", CUBE_OBJ.replace("20", "1e306"), "coordinates below 1e+09"),
        ("a.obj", CUBE_OBJ.replace("20", "nan"), "coordinates below 1e+09"),
        ("a.obj", "v 1 2\n" + CUBE_OBJ, "cannot be read"),
        (
            "a.urdf",
            urdf_of('<geometry><box size="1 1 inf"/></geometry>'),
            "box",
        ),
        ("a.urdf", '<!DOCTYPE r [<!ENTITY a "b">]><robot/>', "has a document type"),
        (
            "a.urdf",
            urdf_of('<origin xyz="nan 0 0"/><geometry><sphere radius="1"/></geometry>'),
            "is not three numbers",
        ),
        (
            "a.urdf",
            urdf_of('<geometry><mesh filename="good.obj" scale=""/></geometry>'),
            "three numbers other than 0 are expected",
        ),
        ("a.obj", " " * (16 * 2**20 + 1), "is longer than 16 MB"),
    ],
)
def test_a_file_that_cannot_be_used_is_passed_over_with_its_reason(
    tmp_path: Path, name: str, content: str, why: str
) -> None:
    (tmp_path / name).write_text(content)
    (tmp_path / "good.obj").write_text(CUBE_OBJ)

    found = read_folder(tmp_path)

    assert list(found.shapes) == ["good.obj"]
    assert why in found.skipped[name]
