"""Printed boards: true size on paper, and calibrations from pictures of them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from dofbot_ros.calibration.camera_command import calibrate_from, check_from, locate_from
from dofbot_ros.calibration.targets.board_pictures import BoardFinder, sheet_in_base, sheet_markers
from dofbot_ros.calibration.targets.boards import BOARDS, MM_PER_INCH, PAGE_MM, write_board
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.core.transforms import invert, rot_x, rot_z, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError, InputError
from dofbot_ros.vision.extrinsics import load_extrinsics
from dofbot_ros.vision.intrinsics import load_intrinsics, save_intrinsics
from dofbot_ros.vision.markers.block_layout import load_blocks
from dofbot_ros.vision.markers.sheet import BASE_FRONT_M

from ..photographs import DPI, LENS, board_pose, page, photograph

T_BASE_CAMERA = transform(rot_x(np.pi) @ rot_z(np.pi / 2) @ rot_x(0.04), (0.17, 0.01, 0.55))


def page_in_base() -> FloatArray:
    """The sheet's page, origin top left, x right, y down, where its lower edge touches the base plate: (4, 4)."""
    rotation = np.column_stack([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    return transform(rotation, (BASE_FRONT_M + 1e-3 * PAGE_MM[1], 0.5e-3 * PAGE_MM[0], 0.0))


@pytest.mark.slow
@pytest.mark.parametrize("kind", BOARDS)
def test_a_page_is_a4(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "board.pdf"

    write_board(kind, load_blocks(), path)

    box = re.search(rb"/MediaBox \[ ?([\d. ]+)\]", path.read_bytes())
    assert box is not None
    assert [float(v) / 72 * MM_PER_INCH for v in box[1].split()[2:]] == pytest.approx(PAGE_MM, abs=0.01)


def test_the_sheet_is_printed_where_it_is_expected() -> None:
    paper = cv2.cvtColor(page("sheet"), cv2.COLOR_GRAY2RGB)

    found = sheet_markers([paper])

    known = sheet_in_base()
    assert [m.id for m in found] == sorted(known)
    for marker in found:
        on_page = (marker.corners + 0.5) / DPI * MM_PER_INCH * 1e-3
        base = np.column_stack([on_page, np.zeros(4)]) @ page_in_base()[:3, :3].T + page_in_base()[:3, 3]
        assert base == pytest.approx(known[marker.id], abs=1.5e-4)


def test_an_unknown_board_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="board 'chess' is not one of charuco, sheet, blocks"):
        write_board("chess", load_blocks(), tmp_path / "x.pdf")


def take(folder: Path, count: int, seed: int, tilt: float = 0.5) -> None:
    """Pictures of the ChArUco board in a folder."""
    paper, rng = page("charuco"), np.random.default_rng(seed)
    folder.mkdir()
    for i in range(count):
        picture = photograph(paper, board_pose(rng, tilt), rng)
        cv2.imwrite(str(folder / f"{i:02d}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def nothing(count: int, coverage: float, missing: list[str]) -> None:
    """Nobody watches."""


def calibrate(folder: Path, out: Path, force: bool = False) -> dict[str, object]:
    return calibrate_from(str(folder), ManualClock(), out, views=25, force=force, seen=nothing)


@pytest.mark.slow
def test_a_lens_is_found_and_replaces_a_worse_one(tmp_path: Path) -> None:
    take(tmp_path / "good", 16, 0)
    out = tmp_path / "camera.yaml"

    result = calibrate(tmp_path / "good", out)

    found = load_intrinsics(out)
    assert found.focal_px == pytest.approx(LENS.focal_px, rel=3e-3)
    assert found.K[:2, 2] == pytest.approx(LENS.K[:2, 2], abs=3.0)
    assert found.distortion[0] == pytest.approx(-0.28, abs=0.03)
    assert result["stored_px"] is None
    # A stored one of another lens is replaced, and kept.
    save_intrinsics(LENS.scaled(700, 525).scaled(640, 480), out)
    wrong = load_intrinsics(out)
    save_intrinsics(type(LENS)(640, 480, wrong.K * [[1.1, 1, 1], [1, 1.1, 1], [1, 1, 1]], wrong.distortion), out)
    assert calibrate(tmp_path / "good", out)["replaced"] == f"{out}.before"
    assert load_intrinsics(f"{out}.before").K[0, 0] > 650
    assert load_intrinsics(out).focal_px == pytest.approx(LENS.focal_px, rel=3e-3)


@pytest.mark.slow
def test_bad_sets_of_pictures_are_refused_by_name(tmp_path: Path) -> None:
    take(tmp_path / "few", 4, 2)
    with pytest.raises(CalibrationError, match="4 of 4 pictures show 8 corners of the board; 8 are needed"):
        calibrate(tmp_path / "few", tmp_path / "x.yaml")
    take(tmp_path / "flat", 12, 3, tilt=0.01)
    with pytest.raises(CalibrationError, match=r"the board was tilted by|was seen in"):
        calibrate(tmp_path / "flat", tmp_path / "x.yaml")
    assert not (tmp_path / "x.yaml").exists()


@pytest.mark.slow
def test_the_same_picture_twice_counts_once() -> None:
    paper, rng = page("charuco"), np.random.default_rng(0)
    pose, finder = board_pose(rng), BoardFinder()

    first, again = (finder.find("a", photograph(paper, pose, rng)) for _ in range(2))

    assert finder.is_new(first)
    assert not finder.is_new(again)


def test_a_fixed_camera_is_found_from_the_sheet_and_a_knock_is_noticed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    paper, lens, out = page("sheet"), tmp_path / "lens.yaml", tmp_path / "pose.yaml"
    save_intrinsics(LENS, lens)
    knocked = T_BASE_CAMERA @ transform(rot_x(0.02), (0.003, 0.0, 0.0))
    for name, camera in (("before.png", T_BASE_CAMERA), ("after.png", knocked)):
        picture = photograph(paper, invert(camera) @ page_in_base(), rng)
        cv2.imwrite(str(tmp_path / name), picture)

    found = locate_from(str(tmp_path / "before.png"), ManualClock(), lens, out, False)

    assert found["markers"] == 24
    assert load_extrinsics(out).matrix == pytest.approx(T_BASE_CAMERA, abs=2e-3)
    assert found["held_out_mm"] < 0.3
    os.utime(out, (1000.0, 1000.0))
    assert check_from(str(tmp_path / "before.png"), ManualClock(), lens, out)["holds"]
    assert out.stat().st_mtime > 1000.0, "a localiser sees by the file's time that the pose was confirmed"
    os.utime(out, (1000.0, 1000.0))
    after = check_from(str(tmp_path / "after.png"), ManualClock(), lens, out)
    assert out.stat().st_mtime == 1000.0
    assert not after["holds"]
    assert after["turned_deg"] == pytest.approx(np.degrees(0.02), abs=0.2)
