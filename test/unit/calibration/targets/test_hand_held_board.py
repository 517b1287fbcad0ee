"""A lens that is calibrated in simulation is as good as one from real pictures, and no better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.calibration.targets.hand_held_board import lens_by_board
from dofbot_ros.vision.intrinsics import from_field_of_view


@pytest.mark.parametrize("seed", range(5))
def test_focal_length_and_distortion_are_found(seed: int) -> None:
    ideal = from_field_of_view(640, 480, 0.98)
    true = replace(ideal, distortion=np.array([-0.3, 0.0, 0.0, 0.0, 0.0]))
    found = lens_by_board(true, np.random.default_rng(seed))
    off = abs(found.K[0, 0] / true.K[0, 0] - 1.0)
    assert 0.0 < off < 0.005
    assert found.distortion[0] == pytest.approx(-0.3, abs=0.03)
