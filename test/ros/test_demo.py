"""`dofbot demo` whole: its figures, its files, its end; and that it lives by the camera image alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from command_line import dofbot_here

from dofbot_ros.arm.robot import load_robot
from dofbot_ros.ros.clients.trial_client import trial_client
from dofbot_ros.supervisor import ProcessGroup
from dofbot_ros.trials.results import FILE, Series, load
from dofbot_ros.trials.runner import run_series
from dofbot_ros.vision.markers.block_layout import load_blocks

from .conftest import READY_S, node_command, still_running

pytest.importorskip("pybullet")

DEMO = [sys.executable, "-c", "from dofbot_ros.cli.main import main; main()", "demo"]
LIMIT_S = 110.0


def start(*words: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    return subprocess.Popen([*DEMO, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def watch(demo: subprocess.Popen[str], done: Callable[[], bool]) -> set[psutil.Process]:
    """Wait until `done()`. Returns the processes that the demo has started meanwhile."""
    started: set[psutil.Process] = set()
    deadline = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < deadline
        with suppress(psutil.NoSuchProcess):
            started.update(psutil.Process(demo.pid).children(recursive=True))
        time.sleep(0.1)
    return started


def ended(demo: subprocess.Popen[str]) -> bool:
    return demo.poll() is not None


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_trial_over_ros_is_placed_reported_and_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = start("--trials", "1", "--out", str(tmp_path), "--json")
    started = watch(demo, lambda: ended(demo))
    out, err = demo.communicate()
    assert demo.returncode == 0, err
    result = json.loads(out)
    assert result["trials"] == result["placed"] == 1
    assert 0.0 < result["interval"][0] < result["interval"][1] == 1.0
    assert result["localisation_mm"]["p95"] <= 4.0
    assert result["cycle_s"] > 5.0
    assert Path(result["report"]).read_text(encoding="utf-8").count("data:image/jpeg") == 2
    assert len(started) >= 2
    assert not still_running(started)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_ctrl_c_ends_everything_and_the_results_stay_valid(tmp_path: Path) -> None:
    demo = start("--trials", "50", "--out", str(tmp_path))
    started = watch(demo, lambda: ended(demo) or (tmp_path / FILE).exists())
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=LIMIT_S)
    assert demo.returncode == 130
    assert len(started) >= 2
    assert not still_running(started)
    assert load(tmp_path, Series(0, "sim")).trials
    assert (tmp_path / "report.html").exists()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_it_works_the_same_where_the_true_poses_are_hidden(tmp_path: Path) -> None:
    nodes = [node_command("sim_node", rtf=2.0, publish_truth="false"), node_command("block_localizer_node")]
    with ProcessGroup(nodes) as group:
        group.wait_ready(READY_S)
        with trial_client("sim_node") as arm:
            (record,) = run_series(arm, load_robot(), load_blocks(), Series(3, "sim"), trials=1, out=tmp_path).trials
    assert record.placed is None
    assert record.error_mm is None
    assert record.seen_placed


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_trial_on_a_desk_is_placed_and_names_the_desk(tmp_path: Path) -> None:
    demo = start("--trials", "1", "--seed", "1", "--desk", "typical:calibrated", "--out", str(tmp_path), "--json")
    out, err = demo.communicate(timeout=LIMIT_S)
    assert demo.returncode == 0, err
    summary = json.loads(out)
    assert summary["desk"] == "typical:calibrated 1"
    assert summary["placed"] == 1, err
    assert 0.3 < summary["localisation_mm"]["median"] < 5.0


def test_a_folder_of_another_series_is_refused_in_one_line(tmp_path: Path) -> None:
    content = {"series": {"seed": 9, "backend": "sim"}, "trials": []}
    (tmp_path / FILE).write_text(json.dumps(content))
    demo = dofbot_here("demo", "--trials", "1", "--out", tmp_path)
    assert demo.returncode == 1
    assert "holds another series (seed 9, backend sim, desk own)" in " ".join(demo.stderr.split())
