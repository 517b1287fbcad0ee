from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.errors import ConfigError
from dofbot_ros.vision.markers.aruco import MarkerDetector
from dofbot_ros.vision.markers.block_layout import FACE_AXES, Block, BlockSet, FaceMarker, load_blocks
from dofbot_ros.vision.markers.block_texture import face_texture

NORMALS = {"+x": (1, 0, 0), "-x": (-1, 0, 0), "+y": (0, 1, 0), "-y": (0, -1, 0), "+z": (0, 0, 1), "-z": (0, 0, -1)}


def block(name: str = "b", **changes: object) -> Block:
    return Block(**{"name": name, "colour": (1, 2, 3), "faces": {"+z": FaceMarker(0)}, **changes})  # type: ignore[arg-type]


def test_shipped_blocks_have_a_marker_of_their_own_on_every_face(blocks: BlockSet) -> None:
    assert [b.name for b in blocks.blocks] == ["red", "green", "blue", "yellow"]
    assert len(blocks.markers()) == 24
    assert all(set(b.faces) == set(FACE_AXES) for b in blocks.blocks)


@pytest.mark.parametrize("face", FACE_AXES)
@pytest.mark.parametrize("turns", range(4))
def test_marker_lies_in_its_face_and_goes_clockwise_seen_from_outside(face: str, turns: int) -> None:
    cube = block(faces={face: FaceMarker(0, turns)}, size=0.04, marker_size=0.03, label_size=0.035)
    normal = np.array(NORMALS[face], dtype=float)

    corners = cube.marker_corners(face)

    np.testing.assert_allclose(corners @ normal, 0.02)
    np.testing.assert_allclose(corners.mean(axis=0), 0.02 * normal, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1), 0.03)
    assert np.cross(corners[1] - corners[0], corners[2] - corners[1]) @ normal < 0
    np.testing.assert_allclose(cube.marker_frame(face)[:3, 2], normal, atol=1e-12)


def test_side_markers_stand_upright_and_the_upper_one_reads_along_x() -> None:
    cube = block(faces={face: FaceMarker(i) for i, face in enumerate(FACE_AXES)})

    for face in ("+x", "-x", "+y", "-y"):
        np.testing.assert_allclose(cube.marker_frame(face)[:3, 1], (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(cube.marker_frame("+z")[:3, :3], np.eye(3), atol=1e-12)


@pytest.mark.parametrize("turns", range(4))
def test_texture_shows_the_marker_where_the_layout_says(turns: int) -> None:
    cube = block(faces={"+x": FaceMarker(7, turns)})
    pixels = 300

    (marker,) = MarkerDetector("DICT_4X4_50").detect(face_texture(cube, "+x", "DICT_4X4_50", pixels))

    # Face frame (x right, y up, centre) -> pixels (x right, y down, centres at whole numbers).
    across = cube.marker_corners("+x") @ cube.face_frame("+x")[:3, :2]
    expected = across * (1, -1) * pixels / cube.size + 0.5 * (pixels - 1)
    assert marker.id == 7
    np.testing.assert_allclose(marker.corners, expected, atol=0.3)


def test_a_face_without_a_marker_is_plain() -> None:
    np.testing.assert_array_equal(face_texture(block(), "-x", "DICT_4X4_50", 8), np.full((8, 8, 3), (1, 2, 3)))


def test_what_is_saved_is_loaded(tmp_path: Path, blocks: BlockSet) -> None:
    save_yaml(blocks, tmp_path / "blocks.yaml")

    assert load_blocks(tmp_path / "blocks.yaml") == blocks


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: block(faces={"top": FaceMarker(0)}), "face 'top' is not one of"),
        (lambda: block(faces={"+x": FaceMarker(0, 4)}), "quarter_turns must be 0 to 3"),
        (lambda: block(label_size=0.02), "must grow in this order"),
        (lambda: block(colour=(0, 0, 256)), "colour must be 0 to 255 each"),
        (lambda: BlockSet("DICT_4X4_50", (block(faces={"+x": FaceMarker(50)}),)), r"id 50 is not in .* \(0 to 49\)"),
        (lambda: BlockSet("DICT_4X4_50", (block("a"), block("b"))), r"b \+z: id 0 is already on a \+z"),
        (lambda: BlockSet("DICT_4X4_50", (block("a"), block("a", faces={}))), "two blocks are called a"),
        (lambda: BlockSet("DICT_4X4_51", ()), "did you mean DICT_4X4_50"),
        (lambda: load_blocks().block("gren"), "did you mean green"),
    ],
)
def test_refuses_what_cannot_be(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()  # type: ignore[operator]
