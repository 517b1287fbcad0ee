"""results.json: read back as written, whole at any time, and never mixed up with another series."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.trials.place import PlaceRecord
from dofbot_ros.trials.protocol import ProtocolConfig
from dofbot_ros.trials.reporting.report import report_folder
from dofbot_ros.trials.results import FILE, Results, Series, load, open_results, save

SERIES = Series(seed=4, backend="sim")
PLACED = PlaceRecord(
    number=0,
    scene_seed=77,
    block="red",
    start=(0.2, 0.05, 0.3),
    target=(0.18, -0.1),
    placed=True,
    seen_placed=True,
    error_mm=2.5,
    seen_error_mm=2.6,
    localisation_mm=[0.5, 1.5],
    attempts=1,
    gap_mm=29.5,
    cycle_s=9.0,
)
FAILED = PlaceRecord(
    number=1, scene_seed=78, block="blue", placed=False, reason="20 mm from its target", error_mm=20.0, attempts=2
)
HIDDEN = PlaceRecord(number=2, scene_seed=79, block="blue", seen_placed=True, attempts=1, cycle_s=11.0)


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    results = Results(SERIES, (PLACED, FAILED, HIDDEN))
    save(tmp_path, results)
    assert load(tmp_path, SERIES) == results
    assert list(tmp_path.iterdir()) == [tmp_path / FILE]


def test_an_empty_folder_is_a_series_without_trials(tmp_path: Path) -> None:
    assert load(tmp_path, SERIES) == Results(SERIES)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(SERIES, seed=5), r"another series \(seed 4, backend sim, desk own\)"),
        (replace(SERIES, backend="emulator"), r"another series \(seed 4, backend sim, desk own\)"),
        (replace(SERIES, desk="typical"), r"another series \(seed 4, backend sim, desk own\)"),
        (replace(SERIES, protocol=ProtocolConfig(tolerance=0.01)), "this series under other conditions"),
    ],
)
def test_another_series_is_not_mixed_in(tmp_path: Path, other: Series, message: str) -> None:
    save(tmp_path, Results(SERIES, (PLACED,)))
    with pytest.raises(InputError, match=f"holds {message}"):
        load(tmp_path, other)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"series": {}}', '{"series": {"seed": 4}, "trials": [{"number": "x"}]}']
)
def test_a_file_that_is_none_of_ours_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(InputError, match=FILE):
        load(tmp_path, SERIES)


def test_the_summary_counts_only_what_was_judged() -> None:
    summary = Results(SERIES, (PLACED, FAILED, HIDDEN)).summary()
    assert (summary["trials"], summary["placed"], summary["seen_placed"]) == (3, 1, 2)
    assert summary["success_rate"] == 0.5
    low, high = summary["interval"]
    assert low < 0.5 < high
    assert summary["localisation_mm"] == {"median": 1.0, "p95": pytest.approx(1.45)}
    assert summary["placing_mm"]["median"] == 2.5
    assert summary["cycle_s"] == 10.0


def test_the_summary_of_hidden_trials_claims_nothing() -> None:
    summary = Results(SERIES, (HIDDEN,)).summary()
    assert summary["placed"] is None
    assert summary["interval"] is None
    json.dumps(summary, allow_nan=False)


def test_the_first_trials_come_in_order() -> None:
    results = Results(SERIES, (HIDDEN, PLACED, FAILED))
    assert results.first(2).trials == (PLACED, FAILED)


def test_a_series_of_an_earlier_version_goes_on_in_the_log(tmp_path: Path) -> None:
    save(tmp_path, Results(SERIES, (PLACED, FAILED)))
    for more in (HIDDEN, replace(HIDDEN, number=3)):
        with open_results(tmp_path, SERIES) as log:
            log.append(more)
    assert load(tmp_path, SERIES).trials == (PLACED, FAILED, HIDDEN, replace(HIDDEN, number=3))


def test_two_demos_do_not_write_one_folder(tmp_path: Path) -> None:
    with (
        open_results(tmp_path, SERIES),
        pytest.raises(InputError, match="being written by another run"),
        open_results(tmp_path, SERIES),
    ):
        pass


def test_one_report_for_either_kind_of_folder(tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    with open_results(tmp_path, SERIES) as log:
        log.append(PLACED)
    figures = report_folder(tmp_path)
    assert figures["placed"] == 1
    assert Path(figures["report"]).read_text(encoding="utf-8").count('id="trial-') == 1
    with pytest.raises(InputError, match="holds no trials"):
        report_folder(tmp_path / "nowhere")
