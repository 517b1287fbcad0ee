from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.core.transforms import exp_so3, transform
from dofbot_ros.errors import ConfigError
from dofbot_ros.vision.extrinsics import Extrinsics, extrinsics_of, load_extrinsics, save_extrinsics


@given(st.tuples(*[st.floats(-2, 2)] * 3), st.tuples(*[st.floats(-1.8, 1.8)] * 3))
def test_matrix_and_numbers_say_the_same(place: tuple[float, ...], turn: tuple[float, ...]) -> None:
    T = transform(exp_so3(turn), place)

    np.testing.assert_allclose(extrinsics_of(T, "base_link", "camera_optical_frame").matrix, T, atol=1e-12)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    saved = extrinsics_of(transform(exp_so3([3.0, 0.1, 0.2]), (0.19, 0.0, 0.58)), "base_link", "camera_optical_frame")
    save_extrinsics(saved, tmp_path / "extrinsics.yaml")

    assert load_extrinsics(tmp_path / "extrinsics.yaml") == saved


def test_refuses_what_is_no_rotation() -> None:
    with pytest.raises(ConfigError, match=r"unit quaternion x, y, z, w; this one has length 2"):
        Extrinsics("base_link", "camera", (0.0, 0.0, 0.0), (2.0, 0.0, 0.0, 0.0))


def test_refuses_what_is_no_place() -> None:
    with pytest.raises(ConfigError, match="finite"):
        Extrinsics("base_link", "camera", (0.0, float("nan"), 0.0), (0.0, 0.0, 0.0, 1.0))


def test_says_what_a_file_lacks(tmp_path: Path) -> None:
    (tmp_path / "extrinsics.yaml").write_text("parent: base_link\nframe: camera\n")

    with pytest.raises(ConfigError, match=r"extrinsics.yaml: missing translation, rotation"):
        load_extrinsics(tmp_path / "extrinsics.yaml")
