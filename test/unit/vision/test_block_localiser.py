from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dofbot_ros.core.transforms import exp_so3, invert, log_so3, rot_x, rot_y, rot_z, transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.vision.intrinsics import Intrinsics, from_field_of_view
from dofbot_ros.vision.markers.aruco import Marker, MarkerDetector
from dofbot_ros.vision.markers.block_image import draw_blocks
from dofbot_ros.vision.markers.block_layout import FACE_AXES, BlockSet, FaceMarker, load_blocks
from dofbot_ros.vision.markers.blocks import BlockLocaliser, LocaliserConfig

CAMERA = from_field_of_view(320, 240, 0.98 / 2)
"""The middle quarter of the overhead camera's picture at the same resolution: a quarter of the drawing time."""
T_BASE_CAMERA = transform(rot_x(np.pi) @ rot_z(0.5 * np.pi), (0.19, 0.0, 0.58))
BLOCKS = load_blocks()
LOCALISER = BlockLocaliser(BLOCKS, CAMERA)
PHOTO = Path(__file__).resolve().parents[4] / "shared" / "data" / "aruco" / "singlemarkersoriginal.jpg"


def photo(truth: dict[str, FloatArray], blocks: BlockSet = BLOCKS, seed: int = 0) -> ImageArray:
    T_camera_base = invert(T_BASE_CAMERA)
    seen = {name: T_camera_base @ T for name, T in truth.items()}
    return draw_blocks(blocks, seen, CAMERA, np.random.default_rng(seed))


def lying(x: float, y: float, yaw: float, up: str = "+z", size: float = 0.03) -> FloatArray:
    face = BLOCKS.blocks[0].face_frame(up)[:3, :3]
    return transform(rot_z(yaw) @ face.T, (x, y, 0.5 * size))


def angle_between(a: FloatArray, b: FloatArray) -> float:
    return float(np.linalg.norm(log_so3(a[:3, :3].T @ b[:3, :3])))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    name=st.sampled_from([b.name for b in BLOCKS.blocks]),
    up=st.sampled_from(list(FACE_AXES)),
    x=st.floats(0.13, 0.25),
    y=st.floats(-0.09, 0.09),
    yaw=st.floats(-np.pi, np.pi),
)
def test_a_block_on_the_table_is_found_to_a_tenth_of_a_millimetre(
    name: str, up: str, x: float, y: float, yaw: float
) -> None:
    truth = lying(x, y, yaw, up)

    found = LOCALISER.locate(photo({name: truth}), 3.5, T_BASE_CAMERA)

    (pose,) = found.blocks
    assert (pose.name, pose.flat, pose.stamp_s) == (name, True, 3.5)
    assert np.linalg.norm(pose.T_base_block[:3, 3] - truth[:3, 3]) < 2e-4
    assert angle_between(pose.T_base_block, truth) < 0.02


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    x=st.floats(0.15, 0.23),
    y=st.floats(-0.07, 0.07),
    z=st.floats(0.05, 0.12),
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda a: np.linalg.norm(a) > 0.1),
    angle=st.floats(0, np.pi),
)
@example(x=0.2007, y=0.0, z=0.05, axis=(0.0, -0.5, 0.047), angle=3.1406)
def test_a_block_in_the_air_is_found_or_refused_but_never_flipped(
    x: float, y: float, z: float, axis: tuple[float, ...], angle: float
) -> None:
    truth = transform(exp_so3(np.array(axis) / np.linalg.norm(axis) * angle), (x, y, z))

    found = LOCALISER.locate(photo({"red": truth}), 0.0, T_BASE_CAMERA)

    for pose in found.blocks:
        assert not pose.flat
        assert np.linalg.norm(pose.T_base_block[:3, 3] - truth[:3, 3]) < 0.02
        assert angle_between(pose.T_base_block, truth) < 0.25


def test_faces_are_solved_together() -> None:
    """All visible faces fix a free pose better than the best seen one of them."""
    truth = transform(rot_y(-0.7) @ rot_z(0.3), (0.19, 0.02, 0.09))
    red = BLOCKS.block("red")
    one_face = BlockSet(BLOCKS.dictionary, (replace(red, faces={"+z": red.faces["+z"]}),))
    faces, errors = [], []
    for blocks in one_face, BLOCKS:
        localiser = BlockLocaliser(blocks, CAMERA, LocaliserConfig(max_ambiguity=1.0))
        photos = [photo({"red": truth}, blocks, seed) for seed in range(8)]
        poses = [localiser.locate(image, 0.0, T_BASE_CAMERA).blocks[0] for image in photos]
        faces.append(min(pose.faces for pose in poses))
        errors.append(np.mean([angle_between(pose.T_base_block, truth) for pose in poses]))

    assert faces[0] == 1
    assert faces[1] > 1
    assert errors[1] < errors[0]


def test_a_block_of_doubtful_tilt_is_refused_with_the_reason() -> None:
    truth = transform(rot_x(0.08), (0.19, 0.0, 0.1))

    found = LOCALISER.locate(photo({"blue": truth}), 0.0, T_BASE_CAMERA)

    assert found.blocks == ()
    (refused,) = found.refused
    assert refused.what == "blue"
    assert refused.reason.startswith("two poses fit as well: error ratio")


def test_a_marker_in_the_wrong_place_is_left_out_and_named() -> None:
    """The block wears a marker that its layout has elsewhere: the larger face decides."""
    red = BLOCKS.block("red")
    truth = transform(rot_y(-0.6), (0.19, 0.0, 0.1))
    mixed_up = {**red.faces, "-x": FaceMarker(red.faces["+y"].id), "+y": FaceMarker(red.faces["-x"].id)}
    mixed_up["+x"], mixed_up["+y"] = mixed_up["+y"], mixed_up["+x"]
    worn = BlockSet(BLOCKS.dictionary, (replace(red, faces=mixed_up),))

    found = LOCALISER.locate(photo({"red": truth}, worn), 0.0, T_BASE_CAMERA)

    wrong = [r for r in found.refused if r.what.startswith("marker")]
    assert wrong
    assert all("does not fit marker 4 of red" in r.reason for r in wrong)


def test_a_level_block_3_cm_up_is_not_laid_on_the_table() -> None:
    truth = transform(rot_z(0.4), (0.21, 0.03, 0.045))

    found = BlockLocaliser(BLOCKS, CAMERA, LocaliserConfig(max_ambiguity=1.0)).locate(
        photo({"green": truth}), 0.0, T_BASE_CAMERA
    )

    (pose,) = found.blocks
    assert not pose.flat
    assert pose.T_base_block[2, 3] == pytest.approx(0.045, abs=0.006)


def test_blocks_on_a_raised_table_lie_flat_there() -> None:
    truth = lying(0.2, 0.01, 0.7)
    truth[2, 3] += 0.05

    found = BlockLocaliser(BLOCKS, CAMERA, LocaliserConfig(table_z=0.05)).locate(
        photo({"green": truth}), 0.0, T_BASE_CAMERA
    )

    (pose,) = found.blocks
    assert pose.flat
    np.testing.assert_allclose(pose.T_base_block, truth, atol=5e-3)


def test_a_block_under_the_table_is_refused() -> None:
    """What a camera in the wrong place makes of a block: it cannot be there, however small its markers are printed."""
    truth = transform(rot_z(0.4), (0.2, 0.03, -0.08))

    found = BlockLocaliser(BLOCKS, CAMERA, LocaliserConfig(max_ambiguity=1.0)).locate(
        photo({"green": truth}), 0.0, T_BASE_CAMERA
    )

    assert found.blocks == ()
    (refused,) = found.refused
    assert refused.what == "green"
    assert "mm under the table" in refused.reason


@pytest.mark.parametrize("ratio", [0.93, 0.97, 1.02])
def test_markers_printed_in_another_size_leave_a_block_on_the_table_where_it_is(ratio: float) -> None:
    printed = replace(
        BLOCKS,
        blocks=tuple(
            replace(b, marker_size=ratio * b.marker_size, label_size=ratio * b.label_size) for b in BLOCKS.blocks
        ),
    )
    truth = {"red": lying(0.14, -0.05, 0.3), "green": lying(0.2, 0.05, 1.0)}

    found = LOCALISER.locate(photo(truth, printed), 0.0, T_BASE_CAMERA)

    assert len(found.blocks) == 2
    for pose in found.blocks:
        assert pose.flat
        np.testing.assert_allclose(pose.T_base_block, truth[pose.name], atol=5e-3)
        if pose.size_ratio != 1.0:
            assert pose.size_ratio == pytest.approx(ratio, abs=0.01)


def test_a_block_held_above_the_table_is_not_taken_for_one_with_large_markers() -> None:
    truth = transform(rot_z(0.4), (0.2, 0.03, 0.045))
    found = BlockLocaliser(BLOCKS, CAMERA, LocaliserConfig(max_ambiguity=1.0)).locate(
        photo({"green": truth}), 0.0, T_BASE_CAMERA
    )
    (pose,) = found.blocks
    assert not pose.flat
    assert pose.T_base_block[2, 3] == pytest.approx(0.045, abs=0.004)


def test_blocks_are_found_out_of_focus() -> None:
    truth = {"red": lying(0.14, -0.05, 0.3), "green": lying(0.2, 0.05, 1.0)}
    blurred = np.asarray(cv2.GaussianBlur(photo(truth), (0, 0), 1.6), np.uint8)
    assert {pose.name for pose in LOCALISER.locate(blurred, 0.0, T_BASE_CAMERA).blocks} == {"red", "green"}


FOUR = {"red": lying(0.16, -0.07, 0.3), "green": lying(0.16, 0.07, 1.0), "blue": lying(0.23, -0.06, 2.0),
        "yellow": lying(0.23, 0.06, -0.6)}  # fmt: skip


def dim(truth: dict[str, FloatArray], seed: int = 0) -> ImageArray:
    """A seventh of the light, two pixels out of focus, with a dark tone curve, noise and JPEG's squares."""
    sharp = 0.15 * np.asarray(cv2.GaussianBlur(photo(truth), (0, 0), 1.9), np.float64)
    toned = 255.0 * (sharp / 255.0) ** 1.2 + np.random.default_rng(seed).normal(0.0, 2.0, sharp.shape)
    _, packed = cv2.imencode(".jpg", np.clip(toned, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 60])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def test_blocks_are_found_in_dim_light_out_of_focus() -> None:
    plain, found = 0, 0
    for seed in range(3):
        image = dim(FOUR, seed)
        detector = MarkerDetector(BLOCKS.dictionary)
        plain += len(detector.detect(image)) + len(detector.detect(image, sharpen=True))
        located = LOCALISER.locate(image, 0.0, T_BASE_CAMERA).blocks
        found += len(located)
        for block in located:
            assert np.linalg.norm(block.T_base_block[:3, 3] - FOUR[block.name][:3, 3]) < 0.005
    assert plain <= 2
    assert found >= 8


def test_blocks_that_are_not_there_cost_a_good_picture_no_third_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(MarkerDetector, "detect_dim", lambda *_: looks.append(1) or [])
    assert len(LOCALISER.locate(photo({"red": FOUR["red"]}), 0.0, T_BASE_CAMERA).blocks) == 1
    assert not looks
    LOCALISER.locate(photo({}), 0.0, T_BASE_CAMERA)
    assert looks


def test_a_table_that_stays_empty_is_looked_at_for_dim_blocks_twice_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    localiser, plain = BlockLocaliser(BLOCKS, CAMERA), MarkerDetector.detect_dim

    def counted(detector: MarkerDetector, image: ImageArray) -> list[Marker]:
        looks.append(stamp_s)
        return plain(detector, image)

    monkeypatch.setattr(MarkerDetector, "detect_dim", counted)
    for stamp_s in np.arange(10) / 10.0:
        localiser.locate(photo({}), stamp_s, T_BASE_CAMERA)
    assert looks == [0.0, 0.5]
    # Blocks that such a look finds are looked for in every picture that follows.
    for stamp_s in (1.0, 1.1, 1.2):
        assert localiser.locate(dim(FOUR), stamp_s, T_BASE_CAMERA).blocks
    assert looks[2:] == [1.0, 1.1, 1.2]


@pytest.mark.skipif(not PHOTO.is_file(), reason="needs ../shared/data/aruco/singlemarkersoriginal.jpg")
def test_no_look_sees_blocks_in_a_photo_of_other_markers() -> None:
    image = cv2.cvtColor(cv2.imread(str(PHOTO)), cv2.COLOR_BGR2RGB)
    for share in (1.0, 0.5, 0.25):
        darker = (share * image).astype(np.uint8)
        intrinsics = from_field_of_view(image.shape[1], image.shape[0], 1.0)
        assert MarkerDetector(BLOCKS.dictionary).detect_dim(darker) == []
        assert BlockLocaliser(BLOCKS, intrinsics).locate(darker, 0.0, T_BASE_CAMERA).blocks == ()


def test_all_blocks_of_a_picture_are_found_and_strangers_passed_over() -> None:
    truth = {"red": lying(0.14, -0.05, 0.3), "green": lying(0.2, 0.05, 1.0), "yellow": lying(0.23, -0.06, 2.0)}
    fewer = BlockSet(BLOCKS.dictionary, tuple(b for b in BLOCKS.blocks if b.name != "green"))

    found = BlockLocaliser(fewer, CAMERA).locate(photo(truth), 0.0, T_BASE_CAMERA)

    assert {p.name for p in found.blocks} == {"red", "yellow"}


def test_an_empty_table_is_no_error() -> None:
    found = LOCALISER.locate(photo({}), 1.0, T_BASE_CAMERA)

    assert (found.blocks, found.refused, found.stamp_s) == ((), (), 1.0)


def test_poses_tell_their_age() -> None:
    (pose,) = LOCALISER.locate(photo({"red": lying(0.2, 0.0, 0.0)}), 12.0, T_BASE_CAMERA).blocks

    assert pose.age_s(12.25) == pytest.approx(0.25)


def test_a_lens_with_distortion_is_accounted_for() -> None:
    """The picture of a straight lens, bent by resampling, is read by a localiser that knows the bend."""
    bent = Intrinsics(CAMERA.width, CAMERA.height, CAMERA.K, np.array([-0.25, 0.08, 0.002, -0.001, 0.0]))
    truth = lying(0.23, 0.08, 0.5)
    grid = np.dstack(np.meshgrid(np.arange(bent.width), np.arange(bent.height))).astype(np.float64).reshape(-1, 1, 2)
    source = cv2.undistortPoints(grid, bent.K, bent.distortion, P=bent.K).reshape(bent.height, bent.width, 2)
    image = cv2.remap(photo({"red": truth}), source.astype(np.float32), None, cv2.INTER_LINEAR)

    (pose,) = BlockLocaliser(BLOCKS, bent).locate(image, 0.0, T_BASE_CAMERA).blocks
    (naive,) = LOCALISER.locate(image, 0.0, T_BASE_CAMERA).blocks

    assert np.linalg.norm(pose.T_base_block[:3, 3] - truth[:3, 3]) < 2e-4
    assert np.linalg.norm(naive.T_base_block[:3, 3] - truth[:3, 3]) > 5e-4


def test_refuses_an_image_of_another_size() -> None:
    with pytest.raises(InputError, match="the image is 100x50 pixels, its camera's calibration is for 320x240"):
        LOCALISER.locate(np.zeros((50, 100), np.uint8), 0.0, T_BASE_CAMERA)


@pytest.mark.parametrize(
    "changes", [{"max_reprojection_px": 0.0}, {"max_ambiguity": 1.5}, {"flat_slack_px": -1.0}, {"corner_noise_px": 0.0}]
)
def test_refuses_limits_that_make_no_sense(changes: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        LocaliserConfig(**changes)
