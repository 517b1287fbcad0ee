from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import dofbot_here

from dofbot_ros.core.transforms import matrix_from_quat
from dofbot_ros.vision.intrinsics import from_field_of_view, save_intrinsics
from dofbot_ros.vision.markers.aruco import dictionary_named

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "aruco"
PHOTO, CAMERA = DATA / "singlemarkersoriginal.jpg", DATA / "tutorial_camera_params.yml"
needs_photo = pytest.mark.skipif(not PHOTO.is_file(), reason=f"{PHOTO} is absent")

CORNERS = {
    40: [(359, 310), (404, 310), (410, 350), (362, 350)],
    98: [(427, 255), (469, 256), (477, 289), (434, 288)],
    62: [(233, 273), (190, 273), (196, 241), (237, 241)],
    23: [(298, 185), (334, 186), (335, 212), (297, 211)],
    124: [(425, 163), (430, 186), (394, 186), (390, 162)],
    203: [(195, 155), (230, 155), (227, 178), (190, 178)],
}
"""What the photo shows, by id, clockwise from each marker's own top left [px]."""


def localize(*words: object) -> subprocess.CompletedProcess[str]:
    return dofbot_here("localize", *words)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Marker 11 of 6x6_250, 5 cm large on the picture's axis, straight in front of the camera at 0.4 m."""
    camera = from_field_of_view(320, 240, 1.0)
    save_intrinsics(camera, tmp_path / "camera.yaml")
    half = 0.025 / 0.4 * camera.K[0, 0]
    image = np.full((240, 320), 220, np.uint8)
    n = round(2 * half)
    top, left = round(119.5 - half), round(159.5 - half)
    image[top : top + n, left : left + n] = cv2.aruco.generateImageMarker(dictionary_named("DICT_6X6_250"), 11, n)
    cv2.imwrite(str(tmp_path / "picture.png"), image)
    return tmp_path / "picture.png"


OTHERS = ("--dictionary", "DICT_6X6_250")
"""Other markers than the kit's."""


@needs_photo
def test_finds_the_six_markers_of_a_real_photo(tmp_path: Path) -> None:
    out = tmp_path / "annotated.png"
    words = ["--camera-info", str(CAMERA), *OTHERS, "--marker-size", "0.03", "--json", "--out", str(out)]
    command = [Path(sys.executable).with_name("dofbot"), "localize", str(PHOTO), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    found = {marker["id"]: marker for marker in json.loads(done.stdout)["markers"]}
    assert set(found) == set(CORNERS)
    for marker, corners in CORNERS.items():
        np.testing.assert_allclose(found[marker]["corners"], corners, atol=2.0)
        assert found[marker]["reprojection_px"] < 0.5
        assert found[marker]["ambiguity"] < 0.5
    # They lie on one sheet of paper: their normals agree, and their centres lie in one plane.
    normals = np.array([matrix_from_quat(m["orientation"])[:, 2] for m in found.values()])
    assert np.degrees(np.arccos(np.clip(normals @ normals.mean(axis=0), -1, 1))).max() < 5.0
    centres = np.array([m["position"] for m in found.values()])
    assert np.linalg.svd(centres - centres.mean(axis=0))[1][2] / np.sqrt(len(found)) < 0.003
    assert cv2.imread(str(out)).shape == cv2.imread(str(PHOTO)).shape
    assert not np.array_equal(cv2.imread(str(out)), cv2.imread(str(PHOTO)))


def test_prints_the_pose_in_the_optical_frame(picture: Path) -> None:
    done = localize(
        picture, "--camera-info", picture.with_name("camera.yaml"), *OTHERS, "--marker-size", 0.05, "--json"
    )

    assert done.returncode == 0, done.stderr
    (marker,) = json.loads(done.stdout)["markers"]
    assert marker["id"] == 11
    np.testing.assert_allclose(marker["position"], (0.0, 0.0, 0.4), atol=0.006)
    # Its top is up in the picture and its face looks at the camera: x stays, y and z turn about.
    np.testing.assert_allclose(matrix_from_quat(marker["orientation"]), np.diag([1.0, -1.0, -1.0]), atol=0.1)


def test_prints_a_table_for_people(picture: Path) -> None:
    done = localize(picture, "--camera-info", picture.with_name("camera.yaml"), *OTHERS)

    assert done.returncode == 0, done.stderr
    assert "1 markers of" in " ".join(done.stdout.split())


def test_says_when_there_is_no_marker_of_the_kit(picture: Path) -> None:
    done = localize(picture, "--camera-info", picture.with_name("camera.yaml"), "--json")

    assert json.loads(done.stdout)["dictionary"] == "DICT_4X4_50"
    assert "no marker of DICT_4X4_50 in" in done.stderr


def test_says_in_one_line_what_is_wrong(picture: Path, tmp_path: Path) -> None:
    camera = picture.with_name("camera.yaml")
    words = tmp_path / "words.txt"
    words.write_text("no picture, no calibration")
    large = tmp_path / "large.yaml"
    save_intrinsics(from_field_of_view(1280, 720, 1.0), large)
    cases = [
        ("gone.png: cannot be read: No such file", tmp_path / "gone.png", camera),
        ("words.txt: is no image that OpenCV can read", words, camera),
        ("gone.yaml: cannot be read: No such file", picture, tmp_path / "gone.yaml"),
        ("words.txt: holds no camera_matrix", picture, words),
        ("large.yaml: is for 1280x720 images, this one is 320x240", picture, large),
        ("'DICT_6X6_205' is not one of DICT_4X4_100,", picture, camera, "--dictionary", "DICT_6X6_205"),
        ("a marker of 30 m is larger than 1 m", picture, camera, "--marker-size", 30),
        ("a marker's size must be positive", picture, camera, "--marker-size", 0),
        ("must end in an image format's suffix", picture, camera, "--out", tmp_path / "a.txt"),
        ("cannot be written: No such file", picture, camera, "--out", tmp_path / "no" / "a.png"),
    ]
    for message, image, camera_info, *more in cases:
        done = localize(image, "--camera-info", camera_info, *more, "--json")
        assert done.returncode == (2 if "--dictionary" in more else 1), message
        assert message in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stdout == ""
