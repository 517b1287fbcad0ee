"""Taught motions: few points that stay near what was led, in a file that people may change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.arm.taught import load_taught, save_taught, simplified, taught
from dofbot_ros.errors import ConfigError, InputError

ANGLES = st.floats(-1.5, 1.5)


@given(arrays(float, st.tuples(st.integers(2, 40), st.just(6)), elements=ANGLES), st.floats(0.01, 0.5))
def test_no_sample_is_farther_from_the_kept_points_than_the_tolerance(rows: np.ndarray, tolerance: float) -> None:
    times = np.linspace(0.0, 0.05 * (len(rows) - 1), len(rows))
    kept = simplified(times, rows, tolerance)
    assert (kept[0], kept[-1]) == (0, len(rows) - 1)
    for column in range(6):
        between = np.interp(times, times[kept], rows[kept, column])
        assert np.abs(between - rows[:, column]).max() <= tolerance + 1e-9


def test_a_straight_way_is_two_points_and_a_corner_a_third() -> None:
    times = np.linspace(0.0, 2.0, 41)
    assert simplified(times, np.outer(times, np.ones(6)), 0.02) == [0, 40]
    assert simplified(times, np.outer(np.abs(times - 1.0), np.ones(6)), 0.02) == [0, 20, 40]


def test_what_was_led_comes_back_from_the_file(tmp_path: Path) -> None:
    times = np.array([3.0, 3.5, 4.5])
    rows = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.0], [0.5, 0.2, 0.3, 0.4, 0.5, 0.8], [0.0, 0.0, 0.3, 0.4, 0.5, 1.5]])
    save_taught(taught(times, rows), tmp_path / "new" / "wave.yaml")
    again = load_taught(tmp_path / "new" / "wave.yaml")
    assert again.times == pytest.approx([0.0, 0.5, 1.5])
    assert again.positions == pytest.approx(rows, abs=0.01)


def test_one_sample_is_no_motion() -> None:
    with pytest.raises(InputError, match="nothing was taught"):
        taught(np.array([0.0]), np.zeros((1, 6)))


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ("[{seconds: 0, joints_deg: [0, 0, 0, 0, 0], gap_mm: 0}]", "two points at least"),
        ("[{seconds: 0, joints_deg: [0, 0], gap_mm: 0}]", "has 2 angles, and needs 5"),
        ("[{seconds: 0, joints_deg: [0, 0, 0, 0, 0], gap_mm: 99}]", "gap at 0 s is 99 mm"),
        ("[{seconds: 0, joints_deg: [0, 0, 0, 0, x], gap_mm: 9}]", "expected float"),
        (
            "[{seconds: 1, joints_deg: [0, 0, 0, 0, 0], gap_mm: 9}, "
            "{seconds: 2, joints_deg: [0, 0, 0, 0, 0], gap_mm: 9}]",
            "the first point is at 0 s, not at 1 s",
        ),
        (
            "[{seconds: 0, joints_deg: [0, 0, 0, 0, 0], gap_mm: 9}, "
            "{seconds: 0, joints_deg: [0, 0, 0, 0, 0], gap_mm: 9}]",
            "comes after the one at 0 s",
        ),
    ],
)
def test_a_file_that_was_changed_wrongly_is_refused_with_the_place(tmp_path: Path, points: str, says: str) -> None:
    file = tmp_path / "wave.yaml"
    file.write_text(f"points: {points}\n")
    with pytest.raises(ConfigError, match=says) as refusal:
        load_taught(file)
    assert "wave.yaml" in str(refusal.value)
