"""A good file stays: worse calibrations, doubtful ones, and half-written ones do not replace it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.calibration.store import compare, replace
from dofbot_ros.errors import CalibrationError

RNG = np.random.default_rng(0)
GOOD, BAD = RNG.normal(1.0, 0.1, 40), RNG.normal(1.5, 0.1, 40)


def write(path: Path) -> None:
    path.write_text("new", encoding="utf-8")


def test_the_first_is_written_and_a_better_one_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "camera.yaml"

    assert replace(path, write, compare(BAD, None, RNG), 2.0, "mm") is None
    path.write_text("old", encoding="utf-8")
    backup = replace(path, write, compare(GOOD, BAD, RNG), 2.0, "mm")

    assert path.read_text(encoding="utf-8") == "new"
    assert backup is not None
    assert backup.read_text(encoding="utf-8") == "old"
    assert sorted(p.name for p in path.parent.iterdir()) == ["camera.yaml", "camera.yaml.before"]


def test_a_worse_one_is_refused_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text("old", encoding="utf-8")

    with pytest.raises(CalibrationError, match=r"the stored one is better on the same data \(0\.9. against 1\.5. mm\)"):
        replace(path, write, compare(BAD, GOOD, RNG), 2.0, "mm")

    assert path.read_text(encoding="utf-8") == "old"
    assert replace(path, write, compare(BAD, GOOD, RNG), 2.0, "mm", force=True) is not None


def test_a_doubtful_one_is_refused_also_when_forced(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="is above 1 mm: nothing was written"):
        replace(tmp_path / "x", write, compare(GOOD, None, RNG), 1.0, "mm", force=True)

    assert not list(tmp_path.iterdir())


def test_as_good_as_the_stored_one_is_good_enough(tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text("old", encoding="utf-8")

    replace(path, write, compare(GOOD, GOOD + RNG.normal(0.0, 0.05, 40), RNG), 2.0, "mm")

    assert path.read_text(encoding="utf-8") == "new"


def test_a_failure_while_writing_leaves_the_stored_one(tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text("old", encoding="utf-8")

    def fail(draft: Path) -> None:
        draft.write_text("ne", encoding="utf-8")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        replace(path, fail, compare(GOOD, None, RNG), 2.0, "mm")

    assert path.read_text(encoding="utf-8") == "old"
