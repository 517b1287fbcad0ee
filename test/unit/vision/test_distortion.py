"""Distortion as drivers give it: every length, every model, every key; a fisheye lens to a fraction of a pixel."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.errors import ConfigError
from dofbot_ros.vision.distortion import distortion_of
from dofbot_ros.vision.intrinsics import distorted, load_intrinsics

K = np.array([[400.0, 0.0, 319.5], [0.0, 400.0, 239.5], [0.0, 0.0, 1.0]])
SIZE = (640, 480)
CALIBRATION = """image_width: 640
image_height: 480
camera_matrix: {rows: 3, cols: 3, data: [500.0, 0, 319.5, 0, 500.0, 239.5, 0, 0, 1]}
distortion_model: plumb_bob
"""


@pytest.mark.parametrize(
    ("values", "named", "length", "model"),
    [
        ([], "plumb_bob", 5, "plumb_bob"),
        ([], "", 5, "plumb_bob"),
        ([0.1, 0.2, 0.3, 0.4], "plumb_bob", 5, "plumb_bob"),
        ([0.0] * 4, "", 5, "plumb_bob"),
        ([0.1, 0.2, 0.3, 0.4, 0.5], "", 5, "plumb_bob"),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.0, 0.0, 0.0], "plumb_bob", 5, "plumb_bob"),
        ([0.1, 0.2, 0.3, 0.4, 0.5], "rational_polynomial", 8, "rational_polynomial"),
        ([0.1] * 8, "rational_polynomial", 8, "rational_polynomial"),
        ([0.1] * 8, "", 8, "rational_polynomial"),
        ([0.1] * 12, "rational_polynomial", 12, "rational_polynomial"),
        ([0.1] * 14, "rational_polynomial", 14, "rational_polynomial"),
    ],
)
def test_coefficients_of_every_length_are_taken(values: list[float], named: str, length: int, model: str) -> None:
    taken, name = distortion_of(np.array(values), named)
    assert (taken.shape, name) == ((length,), model)
    n = min(len(values), length)
    assert taken[:n].tolist() == values[:n]
    assert not taken[n:].any()
    assert distorted(K, SIZE, np.array(values), named).model == model


@pytest.mark.parametrize(
    ("values", "named", "message"),
    [
        ([0.1, 0.0, 0.0, 0.0], "", "four distortion coefficients without a distortion_model"),
        ([0.1] * 8, "plumb_bob", "plumb_bob has 5 distortion coefficients"),
        ([0.1] * 3, "", "3 distortion coefficients: plumb_bob has 5"),
        ([0.1] * 5, "equidistant", "equidistant has 4 distortion coefficients"),
        ([0.1] * 5, "plumb_bop", "did you mean plumb_bob"),
        ([np.nan] * 5, "plumb_bob", "plumb_bob has 5"),
        ([9.0, -90.0, 0.0, 0.0], "equidistant", "two directions share a pixel"),
    ],
)
def test_others_are_refused(values: list[float], named: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        distorted(K, SIZE, np.array(values), named)


@settings(max_examples=30)
@given(
    st.floats(330.0, 900.0),
    st.tuples(st.floats(-0.05, 0.08), st.floats(-0.01, 0.01), st.floats(-0.004, 0.004), st.floats(-0.001, 0.001)),
)
def test_the_rays_of_a_fisheye_lens_are_those_of_opencv_to_a_fifth_of_a_pixel(
    focal: float, k: tuple[float, float, float, float]
) -> None:
    matrix = np.array([[focal, 0.0, 322.0], [0.0, focal, 236.0], [0.0, 0.0, 1.0]])
    camera = distorted(matrix, SIZE, np.array(k), "equidistant")
    assert camera.model == "rational_polynomial"
    grid = np.stack(np.meshgrid([0.0, 160.0, 322.0, 480.0, 639.0], [0.0, 120.0, 236.0, 479.0]), -1).reshape(-1, 2)
    rays = np.column_stack([camera.rays(grid), np.ones(len(grid))])
    seen, _ = cv2.fisheye.projectPoints(rays[None], np.zeros(3), np.zeros(3), matrix, np.array(k))
    np.testing.assert_allclose(seen[0], grid, atol=0.2)


def test_a_lens_that_is_too_wide_is_refused_with_the_way_out() -> None:
    wide = np.diag([180.0, 180.0, 1.0])
    wide[:2, 2] = 319.5, 239.5
    with pytest.raises(ConfigError, match="give rectified images"):
        distorted(wide, SIZE, np.zeros(4), "equidistant")


@pytest.mark.parametrize(
    "written",
    [
        "distortion_coefficients: {rows: 1, cols: 5, data: [0.1, 0.2, 0.3, 0.4, 0.5]}",
        "distortion_coeffs: {rows: 1, cols: 5, data: [0.1, 0.2, 0.3, 0.4, 0.5]}",
        "distortion_coeffs: {data: [0.1, 0.2, 0.3, 0.4, 0.5]}",
        "distortion_coeffs: [0.1, 0.2, 0.3, 0.4, 0.5]",
        "dist_coeffs: [0.1, 0.2, 0.3, 0.4, 0.5]",
    ],
)
def test_a_calibration_whose_distortion_stands_under_another_key_is_read(written: str, tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text(CALIBRATION + written + "\n")
    assert load_intrinsics(path).distortion.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
