from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from dofbot_ros.config.loader import from_mapping
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import ConfigError
from dofbot_ros.vision.cameras.capture import CaptureConfig, camera_info_path, open_source, retry_delays
from dofbot_ros.vision.cameras.frame_files import VideoFile
from dofbot_ros.vision.cameras.frames import CameraError, CameraLostError
from dofbot_ros.vision.cameras.image_folder import ImageFolder


def test_opens_what_the_device_names(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 64, 3), np.uint8))
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()

    for device, kind in (tmp_path, ImageFolder), (tmp_path / "clip.avi", VideoFile):
        source = open_source(CaptureConfig(video_device=str(device), loop=True), ManualClock())
        assert isinstance(source, kind)
        assert all(source.read() is not None for _ in range(3))
        source.close()


@pytest.mark.parametrize(
    ("device", "error", "message"),
    [
        ("/dev/video97", CameraError, "/dev/video97: no such camera; cameras here"),
        ("97", CameraError, "/dev/video97: no such camera; cameras here"),
        ("gone.mp4", CameraError, "gone.mp4: no such video file"),
        ("http://127.0.0.1:9/stream", CameraLostError, "Connection refused"),
    ],
)
def test_says_why_a_device_cannot_be_opened(device: str, error: type[CameraError], message: str) -> None:
    with pytest.raises(error, match=message):
        open_source(CaptureConfig(video_device=device), ManualClock())


def test_parameters_have_usb_cams_names() -> None:
    given = {
        "video_device": "/dev/video2",
        "framerate": 15,
        "image_width": 1280,
        "image_height": 720,
        "pixel_format": "yuyv",
        "camera_name": "wrist",
        "camera_info_url": "file:///tmp/wrist.yaml",
        "frame_id": "wrist_optical_frame",
    }

    config = from_mapping(CaptureConfig, given, "camera")

    assert {name: getattr(config, name) for name in given} == given


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"framerate": -1.0}, "framerate must be at least 0"),
        ({"framerate": float("nan")}, "framerate must be at least 0"),
        ({"image_width": 0}, "image_width must be at least 1, got 0"),
        ({"pixel_format": "rgb"}, "pixel_format 'rgb' is not one of"),
    ],
)
def test_refuses_parameters_that_make_no_sense(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CaptureConfig(**changes)  # type: ignore[arg-type]


def test_camera_info_urls() -> None:
    assert camera_info_path("/etc/cam era.yaml") == Path("/etc/cam era.yaml")
    assert camera_info_path("file:///etc/cam%20era.yaml") == Path("/etc/cam era.yaml")
    assert camera_info_path("package://dofbot_ros/config/blocks.yaml") == share_file("config", "blocks.yaml")
    with pytest.raises(ConfigError, match="'https' is not one of file, package"):
        camera_info_path("https://example.com/camera.yaml")


def test_retries_grow_apart_to_a_limit() -> None:
    assert list(islice(retry_delays(0.5, 3.0), 5)) == [0.5, 1.0, 2.0, 3.0, 3.0]
