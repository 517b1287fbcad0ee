"""`dofbot grasp` from an empty folder to a measured network, and its one-line errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import dofbot_here

from dofbot_ros.core.resources import share_file


def dofbot(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = "from dofbot_ros.cli.main import main; main()"
    words = [sys.executable, "-c", program, "grasp", *map(str, arguments)]
    # It computes, and may be given a tenth of a core: pytest's own limit ends it where it hangs.
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_collect_train_evaluate(tmp_path: Path) -> None:
    cube = ("--objects", "cube")
    # One worker: each makes a block of attempts whole, also where fewer would do.
    collected = dofbot(
        "collect", "--out", tmp_path / "data", "--grasps", 3, "--val-share", 0.34, "--rotations", 2, "--workers", 1,
        *cube, "--val-objects", "cube", "--json",
    )  # fmt: skip
    counts = json.loads(collected.stdout)
    assert counts["train_dataset.npz"]["successes"] == 2
    assert counts["val_dataset.npz"]["successes"] == 1
    config = share_file("config", "grasp_seed.yaml")
    again = tmp_path / "config.yaml"
    again.write_text(config.read_text().replace("batch: 32", "batch: 4"))
    dofbot("train", "--data", tmp_path / "data", "--out", tmp_path / "run", "--config", again, "--epochs", 1, "--json")
    measured = dofbot(
        "evaluate", "--model", tmp_path / "run", "--attempts", 2, *cube, "--seed", 3, "--workers", 2, "--json"
    )
    result = json.loads(measured.stdout)
    assert {"success_rate", "interval", "attempts", "by_family", "failures", "baselines"} <= set(result)
    assert result["attempts"] == 2
    assert set(result["baselines"]) == {"random", "moments"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("evaluate", "--model", "nowhere"), 1, "nowhere does not exist"),
        (("collect", "--out", "x", "--size", "50"), 2, "multiple of 16"),
        (("collect", "--out", "x", "--objects", "ball"), 2, "is not one of train"),
        (("train", "--data", "nowhere", "--out", "x"), 1, "does not exist: `dofbot grasp collect"),
    ],
)
def test_expected_errors_are_one_line(arguments: tuple[str, ...], code: int, message: str, tmp_path: Path) -> None:
    done = dofbot_here("grasp", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert not list(tmp_path.iterdir())
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
