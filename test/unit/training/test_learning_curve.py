"""The learning curve of a run: what is noted, what an interruption leaves, what is drawn."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from dofbot_ros.training.learning_curve import LOG, LearningCurve
from dofbot_ros.vision.cameras.frame_files import read_image


def test_what_is_not_known_yet_is_left_out(tmp_path: Path) -> None:
    curve = LearningCurve(tmp_path, resume=False)
    curve.add("steps", 10, {"success rate": math.nan, "mean return": -3.0})
    curve.add("steps", 20, {"success rate": math.nan})
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text(encoding="utf-8").splitlines()]
    assert lines == [{"phase": "steps", "done": 10, "mean return": -3.0}]


def test_what_was_learned_after_the_last_checkpoint_is_forgotten(tmp_path: Path) -> None:
    curve = LearningCurve(tmp_path, resume=False)
    for done in (1, 2, 3):
        curve.add("episodes", done, {"loss": 1.0 / done})
        curve.add("steps", 100 * done, {"loss": done})
    with (tmp_path / LOG).open("a", encoding="utf-8") as file:
        file.write('{"phase": "steps", "do')
    again = LearningCurve(tmp_path, resume=True)
    assert again.lines == curve.lines
    again.go_on("steps", 200)
    assert [line["done"] for line in again.lines] == [1, 100, 2, 200, 3]
    assert LearningCurve(tmp_path, resume=True).lines == again.lines
    assert not LearningCurve(tmp_path, resume=False).lines


def test_each_value_of_each_phase_is_drawn(tmp_path: Path) -> None:
    curve = LearningCurve(tmp_path, resume=False)
    assert curve.draw() is None
    for done in range(5):
        curve.add("episodes", done, {"success rate": 0.1 * done, "imitation loss": 1.0 - 0.2 * done})
        curve.add("steps", 1000 * done, {"success rate": 0.4, "mean return": done})
    file = curve.draw()
    assert file is not None
    picture = read_image(file)
    blue = (picture[..., 0] < 80) & (picture[..., 2] > 150)
    assert all(panel.any() for panel in np.array_split(blue, 4))
    assert picture.shape[:2] == (round(4 * 2.6 * 110), 770)
