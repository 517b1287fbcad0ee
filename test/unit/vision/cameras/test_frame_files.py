from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dofbot_ros.core.clock import ManualClock
from dofbot_ros.vision.cameras.frame_files import VideoFile, read_image
from dofbot_ros.vision.cameras.frames import CameraError, FrameSource
from dofbot_ros.vision.cameras.image_folder import ImageFolder

REDS = (40, 90, 140, 190, 240)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Five frames at 10 Hz, each redder than the last."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for red in REDS:
        writer.write(np.full((48, 64, 3), (10, 20, red), np.uint8))
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same frames as pictures, beside a file that is none."""
    path = tmp_path / "pictures"
    path.mkdir()
    for i, red in enumerate(REDS):
        cv2.imwrite(str(path / f"{i:03}.png"), np.full((48, 64, 3), (10, 20, red), np.uint8))
    (path / "notes.txt").write_text("no picture")
    return path


def reds(source: FrameSource, count: int) -> list[int]:
    frames = [source.read() for _ in range(count)]
    return [round(float(f.image[..., 0].mean())) for f in frames if f is not None]


def test_a_video_plays_at_its_own_rate_and_ends(video: Path) -> None:
    clock = ManualClock(100.0)
    source = VideoFile(video, clock)

    stamps = [frame.stamp_s for frame in iter(source.read, None)]

    np.testing.assert_allclose(stamps, 100.0 + 0.1 * np.arange(5))
    assert source.read() is None
    source.close()


def test_a_video_is_rgb_and_loops(video: Path) -> None:
    source = VideoFile(video, ManualClock(), loop=True)

    np.testing.assert_allclose(reds(source, 12), (REDS * 3)[:12], atol=6)
    source.close()


def test_a_video_plays_at_another_rate_or_as_fast_as_it_is_read(video: Path) -> None:
    for rate, period in (50.0, 0.02), (float("inf"), 0.0):
        clock = ManualClock()
        source = VideoFile(video, clock, framerate=rate)
        reds(source, 5)
        assert clock.now() == pytest.approx(4 * period)
        source.close()


def test_a_folder_plays_in_order_of_names_and_loops(folder: Path) -> None:
    source = ImageFolder(folder, ManualClock(), loop=True)

    assert reds(source, 7) == [*REDS, *REDS[:2]]


def test_a_folder_plays_at_the_rate_that_is_asked_for_and_ends(folder: Path) -> None:
    clock = ManualClock()
    source = ImageFolder(folder, clock, framerate=4.0)

    assert len(list(iter(source.read, None))) == 5
    assert clock.now() == pytest.approx(1.0)


def test_a_reader_that_fell_behind_gets_no_burst(folder: Path) -> None:
    clock = ManualClock()
    source = ImageFolder(folder, clock, framerate=10.0)
    source.read()
    clock.advance(5.0)

    stamps = [frame.stamp_s for frame in iter(source.read, None)]

    np.testing.assert_allclose(np.diff(stamps), 0.1)


def test_a_frame_tells_its_age(folder: Path) -> None:
    clock = ManualClock(7.0)
    frame = ImageFolder(folder, clock).read()
    clock.advance(0.5)

    assert frame is not None
    assert frame.age_s(clock.now()) == pytest.approx(0.5)


def test_says_what_cannot_be_played(tmp_path: Path) -> None:
    (tmp_path / "words.mp4").write_text("no video")
    (tmp_path / "empty").mkdir()

    with pytest.raises(CameraError, match=r"words\.mp4: is no video"):
        VideoFile(tmp_path / "words.mp4", ManualClock())
    with pytest.raises(CameraError, match=r"gone\.mp4: no such video file"):
        VideoFile(tmp_path / "gone.mp4", ManualClock())
    with pytest.raises(CameraError, match=r"empty: holds no images \(\.bmp, "):
        ImageFolder(tmp_path / "empty", ManualClock())
    with pytest.raises(CameraError, match="gone: no such image folder"):
        ImageFolder(tmp_path / "gone", ManualClock())


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 half a picture"])
def test_says_which_file_is_no_image(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)

    with pytest.raises(CameraError, match=r"a\.png: is no image that OpenCV can read"):
        read_image(tmp_path / "a.png")
