"""Videos are H.264 in MP4, whole, and show what was put in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.vision.film import Film

av = pytest.importorskip("av", reason="video is an extra: pip install '.[teleop]'")


def pictures(count: int, height: int = 48, width: int = 64) -> list[ImageArray]:
    """A grey that rises from picture to picture, with a red corner."""
    shown = [np.full((height, width, 3), 10 * number, np.uint8) for number in range(count)]
    for picture in shown:
        picture[:16, :16] = (200, 0, 0)
    return shown


def film(file: Path, shown: list[ImageArray]) -> None:
    with Film(file, 15.0) as video:
        for picture in shown:
            video.add(picture)


def test_a_video_is_h264_and_shows_what_was_put_in(tmp_path: Path) -> None:
    shown = pictures(20)
    film(tmp_path / "film.mp4", shown)
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert float(stream.average_rate) == 15.0
        seen = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(seen) == len(shown)
    for before, after in zip(shown, seen, strict=True):
        assert np.abs(before[24:].astype(float) - after[24:]).mean() < 4.0
        assert after[8, 8, 0] > after[8, 8, 2] + 100


def test_an_odd_row_or_column_is_left_out(tmp_path: Path) -> None:
    film(tmp_path / "film.mp4", pictures(2, 49, 65))
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.height, stream.width) == (48, 64)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(DofbotError, match=r"nowhere/film.mp4: no video can be written there"):
        Film(tmp_path / "nowhere" / "film.mp4", 15.0)


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    with Film(tmp_path / "film.mp4", 15.0) as video:
        video.add(pictures(1)[0])
        with pytest.raises(DofbotError, match=r"a picture of 32x32 in a video of 64x48"):
            video.add(np.zeros((32, 32, 3), np.uint8))


def test_a_video_without_pictures_ends(tmp_path: Path) -> None:
    with Film(tmp_path / "film.mp4", 15.0):
        pass
