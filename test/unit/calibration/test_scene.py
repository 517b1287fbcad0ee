"""Where a point should appear: nothing far beside the picture is taken to be in it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.calibration.scene import _project, _turns_back

WIDE = 1e4
FOCAL, CENTRE = 600.0, (320.0, 240.0)


def lens(k1: float, k2: float) -> np.ndarray:
    return np.array([FOCAL, FOCAL, *CENTRE, k1, k2])


def radius(k1: float, k2: float, r: np.ndarray) -> np.ndarray:
    """Distance from the centre [px / focal length] at which points at `r` from the axis appear."""
    seen = _project(lens(k1, k2), np.column_stack([r, np.zeros_like(r), np.ones_like(r)]))
    return (seen[:, 0] - CENTRE[0]) / FOCAL


@given(st.floats(-0.6, 0.4), st.floats(-0.2, 0.3))
def test_what_is_farther_out_appears_farther_out(k1: float, k2: float) -> None:
    seen = radius(k1, k2, np.linspace(0.0, 30.0, 3000))
    assert np.all(np.diff(seen) > -1e-9)


@given(st.floats(-0.6, 0.4), st.floats(-0.2, 0.3), st.floats(0.0, 1.0))
def test_within_the_lens_range_it_is_opencvs_projection(k1: float, k2: float, share: float) -> None:
    r = np.array([share * min(1.0, 0.999 * np.sqrt(_turns_back(k1, k2)))])
    point = np.column_stack([0.6 * r, 0.8 * r, np.ones(1)])
    K = np.array([[FOCAL, 0.0, CENTRE[0]], [0.0, FOCAL, CENTRE[1]], [0.0, 0.0, 1.0]])
    wanted = cv2.projectPoints(point, np.zeros(3), np.zeros(3), K, np.array([k1, k2, 0.0, 0.0]))[0][:, 0]
    assert _project(lens(k1, k2), point) == pytest.approx(wanted, abs=1e-6)


def test_a_barrel_lens_does_not_bring_back_what_is_beside_the_picture() -> None:
    # 1 - 0.3 r^2 folds from r = 1.05 on: at r = 1.7 OpenCV's polynomial is back within half a picture of the centre.
    assert abs(radius(-0.3, 0.0, np.array([1.7]))[0]) > 0.7
    assert _turns_back(-0.3, 0.0) == pytest.approx(1.0 / 0.9)
    assert _turns_back(0.1, 0.0) == np.inf
