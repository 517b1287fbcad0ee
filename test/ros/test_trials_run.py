"""`dofbot trials run` whole: interrupted, gone on with, reported; and what it refuses before anything starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from dofbot_ros.cli.main import main
from dofbot_ros.record.reader import Episode
from dofbot_ros.trials.log import read_log
from dofbot_ros.trials.trial_log import TRIALS
from dofbot_ros.vision.cameras.identity import FILE, read_camera

from .conftest import still_running

pytest.importorskip("pybullet")

TRIALS_COMMAND = [sys.executable, "-c", "from dofbot_ros.cli.main import main; main()", "trials"]
LIMIT_S = 200.0
PROTOCOL = """
name: one
objects: {red: {}}
conditions: [{name: single, objects: [red]}]
"""


def start(*words: object) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    return subprocess.Popen(
        [*TRIALS_COMMAND, *map(str, words)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_a_series_is_interrupted_gone_on_with_and_reported(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(PROTOCOL)
    out = tmp_path / "series"
    words = ("run", "--planner", "aruco", "--protocol", tmp_path / "one.yaml", "--out", out, "--json", "rtf:=2")
    first = start(*words, "--trials", 50)
    started: set[psutil.Process] = set()
    deadline = time.monotonic() + LIMIT_S
    while not (out / TRIALS).exists():
        assert first.poll() is None, first.communicate()[1]
        assert time.monotonic() < deadline
        with suppress(psutil.NoSuchProcess):
            started.update(psutil.Process(first.pid).children(recursive=True))
        time.sleep(0.1)
    camera = read_camera(out)
    assert camera is not None
    assert (camera.name, camera.size, len(camera.serial)) == ("simulated camera (overhead)", "640x480", 12)
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=LIMIT_S)
    assert first.returncode == 130, err
    assert len(started) >= 2
    assert not still_running(started)
    done = len(read_log(out).records)
    second = start(*words, "--trials", done + 1)
    answer, err = second.communicate(timeout=LIMIT_S)
    assert second.returncode == 0, err
    result = json.loads(answer)
    assert result["trials"] == result["lifted"] == done + 1
    log = read_log(out)
    assert [record.number for record in log.records] == list(range(done + 1))
    assert (out / "report.html").read_text(encoding="utf-8").count("data:image/jpeg") == 2 * (done + 1)
    episode = Episode(out / "episodes" / log.records[-1].episode)
    assert episode.outcome is not None
    assert episode.outcome.success
    (out / FILE).write_text((out / FILE).read_text().replace(camera.serial, "another"))
    other = start(*words, "--trials", done + 2)
    _, err = other.communicate(timeout=LIMIT_S)
    assert other.returncode == 1
    assert f"begun with another camera (serial number another, now {camera.serial})" in " ".join(err.split())
    assert len(read_log(out).records) == done + 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "--planner", "aruco", "--out", "x", "rft:=2"), "did you mean rtf?"),
        (("run", "--planner", "aruco", "--out", "x", "--protocol", "none.yaml"), "none.yaml: cannot be read"),
        (("run", "--planner", "aruco", "--out", "x", "--model", "m"), "--model is for the planners cnn and policy"),
        (("run", "--planner", "aruco", "--out", "x", "--backend", "serial"), "needs port:=...: the arm's serial port"),
        (
            (
                "run", "--planner", "aruco", "--out", "x", "--backend", "serial", "port:=/dev/ttyNONE", "camera:=0",
                "camera_info_url:=c.yaml", "extrinsics_file:=e.yaml",
            ),
            "/dev/ttyNONE: there is no such port",
        ),
        (("run", "--planner", "aruco", "--out", "x", "--backend", "serial", "--judge", "truth"), "nobody knows"),
        (("report", "."), "holds no trials"),
        (("compare", ".", "."), "holds no trials"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_one_line_before_anything_starts(
    words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["dofbot", "trials", *words])
    with pytest.raises(SystemExit) as refused:
        main()
    wrong_words = "--model" in message or ":=" in message or message.endswith(("rtf?", "knows"))
    assert refused.value.code == (2 if wrong_words else 1)
    assert message in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())
