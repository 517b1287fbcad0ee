"""The verdicts on the hopper's domain gap follow from its rows."""

from __future__ import annotations

import pytest

from dofbot_ros.lab.hopper.evaluation.gap_report import Group, difference_interval, judge


def group(level: str, source: tuple[float, ...], target: tuple[float, ...], obs: str = "state") -> Group:
    half = tuple(0.5 * value for value in source)
    around = (min(source), max(source))
    return Group(obs, level, "source", 50, source, target, half, half, around, around, around)


def test_bars_that_are_met_missed_and_not_measured() -> None:
    none = group("none", (3200.0, 3300.0), (1500.0, 1700.0))
    wide = group("wide", (3000.0, 3100.0), (2300.0, 2500.0))
    found = {verdict.what: verdict for verdict in judge([none, wide])}
    assert found["state none, source"].met
    assert not found["state wide, target"].met
    assert found["drop of state wide, of that of none"].measured == "650 of 1650"
    assert found["drop of state wide, of that of none"].met
    assert found["difference of both drops, 95 % interval"].met
    assert found["image, source (the better level)"].measured is None


def test_the_interval_of_a_difference_holds_it() -> None:
    none = group("none", (3000.0, 3100.0, 3050.0), (1000.0, 1200.0, 1100.0))
    wide = group("wide", (2900.0, 3000.0, 2950.0), (2400.0, 2600.0, 2500.0))
    low, high = difference_interval(none, wide)
    assert low <= none.drop - wide.drop <= high
    assert none.drop == pytest.approx(1950.0)
