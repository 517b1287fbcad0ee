"""How far a series is, as its folder tells while it runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.core.resources import share_file
from dofbot_ros.trials.log import PickSeries, open_log
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.place import PlaceRecord
from dofbot_ros.trials.placement import PickProtocol, PlacedObject
from dofbot_ros.trials.reporting.progress import SeriesWatch, progress_of
from dofbot_ros.trials.results import Results, Series, open_results, save


def test_grasp_trials_tell_what_is_done_and_what_runs(tmp_path: Path) -> None:
    assert progress_of(tmp_path, 2) is None
    protocol = load_yaml(PickProtocol, share_file("config", "trials.yaml"))
    protocol = replace(protocol, conditions=protocol.conditions[:1])
    name = protocol.conditions[0].name
    watch = SeriesWatch(tmp_path, 3)
    assert watch.read() == {}
    with open_log(tmp_path, PickSeries("aruco", "sim", 0, "truth", "", protocol)) as log:
        assert watch.read()["running"] == f"{name}-000"
        for number, outcome in enumerate(("lifted", "skipped")):
            log.append(PickRecord(name, number, (PlacedObject("red", 0.2, 0.0, 0.0),), outcome, "truth"))  # type: ignore[arg-type]
        told = watch.read()
    assert (told["done"], told["total"], told["succeeded"], told["failed"]) == (2, 3, 1, 0)
    assert told["running"] == f"{name}-002"
    assert told["trials"] == [[f"{name}-000", True, "lifted"], [f"{name}-001", None, "skipped"]]


def test_a_demo_is_told_alike(tmp_path: Path) -> None:
    series = Series(0, "sim")
    with open_results(tmp_path, series) as log:
        log.append(PlaceRecord(0, 1, placed=True, error_mm=3.21))
        log.append(PlaceRecord(1, 2, placed=False, reason="no block was seen"))
        save(tmp_path, Results(series, tuple(log.records)))
    progress = progress_of(tmp_path, 2)
    assert progress is not None
    assert progress.trials == (("trial 0", True, "3.2 mm off"), ("trial 1", False, "no block was seen"))
    assert (progress.done, progress.total, progress.running) == (2, 2, "")


def test_a_broken_folder_is_told_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "series.json").write_text('{"planner": 3')
    assert "is no JSON" in SeriesWatch(tmp_path, 1).read()["trouble"]
