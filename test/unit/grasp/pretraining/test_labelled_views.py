"""Views without grasps: what is known of them is what they show, and an interrupted drawing goes on."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pybullet")

from dofbot_ros.errors import InputError
from dofbot_ros.grasp.pretraining.labelled_views import Wanted, labelled_views, outline_moments


@given(
    row=st.floats(10, 50), column=st.floats(10, 50), long=st.floats(4, 20), share=st.floats(0.2, 0.95),
    angle=st.floats(-math.pi, math.pi),
)  # fmt: skip
def test_the_moments_of_a_rectangle_tell_its_middle_and_direction(
    row: float, column: float, long: float, share: float, angle: float
) -> None:
    half = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * (0.5 * long, 0.5 * share * long)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    found = outline_moments(half @ turn.T + (row, column))
    # Second moments of a rectangle: a^2 and b^2 over 12.
    stretch = (1.0 - share**2) / (1.0 + share**2)
    wanted = row, column, stretch * math.cos(2 * angle), stretch * math.sin(2 * angle)
    assert found == pytest.approx(wanted, abs=2e-3)


@pytest.mark.slow
def test_the_object_is_where_the_label_says_and_a_drawing_goes_on(tmp_path: Path) -> None:
    wanted = Wanted("cube", 8, seed=3)
    whole = labelled_views(wanted, tmp_path / "whole", 1, block=4)
    assert len(whole) == 8
    assert set(whole.family) == {0}
    # Of a cube all directions are alike.
    assert np.abs(whole.place[:, 2:]).max() < 1e-3
    for image, (row, column, _, _) in zip(whole.images, whole.place, strict=True):
        # Its middle is unlike the table around: 30 mm are 12 pixels.
        at, across = round(row), round(column)
        inside = image[at - 2 : at + 3, across - 2 : across + 3].reshape(-1, 3).mean(axis=0)
        far = [(at + dr, across + dc) for dr, dc in ((-15, 0), (15, 0), (0, -15), (0, 15))]
        outside = [image[r, c] for r, c in far if 0 <= r < 64 and 0 <= c < 64]
        assert np.linalg.norm(np.median(outside, axis=0) - inside) > 20
    # With the second file gone, that alone is drawn again, and to the same pixels.
    (tmp_path / "whole" / "views-000004.npz").unlink()
    told: list[tuple[int, int]] = []
    again = labelled_views(wanted, tmp_path / "whole", 1, lambda done, of: told.append((done, of)), block=4)
    assert told == [(8, 8)]
    assert np.array_equal(again.images, whole.images)
    assert np.array_equal(again.place, whole.place)
    assert len(labelled_views(Wanted("cube", 6, seed=3), tmp_path / "whole", 1, block=4)) == 6
    with pytest.raises(InputError, match="views of other settings"):
        labelled_views(Wanted("cube", 8, seed=4), tmp_path / "whole", 1)
