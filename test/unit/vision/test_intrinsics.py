from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import ConfigError
from dofbot_ros.vision.distortion import DISTORTION_MODELS
from dofbot_ros.vision.intrinsics import (
    Intrinsics,
    from_field_of_view,
    load_intrinsics,
    save_intrinsics,
)

TUTORIAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "aruco" / "tutorial_camera_params.yml"
K = np.array([[610.0, 0.0, 318.0], [0.0, 612.0, 243.0], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize(("model", "count"), [(name, n) for name, counts in DISTORTION_MODELS.items() for n in counts])
def test_what_is_saved_is_loaded(tmp_path: Path, model: str, count: int) -> None:
    saved = Intrinsics(640, 480, K, np.linspace(-0.3, 0.2, count), model)
    save_intrinsics(saved, tmp_path / "camera.yaml")

    loaded = load_intrinsics(tmp_path / "camera.yaml", size=(640, 480), frame="wrist_optical_frame")

    assert (loaded.size, loaded.model, loaded.frame) == (saved.size, model, "wrist_optical_frame")
    np.testing.assert_array_equal(loaded.K, K)
    np.testing.assert_array_equal(loaded.distortion, saved.distortion)


def test_reads_a_file_of_camera_calibration(tmp_path: Path) -> None:
    path = tmp_path / "ost.yaml"
    path.write_text("""\
image_width: 640
image_height: 480
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [ 610.    ,    0.     ,  318.    ,
            0.     ,  612e0,  243.     ,
            0.     ,    0.     ,    1.     ]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [0.02, -0.1, 1e-3, 0.0, 0.000000]
rectification_matrix:
  rows: 3
  cols: 3
  data: [1., 0., 0., 0., 1., 0., 0., 0., 1.]
""")

    loaded = load_intrinsics(path)

    np.testing.assert_array_equal(loaded.K, K)
    assert loaded.distortion.tolist() == [0.02, -0.1, 0.001, 0.0, 0.0]


def test_reads_what_opencv_writes(tmp_path: Path) -> None:
    path = tmp_path / "camera.yml"
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("image_width", 800)
    storage.write("image_height", 600)
    storage.write("camera_matrix", K)
    storage.write("distortion_coefficients", np.array([[0.1, -0.2, 0.001, 0.002, 0.0]]))
    storage.release()

    loaded = load_intrinsics(path)

    assert loaded.size == (800, 600)
    np.testing.assert_array_equal(loaded.K, K)
    assert loaded.distortion.tolist() == [0.1, -0.2, 0.001, 0.002, 0.0]


@pytest.mark.skipif(not TUTORIAL.is_file(), reason=f"{TUTORIAL} is absent")
def test_reads_opencvs_tutorial_camera() -> None:
    loaded = load_intrinsics(TUTORIAL, size=(640, 480))

    np.testing.assert_array_equal(loaded.K[[0, 1, 0, 1], [0, 1, 2, 2]], [628.158, 628.156, 324.099, 260.908])
    np.testing.assert_array_equal(loaded.distortion, [0.0995485, -0.206384, 0.00754589, 0.00336531, 0.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read: No such file"),
        ("", "holds no camera_matrix"),
        ("just words", "holds no camera_matrix"),
        ("a: [1", "is not YAML"),
        (
            "image_width: 640\nimage_height: 480\nD: 1",
            r"holds no camera_matrix \(found: image_width, image_height, D\)",
        ),
        ("camera_matrix: {rows: 3, cols: 3, data: [1, 2]}", "camera_matrix is not rows, cols and as many numbers"),
        ("camera_matrix: 5", "camera_matrix is not rows, cols and as many numbers"),
        ("camera_matrix: {rows: 3, cols: 3, data: [9, 0, 1, 0, 9, 1, 0, 0, 1]}", "no image size was given"),
        ("camera_matrix: {rows: 1, cols: 2, data: [[1, 2]]}", "camera_matrix is not rows, cols and as many numbers"),
        ("camera_matrix: {rows: .inf, cols: 2, data: [1, 2]}", "camera_matrix is not rows, cols and as many numbers"),
    ],
)
def test_says_what_is_wrong_with_a_file(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "camera.yaml"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ConfigError, match=message) as caught:
        load_intrinsics(path)
    assert str(caught.value).startswith(str(path))


def write(path: Path, **changes: str) -> Path:
    """A calibration file of which some entries are others; an empty one is left out."""
    entries = {
        "image_width": "640",
        "image_height": "480",
        "camera_matrix": "{rows: 3, cols: 3, data: [610, 0, 318, 0, 612, 243, 0, 0, 1]}",
        "distortion_model": "plumb_bob",
        "distortion_coefficients": "{rows: 1, cols: 5, data: [0.1, -0.2, 0.001, 0.002, 0.03]}",
        **changes,
    }
    path.write_text("\n".join(f"{key}: {value}" for key, value in entries.items() if value))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"camera_matrix": "{rows: 3, cols: 3, data: [610, 0, 0, 0, 612, 0, 318, 243, 1]}"}, "is transposed"),
        (
            {"camera_matrix": "{rows: 3, cols: 3, data: [610, 0, 318, 0, 612, 243, 0, 0, 0]}"},
            r"last row .* \[0, 0, 1\]",
        ),
        ({"camera_matrix": "{rows: 3, cols: 3, data: [610, 9, 318, 0, 612, 243, 0, 0, 1]}"}, "skew"),
        ({"camera_matrix": "{rows: 3, cols: 3, data: [610, 0, .nan, 0, 612, 243, 0, 0, 1]}"}, "finite"),
        ({"camera_matrix": "{rows: 3, cols: 3, data: [610, 0, 3180, 0, 612, 243, 0, 0, 1]}"}, "principal point"),
        ({"distortion_coefficients": "{rows: 1, cols: 5, data: [0.1, .inf, 0, 0, 0]}"}, "plumb_bob has 5"),
        (
            {"distortion_coefficients": "{rows: 1, cols: 4, data: [0.1, 0, 0, 0]}", "distortion_model": ""},
            "may be a fisheye's",
        ),
        (
            {
                "distortion_coefficients": "{rows: 1, cols: 5, data: [0.1, 0, 0, 0, 0]}",
                "distortion_model": "equidistant",
            },
            "equidistant has 4 distortion coefficients",
        ),
        ({"distortion_coefficients": "", "D": "[0.1, 0, 0, 0, 0]"}, r"no distortion_coefficients \(found: .*D\)"),
        ({"image_width": ".inf"}, "image size inf x 480 is no pair of whole numbers"),
        ({"image_width": "640\nimage_width: 641"}, "key 'image_width' stands twice"),
        ({"image_width": "100000"}, "an image is not 100000x480 pixels"),
    ],
)
def test_refuses_by_name_what_would_be_misread(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    path = write(tmp_path / "camera.yaml", **changes)

    with pytest.raises(ConfigError, match=message) as caught:
        load_intrinsics(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_four_coefficients_of_a_named_plumb_bob_lack_only_k3(tmp_path: Path) -> None:
    path = write(tmp_path / "c.yaml", distortion_coefficients="{rows: 1, cols: 4, data: [0.1, 0.2, 0.3, 0.4]}")

    assert load_intrinsics(path).distortion.tolist() == [0.1, 0.2, 0.3, 0.4, 0.0]


def test_refuses_the_calibration_of_another_image_size(tmp_path: Path) -> None:
    save_intrinsics(from_field_of_view(1280, 720, 1.0), tmp_path / "camera.yaml")

    with pytest.raises(ConfigError, match=r"is for 1280x720 images, this one is 640x480"):
        load_intrinsics(tmp_path / "camera.yaml", size=(640, 480))


def test_refuses_a_picture_in_place_of_a_calibration(tmp_path: Path) -> None:
    (tmp_path / "camera.yaml").write_bytes(b"\xff\xd8\xff\xe0 not text")

    with pytest.raises(ConfigError, match="is no text file"):
        load_intrinsics(tmp_path / "camera.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"K": np.zeros((3, 3))}, "positive focal lengths"),
        ({"K": np.eye(2)}, "3x3"),
        ({"K": K.T}, "is transposed"),
        ({"K": np.diag([610.0, 612.0, 0.0])}, r"\[0, 0, 1\]"),
        ({"distortion": np.zeros(8)}, "plumb_bob has 5"),
        ({"distortion": np.full(5, np.nan)}, "plumb_bob has 5"),
        ({"model": "plum_bob"}, "did you mean plumb_bob"),
        ({"width": 0}, "0x480"),
    ],
)
def test_refuses_what_no_camera_is_like(changes: dict[str, object], message: str) -> None:
    values = {"width": 640, "height": 480, "K": K, **changes}

    with pytest.raises(ConfigError, match=message):
        Intrinsics(**values)  # type: ignore[arg-type]


def test_cannot_be_changed_behind_its_back() -> None:
    mine = K.copy()
    intrinsics = Intrinsics(640, 480, mine)
    mine[0, 0] = 1.0

    assert intrinsics.K[0, 0] == 610.0
    with pytest.raises(ValueError, match="read-only"):
        intrinsics.K[0, 0] = 1.0


def test_scaled_points_to_the_same_place_in_a_resized_picture() -> None:
    intrinsics = Intrinsics(640, 480, K)
    small = np.zeros((480, 640), np.float32)
    cv2.circle(small, (200, 120), 12, 1.0, -1)
    large = cv2.resize(small, (1600, 960), interpolation=cv2.INTER_LINEAR)
    rays = []
    for picture, camera in (small, intrinsics), (large, intrinsics.scaled(1600, 960)):
        centre = [np.average(i, weights=picture) for i in np.indices(picture.shape)[::-1]]
        rays.append((centre - camera.K[:2, 2]) / camera.K[[0, 1], [0, 1]])

    np.testing.assert_allclose(rays[0], rays[1], atol=1e-5)


def test_field_of_view_spans_the_outer_edges_of_the_outer_pixels() -> None:
    intrinsics = from_field_of_view(640, 480, 1.2)

    left, right = ((u - intrinsics.K[0, 2]) / intrinsics.K[0, 0] for u in (-0.5, 639.5))
    assert np.arctan(right) - np.arctan(left) == pytest.approx(1.2)


def test_rays_undo_the_distortion_to_the_corners_of_a_wide_lens() -> None:
    wide = Intrinsics(
        640, 480, np.array([[330.0, 0, 320], [0, 330, 240], [0, 0, 1]]), np.array([-0.2, 0.03, 1e-3, 0, 0])
    )
    pixels = np.array([[u, v] for u in (2.0, 320.0, 637.0) for v in (2.0, 240.0, 477.0)])

    rays = wide.rays(pixels)

    points = np.column_stack([rays, np.ones(len(rays))])
    seen, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), wide.K, wide.distortion)
    np.testing.assert_allclose(seen[:, 0], pixels, atol=1e-3)


def test_the_shipped_example_is_the_overhead_camera() -> None:
    example = load_intrinsics(share_file("config", "camera_info", "overhead.yaml"), size=(640, 480))

    np.testing.assert_allclose(example.K, from_field_of_view(640, 480, 0.98).K)
