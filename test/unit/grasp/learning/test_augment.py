"""An augmented view's label points at the same point of the object, and the closing line turns with the view."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.errors import ConfigError
from dofbot_ros.grasp.detection.view import TopDownView, nearest_rotation, rotation_yaw
from dofbot_ros.grasp.learning.augment import AugmentConfig, augment, draw_map, recolour

SIZE = 64
GEOMETRY = AugmentConfig(quarter_turns=True, arm_turn_deg=10.0, turn_deg=10.0, shift=6, colour=0.0, grey=0.0, noise=0.0)

labels = st.tuples(st.integers(6, SIZE - 7), st.integers(6, SIZE - 7), st.integers(0, 7))
seeds = st.integers(0, 2**32 - 1)


def spot(row: int, column: int) -> np.ndarray:
    """A view with a soft bright spot whose middle is the pixel's centre."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    bright = 200 * np.exp(-0.5 * ((rows - row) ** 2 + (columns - column) ** 2) / 1.5**2)
    return np.repeat(np.rint(bright).astype(np.uint8)[..., None], 3, axis=2)


@settings(max_examples=150, deadline=None)
@given(label=labels, seed=seeds)
def test_the_label_stays_on_the_same_point_of_the_object(label: tuple[int, int, int], seed: int) -> None:
    view, (row, column, _) = augment(np.random.default_rng(seed), GEOMETRY, spot(*label[:2]), label, 8)
    assert 0 <= row < SIZE
    assert 0 <= column < SIZE
    weight = view[..., 0].astype(float)
    weight[weight < 40] = 0.0
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    inside = 5 <= row < SIZE - 5 and 5 <= column < SIZE - 5
    if inside:
        # No rounding: the spot's middle lies on the labelled pixel's centre to the interpolation's accuracy.
        assert (weight * rows).sum() / weight.sum() == pytest.approx(row, abs=0.08)
        assert (weight * columns).sum() / weight.sum() == pytest.approx(column, abs=0.08)
    else:
        assert weight[row, column] >= 0.8 * weight.max()


@settings(max_examples=150, deadline=None)
@given(label=labels, seed=seeds, along=st.floats(-10, 10))
def test_the_closing_line_turns_with_the_view(label: tuple[int, int, int], seed: int, along: float) -> None:
    row, column, rotation = label
    view = TopDownView(size=SIZE)
    yaw = rotation_yaw(rotation, 8)
    change = draw_map(np.random.default_rng(seed), GEOMETRY, view, row, column)
    # A point on the closing line in the table, carried through the pixels, lies on the turned line.
    x, y = view.to_table(row, column)
    step = along * view.resolution
    end = change.point(*view.to_pixel(x + step * math.cos(yaw), y + step * math.sin(yaw)))
    start = change.point(row, column)
    turned = change.yaw(yaw)
    expected = along * np.array([-math.cos(turned), -math.sin(turned)])
    assert end - start == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(label=labels, seed=seeds)
def test_quarter_turns_and_flips_lose_nothing(label: tuple[int, int, int], seed: int) -> None:
    exact = AugmentConfig(quarter_turns=True, arm_turn_deg=0, turn_deg=0, shift=0, colour=0, grey=0, noise=0)
    change = draw_map(np.random.default_rng(seed), exact, TopDownView(size=SIZE), *label[:2])
    assert np.abs(change.matrix).round(12).tolist() in ([[1, 0], [0, 1]], [[0, 1], [1, 0]])
    turned = change.yaw(rotation_yaw(label[2], 8))
    index = nearest_rotation(turned, 8)
    assert math.remainder(turned - rotation_yaw(index, 8), math.pi) == pytest.approx(0.0, abs=1e-9)
    image = np.random.default_rng(seed).integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
    assert sorted(change.image(image).ravel()) == sorted(image.ravel())


@settings(max_examples=30, deadline=None)
@given(yaw=st.floats(-10, 10), rotations=st.integers(1, 16))
def test_the_nearest_rotation_is_at_most_half_a_step_away(yaw: float, rotations: int) -> None:
    found = rotation_yaw(nearest_rotation(yaw, rotations), rotations)
    assert abs(math.remainder(found - yaw, math.pi)) <= 0.5 * math.pi / rotations + 1e-9


def test_colour_changes_move_nothing() -> None:
    rng = np.random.default_rng(0)
    changed = recolour(rng, AugmentConfig(noise=0.0), spot(20, 41))
    assert np.unravel_index(changed.sum(axis=2).argmax(), (SIZE, SIZE)) == (20, 41)


def test_nothing_asked_for_is_nothing_done() -> None:
    still = AugmentConfig(flip=False, arm_turn_deg=0, turn_deg=0, shift=0, colour=0, grey=0, noise=0)
    image = np.random.default_rng(1).integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
    same, action = augment(np.random.default_rng(2), still, image, (10, 50, 3), 8)
    assert np.array_equal(same, image)
    assert action == (10, 50, 3)


def test_shares_outside_0_to_1_are_refused() -> None:
    with pytest.raises(ConfigError, match="must be 0 to 1"):
        AugmentConfig(grey=1.5)
