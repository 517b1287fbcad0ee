from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation
from dofbot_ros.teleop.input.recording import RecordedLandmarks, load_observations, save_observations

from ..synthetic_operator import OPEN, RECORDING, recorded


def body() -> Landmarks:
    rng = np.random.default_rng(0)
    image, world = rng.uniform(0, 600, (33, 3)), rng.uniform(-1, 1, (33, 3))
    return Landmarks(image, world, 0.5, None, np.full(33, 0.5))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    written = [
        Observation(0.0, 640, 480, recorded(OPEN), body()),
        Observation(0.5, 640, 480, None, None, 0),
        Observation(0.7, 1280, 720, replace(recorded(OPEN), side="left"), None, 1),
    ]
    save_observations(written, tmp_path / "a.npz")
    read = load_observations(tmp_path / "a.npz")
    for a, b in zip(written, read, strict=True):
        assert (a.stamp_s, a.width, a.height, a.others) == (b.stamp_s, b.width, b.height, b.others)
        for one, other in ((a.hand, b.hand), (a.body, b.body)):
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                assert one.side == other.side
                np.testing.assert_allclose(one.image, other.image, atol=1 / 32)
                np.testing.assert_allclose(one.world, other.world, atol=1e-4)


def test_a_recording_plays_on_another_clock() -> None:
    source, first = RecordedLandmarks(load_observations(RECORDING), shift_s=100.0), 100.0
    stamps = []
    while (seen := source.read()) is not None:
        stamps.append(seen.stamp_s)
    assert stamps[0] == first
    assert len(stamps) == 621
    assert (np.diff(stamps) > 0).all()


@pytest.mark.parametrize("content", [None, b"no npz"])
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "b.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="no landmark recording"):
        load_observations(path)


def test_a_foreign_npz_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", stamp_s=np.zeros(3))
    with pytest.raises(InputError, match="lacks size"):
        load_observations(tmp_path / "c.npz")
