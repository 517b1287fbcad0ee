"""The measurement on desks: its rows, its file, and how it is resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dofbot_ros.bench.desks import run
from dofbot_ros.bench.desks.chart import draw_ladder
from dofbot_ros.bench.desks.jobs import Ablation, Outcome, demo
from dofbot_ros.errors import InputError
from dofbot_ros.vision.cameras.frame_files import read_image


class Counted:
    """A job that is known to work on the own desk, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def __call__(self, desk: str, number: int, seed: int, ablation: Ablation) -> Outcome:
        self.asked.append((desk, number))
        return Outcome(desk, "counted", number, desk == "own", desk == "own", "" if desk == "own" else f"seed {seed}")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    job = Counted()
    monkeypatch.setattr(run, "JOBS", {"counted": job})
    return job


def test_a_row_for_each_desk_with_its_interval(counted: Counted) -> None:
    result = run.measure(["own", "rough"], ["counted"], 4, seed=3)
    own, rough = result["rows"]
    assert {key: own[key] for key in ("world", "job", "n", "success")} == {
        "world": "own", "job": "counted", "n": 4, "success": 1.0,
    }  # fmt: skip
    assert own["interval"] == pytest.approx([0.51, 1.0], abs=0.001)
    assert rough["success"] == 0.0
    assert rough["causes"] == {"seed 3": 4}
    json.dumps(result)
    assert len(counted.asked) == 8


def test_what_is_done_is_not_done_again_and_a_line_that_was_cut_off_is(tmp_path: Path, counted: Counted) -> None:
    path = tmp_path / "state.jsonl"
    first = run.measure(["own"], ["counted"], 3, path=path)
    counted.asked.clear()
    assert run.measure(["own"], ["counted"], 3, path=path) == first
    assert not counted.asked
    text = path.read_text(encoding="utf-8")
    path.write_text(text[:-9], encoding="utf-8")
    assert run.measure(["own"], ["counted"], 4, path=path)["rows"][0]["n"] == 4
    assert counted.asked == [("own", 2), ("own", 3)]
    assert len(path.read_text(encoding="utf-8").splitlines()) == 5


def test_what_is_done_can_be_summed_up_without_running_more(tmp_path: Path, counted: Counted) -> None:
    path = tmp_path / "state.jsonl"
    run.measure(["own"], ["counted"], 3, path=path)
    counted.asked.clear()
    (row,) = run.measure(["own", "rough"], ["counted"], 9, path=path, done_only=True)["rows"]
    assert (row["world"], row["n"]) == ("own", 3)
    assert not counted.asked


def test_another_seed_is_another_file(tmp_path: Path, counted: Counted) -> None:
    path = tmp_path / "state.jsonl"
    run.measure(["own"], ["counted"], 1, path=path)
    with pytest.raises(InputError, match=r"other conditions \(seed 0 there, 1 here\)"):
        run.measure(["own"], ["counted"], 1, seed=1, path=path)
    path.write_text("hello\n", encoding="utf-8")
    with pytest.raises(InputError, match="no file of `dofbot bench desks`"):
        run.measure(["own"], ["counted"], 1, path=path)
    assert counted.asked == [("own", 0)]


@pytest.mark.parametrize(("desks", "jobs"), [(["nowhere"], ["counted"]), (["own"], ["nothing"])])
def test_what_is_not_there_is_told_before_anything_runs(desks: Any, jobs: Any, counted: Counted) -> None:
    with pytest.raises(InputError, match=r"nowhere|nothing"):
        run.measure(desks, jobs, 1)
    assert not counted.asked


@pytest.mark.slow
def test_the_chart_is_a_picture_of_all_rows(tmp_path: Path, counted: Counted) -> None:
    pytest.importorskip("matplotlib")
    rows = run.measure(["own", "typical:calibrated", "rough"], ["counted"], 4)["rows"]
    draw_ladder(rows, tmp_path / "ladder.png")
    image = read_image(tmp_path / "ladder.png")
    assert image.shape[1] > 800
    assert image.std() > 10.0
    with pytest.raises(InputError, match=r"name a \.png"):
        draw_ladder(rows, tmp_path / "ladder.txt")
    with pytest.raises(InputError, match="nothing to draw"):
        draw_ladder([], tmp_path / "none.png")


@pytest.mark.slow
def test_the_demo_succeeds_on_the_own_desk() -> None:
    pytest.importorskip("pybullet")
    outcome = demo("own", 0, 0)
    assert outcome.success
    assert outcome.first
    assert outcome.error_mm is not None
    assert outcome.error_mm < 10.0
    assert outcome.seen_off_mm[0] < 0.5
