"""What is refused leaves no folder behind, and is told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="trainings need the extra learn")

from command_line import CliRunner

from dofbot_ros.cli.main import app
from dofbot_ros.errors import DofbotError


@pytest.mark.parametrize(
    "line",
    [
        "analyze layers nothing",
        "bench pretraining --data nothing --backbone nothing",
        "grasp blend --start nothing --tuned nothing",
        "grasp collect --model nothing",
        "grasp pretrain --on pose --objects nothing",
        "grasp train --data nothing",
        "imitate run --source nothing.mp4",
        "imitate train --urdf nothing",
        "policy domain-gap --model nothing",
        "policy domain-gap --task hopper --model nothing",
        "policy export nothing",
        "policy train --task reach --device cuda:77",
        "trials run --planner cnn --model nothing",
    ],
)
def test_what_is_refused_leaves_no_folder(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, [*line.split(), "--out", "made"])
    assert isinstance(done.exception, DofbotError), done.exception
    assert "\n" not in str(done.exception)
    assert not list(tmp_path.iterdir())
