"""`dofbot imitate arm` refuses what cannot be before any arm is sought."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CliRunner
from needed import need

from dofbot_ros.arm.poses import NamedPoses, save_poses
from dofbot_ros.cli.main import app

need("torch", reason="the imitation needs the extra learn")
need("mediapipe", reason="hands are found by MediaPipe, extra teleop")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--sign two", "--sign takes SIGN=POSE, such as two=left, not 'two'"),
        ("--sign two=left --sign two=left", "--sign two is given twice: left and left"),
        ("--sign tow=left", "did you mean two"),
        ("--sign two=lift", "did you mean left"),
        ("--sign two=left", "no such video file"),
    ],
)
def test_wrong_words_are_refused_first(words: str, why: str, tmp_path: Path) -> None:
    save_poses(NamedPoses({"left": [0.4, 0.0, 0.0, 0.0, 0.0]}), tmp_path / "poses.yaml")
    given = f"imitate arm --source {tmp_path / 'none.mp4'} --poses {tmp_path / 'poses.yaml'} {words}"
    done = CliRunner().invoke(app, given.split())
    assert done.exception is not None
    assert why in str(done.exception), (str(done.exception), done.output)
