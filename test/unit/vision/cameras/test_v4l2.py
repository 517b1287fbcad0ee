from __future__ import annotations

from pathlib import Path

import pytest

from dofbot_ros.core.clock import ManualClock
from dofbot_ros.vision.cameras.frames import CameraError
from dofbot_ros.vision.cameras.v4l2 import V4l2Camera, cameras


def open_camera(device: str, pixel_format: str = "yuyv2rgb") -> V4l2Camera:
    return V4l2Camera(device, ManualClock(), size=(640, 480), framerate=30.0, pixel_format=pixel_format)


@pytest.mark.parametrize("device", ["/dev/video97", "97"])
def test_a_camera_that_is_not_there_is_answered_by_those_that_are(device: str) -> None:
    here = ", ".join(f"{path} ({name})" for path, name in cameras().items()) or "none"

    with pytest.raises(CameraError) as caught:
        open_camera(device)
    assert str(caught.value) == f"/dev/video97: no such camera; cameras here: {here}"


def test_a_device_that_is_no_camera() -> None:
    with pytest.raises(CameraError, match="/dev/null: is no camera, or another program uses it; cameras here: "):
        open_camera("/dev/null")


def test_a_file_is_no_device(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()

    with pytest.raises(CameraError, match="video0: is no camera device"):
        open_camera(str(tmp_path / "video0"))


def test_pixel_formats_are_those_of_usb_cam() -> None:
    with pytest.raises(CameraError, match=r"'mjpg2rgb' is not one of .*did you mean mjpeg2rgb"):
        open_camera("/dev/video97", "mjpg2rgb")


def test_lists_cameras_in_their_order_with_the_drivers_names(tmp_path: Path) -> None:
    devices, names = tmp_path / "dev", tmp_path / "names"
    devices.mkdir()
    for number in (10, 2):
        (devices / f"video{number}").touch()
    (names / "video2").mkdir(parents=True)
    (names / "video2" / "name").write_text("USB 2.0 Camera\n")

    assert list(cameras(devices, names).items()) == [
        (str(devices / "video2"), "USB 2.0 Camera"),
        (str(devices / "video10"), "unknown"),
    ]
