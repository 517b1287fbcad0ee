"""A series of trials goes on with the camera that it was begun with, or says by name what is different."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.vision.cameras.identity import FILE, CameraIdentity, identity_of, read_camera, require_same_camera

C270 = CameraIdentity("C270 HD WEBCAM", "046d:0825", "8F3A", "1-2", "640x480")


def test_the_first_trial_writes_the_camera_down_and_the_same_one_goes_on(tmp_path: Path) -> None:
    assert read_camera(tmp_path) is None
    require_same_camera(tmp_path, replace(C270, name="Trust"), begun=False)
    require_same_camera(tmp_path, C270, begun=False)  # no trial was run with the other one
    require_same_camera(tmp_path, C270, begun=True)
    assert read_camera(tmp_path) == C270
    assert str(C270) == "C270 HD WEBCAM, 046d:0825, serial 8F3A, USB port 1-2, 640x480"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Trust"}, "name C270 HD WEBCAM, now Trust.: plug the first one in, or take another --out"),
        ({"serial": ""}, "serial number 8F3A, now unknown"),
        ({"bus": "1-3"}, "USB port 1-2, now 1-3.: plug it into that port"),
        ({"size": "1280x720"}, "image size 640x480, now 1280x720.: set image_width and image_height as before"),
        ({"name": "Trust", "size": "1280x720"}, "name C270"),
    ],
)
def test_another_camera_is_refused_by_what_differs(change: dict[str, str], message: str, tmp_path: Path) -> None:
    require_same_camera(tmp_path, C270, begun=False)
    with pytest.raises(InputError, match=message) as refused:
        require_same_camera(tmp_path, replace(C270, **change), begun=True)
    assert "\n" not in str(refused.value)
    assert read_camera(tmp_path) == C270


def test_what_diagnostics_tell_is_an_identity() -> None:
    told = {"message": "open", "device": "/dev/video0", "fps": "30", "name": "C270 HD WEBCAM", "bus": "1-2"}
    assert identity_of(told, "640x480") == CameraIdentity("C270 HD WEBCAM", bus="1-2", size="640x480")
    assert identity_of({"device": "table.mp4"}, "640x480").name == "table.mp4"
    assert str(identity_of({}, "640x480")) == "camera that tells no name, 640x480"


def test_a_spoilt_file_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        require_same_camera(tmp_path, C270, begun=True)
