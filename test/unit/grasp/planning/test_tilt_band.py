"""Columns: straight up, whole, and only where the arm reaches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.grasp.planning.tilt_band import TiltBand

ARM = Kinematics()
BAND = TiltBand(ARM, math.radians(1.0))


@settings(max_examples=60, deadline=None)
@given(st.floats(0.15, 0.27), st.floats(-1.2, 1.2), st.floats(0.0, 1.0), st.floats(-1.0, 1.0))
def test_a_column_stands_on_its_point(radius: float, azimuth: float, place: float, roll: float) -> None:
    x, y = radius * math.cos(azimuth), radius * math.sin(azimuth)
    path = BAND.column(x, y, (0.008, 0.058), place, roll)
    assert path is not None
    poses = ARM.forward_batch(path)
    np.testing.assert_allclose(poses[:, :2], np.tile((x, y), (len(path), 1)), atol=1e-9)
    np.testing.assert_allclose(poses[[0, -1], 2], (0.008, 0.058), atol=1e-9)
    np.testing.assert_allclose(poses[:, 4], roll, atol=1e-12)
    assert (np.diff(poses[:, 3]) < 1e-9).all()  # the tool leans more and more on its way up


def test_places_in_the_band_are_ordered_and_inside() -> None:
    tilts = [BAND.tilt(0.22, 0.0, 0.010, place) for place in (0.0, 0.5, 1.0)]
    assert None not in tilts
    ((low, high),) = ARM.pitch_range(0.22, 0.0, 0.010)
    assert math.pi - high < tilts[0] < tilts[1] < tilts[2] < math.pi - low


@pytest.mark.parametrize("point", [(0.05, 0.0, 0.01), (0.45, 0.0, 0.01), (-0.2, 0.0, 0.01)])
def test_no_column_where_the_arm_does_not_reach_with_the_tool_down(point: tuple[float, float, float]) -> None:
    assert BAND.tilt(*point, 0.5) is None
    assert BAND.column(point[0], point[1], (0.01, 0.05), 0.5, 0.0) is None
