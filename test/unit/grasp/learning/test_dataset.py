"""Grasp data keep their form on disk, files made elsewhere load, others are refused with the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.grasp.learning.dataset import join, load, save

from ..bar_views import bars


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    data = bars(8, 3)
    save(data, tmp_path / "some.npz")
    again = load(tmp_path / "some.npz")
    for name in ("images", "actions", "success", "family"):
        assert np.array_equal(getattr(again, name), getattr(data, name)), name
    assert again.meta == data.meta


def test_the_same_data_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save(bars(4, 3), tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_imgs_and_actions_from_elsewhere_are_enough(tmp_path: Path) -> None:
    actions = np.array([[1, 2, 0], [3, 4, 1], [5, 6, 1]])
    np.savez(tmp_path / "x.npz", imgs=np.zeros((3, 64, 64, 3), np.uint8), actions=actions)
    data = load(tmp_path / "x.npz")
    assert len(data) == 3
    assert data.success.all()
    assert data.rotations == 2


def test_parts_of_different_size_are_not_joined() -> None:
    small = bars(2, 0)
    large = bars(2, 0)
    object.__setattr__(large, "images", np.zeros((2, 64, 64, 3), np.uint8))
    with pytest.raises(InputError, match="different image size"):
        join([small, large])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"imgs": np.zeros((2, 8, 8, 3), np.uint8)}, "holds no actions"),
        ({"imgs": np.zeros((2, 8, 8), np.uint8), "actions": np.zeros((2, 3), int)}, "square RGB"),
        ({"imgs": np.zeros((2, 8, 8, 3), float), "actions": np.zeros((2, 3), int)}, "uint8"),
        ({"imgs": np.zeros((2, 8, 8, 3), np.uint8), "actions": np.zeros((3, 3), int)}, "for 2 images"),
        ({"imgs": np.zeros((1, 8, 8, 3), np.uint8), "actions": np.array([[9, 0, 0]])}, "outside its image"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=message):
        load(tmp_path / "x.npz")


def test_a_file_that_is_no_npz_and_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_text("no zip")
    with pytest.raises(InputError, match="is no npz"):
        load(tmp_path / "x.npz")
    with pytest.raises(InputError, match="does not exist"):
        load(tmp_path / "y.npz")
