from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.core.transforms import apply, exp_so3, invert, log_so3, rot_x, rot_z, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError
from dofbot_ros.vision.handeye import locate_fixed_camera
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.aruco import Marker, MarkerDetector
from dofbot_ros.vision.markers.block_image import draw_blocks
from dofbot_ros.vision.markers.block_layout import BlockSet, square_corners

BENT = Intrinsics(640, 480, np.array([[600.0, 0, 322], [0, 598.0, 238], [0, 0, 1]]), np.array([0.1, -0.2, 0.003, 0, 0]))
PLACES = ((0.12, 0.1), (0.28, 0.08), (0.2, -0.12), (0.26, -0.05))
MARKERS_BASE = {
    i: apply(transform(rot_z(0.7 * i), (x, y, 0.03)), square_corners(0.022)) for i, (x, y) in enumerate(PLACES)
}


def see(T_base_camera: FloatArray, rng: np.random.Generator, noise_px: float, ids: Sequence[int]) -> list[Marker]:
    """The markers as that camera sees them, with noise on each corner coordinate."""
    still = np.zeros(3)
    points = {i: apply(invert(T_base_camera), MARKERS_BASE[i]) for i in ids}
    seen = {i: cv2.projectPoints(p, still, still, BENT.K, BENT.distortion)[0][:, 0] for i, p in points.items()}
    return [Marker(i, corners + rng.normal(0.0, noise_px, (4, 2))) for i, corners in seen.items()]


def off(found: FloatArray, true: FloatArray) -> tuple[float, float]:
    """Distance [m] and angle [rad] between two poses."""
    return float(np.linalg.norm(found[:3, 3] - true[:3, 3])), float(
        np.linalg.norm(log_so3(found[:3, :3].T @ true[:3, :3]))
    )


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    place=st.tuples(st.floats(0.1, 0.3), st.floats(-0.1, 0.1), st.floats(0.45, 0.7)),
    lean=st.tuples(*[st.floats(-0.25, 0.25)] * 3),
    seed=st.integers(0, 1000),
)
def test_fixed_camera_is_found_from_markers_on_the_table(
    place: tuple[float, ...], lean: tuple[float, ...], seed: int
) -> None:
    T = transform(exp_so3(lean) @ rot_x(np.pi) @ rot_z(np.pi / 2), place)

    exact = locate_fixed_camera(see(T, np.random.default_rng(seed), 0.0, range(4)), MARKERS_BASE, BENT)
    noisy = locate_fixed_camera(see(T, np.random.default_rng(seed), 0.1, range(4)), MARKERS_BASE, BENT)

    assert off(exact.T_base_camera, T) == pytest.approx((0.0, 0.0), abs=1e-5)
    assert exact.reprojection_px < 1e-3
    distance, angle = off(noisy.T_base_camera, T)
    assert distance < 0.01
    assert angle < 0.015
    assert noisy.reprojection_px < 0.3


def test_three_markers_are_enough_and_strangers_are_passed_over() -> None:
    T = transform(rot_x(np.pi) @ rot_z(np.pi / 2), (0.2, 0.0, 0.6))
    seen = [*see(T, np.random.default_rng(0), 0.0, (0, 1, 3)), Marker(40, np.zeros((4, 2)))]

    found = locate_fixed_camera(seen, MARKERS_BASE, BENT)

    assert found.markers == 3
    assert off(found.T_base_camera, T) == pytest.approx((0.0, 0.0), abs=1e-5)


def test_two_markers_are_too_few() -> None:
    seen = see(transform(rot_x(np.pi), (0.2, 0.0, 0.6)), np.random.default_rng(0), 0.0, (0, 1))

    with pytest.raises(
        CalibrationError, match=r"needs 3 markers of known place, sees 2 \(\[0, 1\] of \[0, 1, 2, 3\]\)"
    ):
        locate_fixed_camera(seen, MARKERS_BASE, BENT)


def test_camera_is_found_in_a_picture_of_blocks_at_measured_places(
    blocks: BlockSet, camera: Intrinsics, T_base_camera: FloatArray
) -> None:
    truth = {b.name: transform(rot_z(i), (*PLACES[i], 0.015)) for i, b in enumerate(blocks.blocks)}
    seen = {name: invert(T_base_camera) @ T for name, T in truth.items()}
    corners = {b.faces["+z"].id: apply(truth[b.name], b.marker_corners("+z")) for b in blocks.blocks}
    image = draw_blocks(blocks, seen, camera, np.random.default_rng(0))

    found = locate_fixed_camera(MarkerDetector(blocks.dictionary).detect(image), corners, camera)

    distance, angle = off(found.T_base_camera, T_base_camera)
    assert distance < 2e-3
    assert angle < 2e-3
