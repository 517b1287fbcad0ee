"""`dofbot calibrate all`: an arm with hidden errors calibrates itself through topics and pictures alone."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from command_line import dofbot_here

from dofbot_ros.calibration.session import load_session

from .conftest import DOFBOT

LIMIT_S = 420.0
"""Only ends what hangs: beside seventeen other programs the second half alone took five minutes [s]."""


def calibrate(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [*DOFBOT, "calibrate", "all", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def stopped_after(views: int, *words: str, cwd: Path) -> str:
    """Ctrl-C once so many views are in the session file; what the command then says."""
    record = cwd / "session.json"
    command = [*DOFBOT, "calibrate", "all", *words]
    with subprocess.Popen(command, cwd=cwd, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + LIMIT_S
        while not record.is_file() or len(load_session(record).views) < views:
            assert running.poll() is None, running.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        says = running.communicate(timeout=LIMIT_S)[1]
    assert running.returncode == 130
    return says


@pytest.mark.slow
def test_a_simulated_arm_of_a_typical_desk_calibrates_itself_with_a_break(tmp_path: Path) -> None:
    words = ("--backend", "sim", "--rtf", "6", "--desk", "typical", "--desk-seed", "3", "--poses", "24", "--json")
    says = stopped_after(9, *words, cwd=tmp_path)
    assert "session.json holds what was seen: the same command with --resume goes on" in " ".join(says.split())
    before = load_session(tmp_path / "session.json").views
    done = calibrate(*words, "--resume", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert load_session(tmp_path / "session.json").views[: len(before)] == before
    found = json.loads(done.stdout)
    off, before = found["off_truth"], found["off_truth"]["before"]
    assert found["held_out_mm"] < 1.5
    assert found["stored_mm"] > 10.0
    assert off["hand_eye_mm"] < 0.8 * before["hand_eye_mm"]
    assert max(off["zeros_deg"][f"joint{n}"] for n in (1, 2, 3, 4)) < 1.0
    assert len(load_session(tmp_path / "session.json").views) >= 24
    for name in ("arm.yaml", "camera_pose.yaml", "camera_info.yaml"):
        assert (tmp_path / name).is_file()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "a real arm needs --camera"),
        (("--camera", "0", "--camera-info", "nowhere.yaml", "--camera-pose", "p.yaml"), "nowhere.yaml does not exist"),
        (("--backend", "sim", "--held", "pink"), "'pink' is not one of"),
        (("--backend", "sim", "--desk", "messy"), "messy"),
        (("--backend", "moon"), "moon"),
        (("--backend", "sim", "--resume"), "session.json: cannot be read: No such file"),
    ],
)
def test_what_cannot_work_is_one_line_before_anything_starts(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = dofbot_here("calibrate", "all", *words, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
