"""Which camera it is: what sysfs tells of it, and files of other packages' calibrations."""

from __future__ import annotations

from pathlib import Path

import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.vision.cameras.capture import camera_info_path
from dofbot_ros.vision.cameras.v4l2 import identity


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    device = tmp_path / "devices" / "1-2.3"
    interface = device / "1-2.3:1.0"
    interface.mkdir(parents=True)
    for name, text in (("idVendor", "046d\n"), ("idProduct", "0825\n"), ("serial", "5F3A\n")):
        (device / name).write_text(text)
    entry = tmp_path / "video4linux" / "video3"
    entry.mkdir(parents=True)
    (entry / "name").write_text("UVC Camera\n")
    (entry / "device").symlink_to(interface)
    return entry.parent


def test_a_usb_camera_is_told_by_serial_number_and_port(sysfs: Path) -> None:
    expected = {"name": "UVC Camera", "bus": "1-2.3", "usb_id": "046d:0825", "serial": "5F3A"}
    assert identity("/dev/video3", sysfs) == expected
    assert identity("3", sysfs) == expected


def test_a_link_by_id_is_followed(sysfs: Path, tmp_path: Path) -> None:
    link = tmp_path / "usb-046d_UVC_Camera-video-index0"
    link.symlink_to("/dev/video3")
    assert identity(str(link), sysfs)["serial"] == "5F3A"


def test_a_file_has_no_identity(sysfs: Path, tmp_path: Path) -> None:
    assert identity(str(tmp_path / "film.avi"), sysfs) == {}


def test_a_calibration_of_another_package_is_found_in_the_ament_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    (index / "usb_cam").touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{tmp_path}")
    url = "package://usb_cam/config/camera_info.yaml"
    assert camera_info_path(url) == tmp_path / "share" / "usb_cam" / "config" / "camera_info.yaml"
    with pytest.raises(InputError, match="package v4l2_camera is not in AMENT_PREFIX_PATH"):
        camera_info_path("package://v4l2_camera/camera.yaml")
