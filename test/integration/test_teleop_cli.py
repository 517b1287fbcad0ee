"""`dofbot teleop` and `dofbot bench teleop` as people run them."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from command_line import dofbot_here

from dofbot_ros.teleop.input.landmarks import Observation
from dofbot_ros.teleop.input.recording import load_observations, save_observations

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "test" / "unit" / "teleop" / "data" / "hand_video.npz"
DOFBOT = (sys.executable, "-c", "from dofbot_ros.cli.main import main; main()")


def dofbot(words: Sequence[str], cwd: Path, timeout_s: float = 240.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DOFBOT, *words], capture_output=True, text=True, timeout=timeout_s, check=False, cwd=cwd,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of the recorded hand, then half a second without it."""
    seen = load_observations(RECORDED)[:105]
    out = [o if i < 90 else Observation(o.stamp_s, o.width, o.height) for i, o in enumerate(seen)]
    file = tmp_path_factory.mktemp("landmarks") / "short.npz"
    save_observations(out, file)
    return file


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--source", "none.mp4"], "none.mp4: no such video file"),
        (["--source", "/dev/video99"], "/dev/video99: no such camera"),
        (["--source", "keyboard"], "the keyboard is read from a terminal, and standard input is none"),
        (["--source", "keyboard", "--out", "x"], "--out takes a recording"),
        (["--source", "0", "--backend", "serial", "--engage", "auto"], "a real arm is engaged by its operator"),
        (["--source", str(RECORDED), "--out", "notes.mp4"], "notes.mp4: no folder to write to: File exists"),
        (["--source", str(RECORDED), "--config", "bad.yaml"], "did you mean mode?"),
    ],
)
def test_what_cannot_be_used_is_one_clear_line(words: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    (tmp_path / "bad.yaml").write_text("moed: hand\n")
    done = dofbot_here("teleop", *words, cwd=tmp_path)
    assert done.returncode == (2 if "recording" in message or "operator" in message else 1)
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_a_file_that_is_no_video_is_one_clear_line(tmp_path: Path) -> None:
    # In a process of its own: FFmpeg is told once what to keep to itself, when the first video is opened.
    (tmp_path / "notes.mp4").write_text("no video")
    done = dofbot(["teleop", "--source", "notes.mp4"], tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == "dofbot: notes.mp4: is no video that OpenCV can read"


def test_an_unknown_mode_lists_the_valid_ones(tmp_path: Path) -> None:
    done = dofbot_here("teleop", "--source", "0", "--mode", "foot", cwd=tmp_path)
    assert done.returncode == 2
    assert "'hand', 'arm'" in done.stderr


def test_a_recording_becomes_a_video_a_path_and_a_plot(short: Path, tmp_path: Path) -> None:
    pytest.importorskip("pybullet", reason="the simulated arm is an extra: pip install 'dofbot_ros[sim]'")
    done = dofbot(["teleop", "--source", str(short), "--out", "out", "--json"], tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["frames"] == 105
    assert result["hand_found"] == pytest.approx(90 / 105)
    assert result["rejections"] == 0
    assert result["let_go"] == 1
    assert 1.5 < result["followed_s"] < 2.5
    out = tmp_path / "out"
    video = cv2.VideoCapture(str(out / "side_by_side.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 105
    assert int(video.get(cv2.CAP_PROP_FOURCC)) == cv2.VideoWriter.fourcc(*"h264"), "a codec that browsers play"
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(30.0)
    ok, picture = video.read()
    assert ok
    assert picture.shape[1] > 1.5 * picture.shape[0]
    assert picture[:, 640:].std() > 10.0  # an arm on a table, not an empty panel
    assert cv2.imread(str(out / "tracking.png")).shape[0] > 400
    with np.load(out / "path.npz") as path:
        engaged, tool, target = path["engaged"], path["tool"], path["target"]
    assert np.ptp(tool[:, :3], axis=0).max() > 0.01
    assert np.isfinite(target[engaged]).all()
    assert np.isnan(target[~engaged]).all()
    with (out / "path.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(tool)
    assert float(rows[-1]["tool_x"]) == pytest.approx(tool[-1, 0], abs=1e-6)
    # The arm stands still when nobody leads it any more.
    assert np.ptp(tool[-10:, :3], axis=0).max() < 1e-4


@pytest.mark.ros
def test_a_live_session_follows_and_ends_with_its_source(short: Path, tmp_path: Path) -> None:
    pytest.importorskip("rclpy", reason="ROS 2 is not installed here")
    done = dofbot(["teleop", "--source", str(short), "--engage", "auto", "--json"], tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["frames"] == 105
    assert result["engagements"] >= 1
    assert 0.0 < result["latency_ms"]["p50"] < 200.0


@pytest.mark.ros
def test_ctrl_c_ends_a_session_and_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("rclpy", reason="ROS 2 is not installed here")
    words = [*DOFBOT, "teleop", "--source", str(RECORDED), "--as-is"]
    session = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert session.stderr is not None
        assert any("is open" in line for line in session.stderr)
        nodes = psutil.Process(session.pid).children(recursive=True)
        assert nodes
        session.send_signal(signal.SIGINT)
        _, said = session.communicate(timeout=60.0)
        assert session.returncode == 130, said
        assert "Traceback" not in said
        assert not psutil.wait_procs(nodes, timeout=0.0)[1]
    finally:
        session.kill()
        session.communicate(timeout=5.0)


@pytest.mark.ros
def test_the_bench_has_its_keys(tmp_path: Path) -> None:
    pytest.importorskip("rclpy", reason="ROS 2 is not installed here")
    words = [str(RECORDED), "--seconds", "6"]
    done = dofbot(["bench", "teleop", "--source", *words, "--json"], tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result) >= {"latency_ms", "commands_per_s", "frames", "hand_found", "rejections"}
    assert set(result["latency_ms"]) == {"p50", "p95"}
    assert 0.0 < result["latency_ms"]["p50"] < result["latency_ms"]["p95"]
    assert result["frames"] > 60
    assert result["hand_found"] > 0.8
