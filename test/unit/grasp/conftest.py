"""Fixtures of the grasp network's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from dofbot_ros.grasp.learning.dataset import TRAIN_FILE, VAL_FILE, save

from .bar_views import bars


@pytest.fixture
def bar_data(tmp_path: Path) -> Path:
    """A folder with training and validation data."""
    folder = tmp_path / "data"
    folder.mkdir()
    save(bars(64, 0), folder / TRAIN_FILE)
    save(bars(32, 1), folder / VAL_FILE)
    return folder
