"""The guided calibration: order, pictures, and the real process behind a step."""

from __future__ import annotations

import re
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from dofbot_ros.console.guide import Guide
from dofbot_ros.core.transforms import invert
from dofbot_ros.errors import CommandRefusedError, InputError
from dofbot_ros.vision.intrinsics import save_intrinsics

from ..calibration.photographs import LENS, page, photograph
from ..calibration.targets.test_boards import T_BASE_CAMERA, page_in_base

PROCESS_S = 60.0
"""More than a step's process takes on a busy machine [s]."""


def jpeg() -> bytes:
    """The sheet before the arm, as the fixed camera sees it."""
    picture = photograph(page("sheet"), invert(T_BASE_CAMERA) @ page_in_base(), np.random.default_rng(0))
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()


def ended(guide: Guide, name: str) -> tuple[str, str]:
    """Kind and words of a step once its process is done."""
    deadline = time.monotonic() + PROCESS_S
    while guide.told()["running"] and time.monotonic() < deadline:
        time.sleep(0.02)
    step = next(step for step in guide.told()["steps"] if step["name"] == name)
    return step["kind"], " ".join(step["words"])


def test_a_step_waits_for_those_before_it_and_for_its_pictures(tmp_path: Path) -> None:
    guide = Guide(tmp_path)
    with pytest.raises(CommandRefusedError, match=r"Find the camera needs camera.yaml: do the steps before it"):
        guide.do("start", "hand-eye")
    with pytest.raises(CommandRefusedError, match="Calibrate the lens needs 15 pictures, and 0 were taken"):
        guide.do("start", "camera")
    with pytest.raises(CommandRefusedError, match="there is no picture"):
        guide.do("picture", "camera")
    with pytest.raises(CommandRefusedError, match="takes no pictures"):
        guide.do("picture", "board", b"x")
    with pytest.raises(InputError, match="step 'dance' is not one of board, camera, hand-eye, check"):
        guide.do("start", "dance")
    with pytest.raises(InputError, match="action 'jump' is not one of"):
        guide.do("jump", "board")
    guide.do("picture", "camera", b"x")
    guide.do("clear", "camera")
    assert guide.told()["steps"][1]["pictures"] == 0


def test_only_what_steps_have_written_is_given_away(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("x")
    (tmp_path / "sheet.pdf").write_text("x")
    guide = Guide(tmp_path)
    assert guide.file("sheet.pdf") == tmp_path / "sheet.pdf"
    assert guide.file("secret.yaml") is guide.file("../secret.yaml") is guide.file("charuco.pdf") is None


@pytest.mark.slow
def test_pictures_of_the_sheet_find_the_camera_and_then_it_holds(tmp_path: Path) -> None:
    guide, picture = Guide(tmp_path), jpeg()
    save_intrinsics(LENS, tmp_path / "camera.yaml")
    for _ in range(3):
        guide.do("picture", "hand-eye", picture)
    guide.do("start", "hand-eye")
    with pytest.raises(CommandRefusedError, match="hand-eye runs"):
        guide.do("start", "board")
    kind, words = ended(guide, "hand-eye")
    assert kind == "result", words
    assert re.search(r"The camera is at x 1(69|70|71) y (9|10|11) z 5(49|50|51) mm", words)
    guide.do("picture", "check", picture)
    guide.do("start", "check")
    kind, words = ended(guide, "check")
    assert (kind, "The stored pose holds" in words) == ("result", True), words


@pytest.mark.slow
def test_a_step_that_fails_says_why_and_one_that_is_cancelled_too(tmp_path: Path) -> None:
    guide = Guide(tmp_path)
    save_intrinsics(LENS, tmp_path / "camera.yaml")
    grey = cv2.imencode(".jpg", np.full((480, 640, 3), 128, np.uint8))[1].tobytes()
    for _ in range(3):
        guide.do("picture", "hand-eye", grey)
    guide.do("start", "hand-eye")
    assert ended(guide, "hand-eye")[0] == "error"
    guide.do("start", "hand-eye")
    guide.do("cancel", "hand-eye")
    assert "was ended before it was done" in ended(guide, "hand-eye")[1]
