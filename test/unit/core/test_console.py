"""Results as people and machines get them: no brackets, no nan, no digits that do not count."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from dofbot_ros.core.console import emit

RESULT = {
    "rate": 0.123456789,
    "none": math.nan,
    "places": [0.1234567, 2.0],
    "rows": [{"id": 1, "well": True}, {"id": 2, "well": False}],
    "deep": {"count": np.int64(3), "empty": []},
}


def test_a_table_has_rounded_words(capsys: pytest.CaptureFixture[str]) -> None:
    emit(RESULT, False, "Title")
    said = capsys.readouterr().out
    assert "nan" not in said
    assert not set("[]{}'") & set(said)
    for words in ("0.1235", "0.1235  2", "deep.count", "3"):
        assert words in said


def test_the_same_figures_of_several_things_are_rows_with_columns(capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = {"rate": 0.5, "median_us": 4.0}, {"rate": 0.25, "median_us": math.nan}
    emit({"ours": ours, "theirs": theirs, "rows": RESULT["rows"], "seed": 3}, False, "Title")
    rows = [line.strip("│").split("│") for line in capsys.readouterr().out.splitlines() if "│" in line]
    said = [[word.strip() for word in row] for row in rows]
    assert ["seed", "3"] in said
    assert ["theirs", "0.25", "-"] in said
    assert ["2", "2", "no"] in said


def test_rows_by_name_are_a_table_unless_they_hold_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"trials": 4, "interval": [0.2, 0.9], "verdict": "better"}
    emit({"by_condition": {"dim": row, "single": {**row, "trials": 5}}}, False, "Title")
    rows = [[word.strip() for word in line.strip("│").split("│")] for line in capsys.readouterr().out.splitlines()]
    assert ["dim", "4", "0.2 to 0.9", "better"] in rows
    emit({"by_condition": {"dim": {**row, "verdict": "no difference shown by so few trials"}}}, False, "Title")
    assert "by_condition.dim.verdict" in capsys.readouterr().out


def test_an_interval_reads_as_one_and_a_long_title_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    title = "Grasp trials in " + "/a/long/folder" * 8
    emit({"interval": [0.2065, 1.0]}, False, title)
    said = capsys.readouterr().out
    assert title in said
    assert "0.2065 to 1" in said


def test_json_is_rounded_to_what_counts(capsys: pytest.CaptureFixture[str]) -> None:
    emit(RESULT, True, "")
    told = json.loads(capsys.readouterr().out)
    assert told["rate"] == 0.123457
    assert told["none"] is None
    assert told["places"] == [0.123457, 2.0]
    assert told["deep"] == {"count": 3, "empty": []}
