from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.core.transforms import apply, rot_axis, rot_z, transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import ConfigError
from dofbot_ros.vision.intrinsics import Intrinsics, from_field_of_view
from dofbot_ros.vision.markers.aruco import MarkerDetector, dictionary_named
from dofbot_ros.vision.markers.block_layout import square_corners
from dofbot_ros.vision.markers.marker_pose import marker_pose
from dofbot_ros.vision.markers.pose_fit import project
from dofbot_ros.vision.opencv_aruco import marker_image

CAMERA = from_field_of_view(320, 240, 0.9)
BENT = Intrinsics(640, 480, np.array([[620.0, 0, 322], [0, 618.0, 238], [0, 0, 1]]), np.array([0.1, -0.2, 0.003, 0, 0]))


def draw(corners: FloatArray, marker: int, rng: np.random.Generator, noise: float = 3.0) -> ImageArray:
    """A 4x4 marker on white with its corners at those pixels, sampled four times as finely, blurred and noisy."""
    fine, n = 4, 120
    texture = np.full((2 * n, 2 * n), 255, np.uint8)
    texture[n // 2 : -n // 2, n // 2 : -n // 2] = marker_image(dictionary_named("DICT_4X4_50"), marker, n)
    inner = np.array([[0, 0], [n, 0], [n, n], [0, n]]) + n / 2 - 0.5
    H = cv2.getPerspectiveTransform(np.float32(inner), np.float32((corners + 0.5) * fine - 0.5))
    size = (CAMERA.width * fine, CAMERA.height * fine)
    image = cv2.warpPerspective(texture, H, size, borderMode=cv2.BORDER_CONSTANT, borderValue=140)
    image = cv2.GaussianBlur(cv2.resize(image, CAMERA.size, interpolation=cv2.INTER_AREA), (0, 0), 0.7)
    return np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8)


def pixels(T: FloatArray, size: float, camera: Intrinsics) -> FloatArray:
    return project(T, square_corners(size)) @ camera.K[:2, :2].T + camera.K[:2, 2]


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    u=st.floats(60, 260),
    v=st.floats(60, 180),
    distance=st.floats(0.15, 0.33),
    tilt=st.floats(0, 0.8),
    way=st.floats(0, 6.3),
    turn=st.floats(0, 6.3),
    marker=st.integers(0, 49),
)
def test_corners_are_found_to_a_fraction_of_a_pixel(
    *, u: float, v: float, distance: float, tilt: float, way: float, turn: float, marker: int
) -> None:
    ray = np.array([(u - CAMERA.K[0, 2]) / CAMERA.K[0, 0], (v - CAMERA.K[1, 2]) / CAMERA.K[1, 1], 1.0])
    facing = np.diag([1.0, -1.0, -1.0])
    T = transform(rot_axis([np.cos(way), np.sin(way), 0.0], tilt) @ facing @ rot_z(turn), distance * ray)
    truth = pixels(T, 0.022, CAMERA)

    (found,) = MarkerDetector("DICT_4X4_50").detect(draw(truth, marker, np.random.default_rng(0)))

    assert found.id == marker
    assert np.max(np.linalg.norm(found.corners - truth, axis=1)) < 0.35


def test_detects_in_colour_and_grey_alike_and_sorts_by_id() -> None:
    image = np.full((240, 320), 200, np.uint8)
    for marker, x in (9, 40), (2, 120), (5, 200):
        image[90:150, x : x + 60] = marker_image(dictionary_named("DICT_4X4_50"), marker, 60)
    detector = MarkerDetector("DICT_4X4_50")

    assert [m.id for m in detector.detect(image)] == [2, 5, 9]
    assert [m.id for m in detector.detect(np.dstack([image] * 3))] == [2, 5, 9]
    assert detector.detect(np.full((240, 320), 200, np.uint8)) == []


def test_a_corner_behind_a_finger_stays_where_the_detector_put_it() -> None:
    """The edge fit must not pull a corner to another edge that runs close by."""
    truth = np.array([[100.0, 80.0], [160.0, 80.0], [160.0, 140.0], [100.0, 140.0]])
    image = draw(truth, 3, np.random.default_rng(0))
    image[60:160, 166:] = 20

    (found,) = MarkerDetector("DICT_4X4_50").detect(image)

    assert np.max(np.linalg.norm(found.corners - truth, axis=1)) < 0.5


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    where=st.tuples(st.floats(-0.1, 0.1), st.floats(-0.08, 0.08), st.floats(0.2, 0.5)),
    tilt=st.floats(0.3, 1.0),
    way=st.floats(0, 6.3),
    turn=st.floats(0, 6.3),
)
def test_pose_of_exact_corners_is_exact_through_a_bent_lens(
    where: tuple[float, float, float], tilt: float, way: float, turn: float
) -> None:
    R = rot_axis([np.cos(way), np.sin(way), 0.0], tilt) @ np.diag([1.0, -1.0, -1.0]) @ rot_z(turn)
    T = transform(R, where)
    seen, _ = cv2.projectPoints(apply(T, square_corners(0.03)), np.zeros(3), np.zeros(3), BENT.K, BENT.distortion)

    pose = marker_pose(seen[:, 0], 0.03, BENT)

    np.testing.assert_allclose(pose.T_camera_marker, T, atol=1e-3)
    assert pose.reprojection_px < 1e-2
    assert pose.ambiguity < 0.5


def test_a_marker_seen_from_afar_is_ambiguous_and_one_close_by_is_not() -> None:
    R = rot_axis([1.0, 0.0, 0.0], 0.3) @ np.diag([1.0, -1.0, -1.0])
    rng = np.random.default_rng(1)
    ratios = {}
    for distance in (0.08, 1.5):
        T = transform(R, (0.0, 0.0, distance))
        corners = pixels(T, 0.03, BENT)
        noisy = [marker_pose(corners + rng.normal(0, 0.1, (4, 2)), 0.03, BENT).ambiguity for _ in range(50)]
        ratios[distance] = float(np.median(noisy))

    assert ratios[0.08] < 0.1
    assert ratios[1.5] > 0.5


def test_dictionary_by_name() -> None:
    assert dictionary_named("DICT_APRILTAG_36h11").markerSize == 6
    with pytest.raises(ConfigError, match=r"'DICT_6X6_251' is not one of DICT_4X4_100, .*did you mean DICT_6X6_250"):
        dictionary_named("DICT_6X6_251")


def test_a_marker_that_stands_exactly_upright_in_the_image_has_a_pose() -> None:
    """OpenCV's solver answers with no number there."""
    where = (0.0, -0.06172069336314777, 0.28187356620865744)
    T = transform(rot_axis([1.0, 0.0, 0.0], 0.3) @ np.diag([1.0, -1.0, -1.0]), where)
    seen, _ = cv2.projectPoints(apply(T, square_corners(0.03)), np.zeros(3), np.zeros(3), BENT.K, BENT.distortion)
    np.testing.assert_allclose(marker_pose(seen[:, 0], 0.03, BENT).T_camera_marker, T, atol=1e-3)
