"""The report: self-contained, complete, and not to be tricked by what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dofbot_ros.trials.place import PlaceRecord
from dofbot_ros.trials.reporting.chart import histogram
from dofbot_ros.trials.reporting.place_report import write_report
from dofbot_ros.trials.results import Results, Series
from dofbot_ros.trials.trial_log import IMAGES, image_path

pytest.importorskip("jinja2")


def record(number: int, placed: bool | None, reason: str = "") -> PlaceRecord:
    return PlaceRecord(
        number=number,
        scene_seed=100 + number,
        block="red",
        start=(0.2, 0.05, 0.3),
        target=(0.18, -0.1),
        placed=placed,
        reason=reason,
        error_mm=2.0 + number,
        localisation_mm=[0.25],
        attempts=1,
        cycle_s=9.0 + 0.1 * number,
    )


@pytest.fixture
def page(tmp_path: Path) -> str:
    (tmp_path / IMAGES).mkdir()
    for when in ("before", "after"):
        cv2.imwrite(str(image_path(tmp_path, "0000", when)), np.full((480, 640, 3), 128, np.uint8))
    trials = (record(0, True), record(1, False, "<b>20 mm</b> from its target"), record(2, None))
    return write_report(tmp_path, Results(Series(7, "sim"), trials)).read_text(encoding="utf-8")


def test_every_trial_has_its_row_and_its_pictures_are_inside(page: str) -> None:
    assert [int(n) for n in re.findall(r'id="trial-(\d+)"', page)] == [0, 1, 2]
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert len(sources) == 2
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "http" not in page


def test_pictures_can_be_enlarged_and_places_lead_to_their_trial(page: str) -> None:
    assert re.findall(r'data-file="([^"]+)"', page) == ["images/0000_before.jpg", "images/0000_after.jpg"]
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))


def test_the_figures_are_there(page: str) -> None:
    assert "1 of 3" in page
    assert "95\u00a0% interval" in page
    assert "0.25 mm" in page
    assert "9.1 s" in page
    assert "dofbot demo --trials 3 --seed 7 --backend sim" in page


def test_text_stays_text(page: str) -> None:
    assert "<b>20 mm</b>" not in page
    assert "&lt;b&gt;20 mm" in page


def test_a_single_trial_makes_a_report_too(tmp_path: Path) -> None:
    failed = PlaceRecord(number=0, scene_seed=1, reason="no block in the image")
    page = write_report(tmp_path, Results(Series(0, "sim"), (failed,))).read_text(encoding="utf-8")
    assert "no block in the image" in page
    assert "no data" in page


@given(st.lists(st.integers(0, 1_000_000).map(lambda v: 1e-3 * v), min_size=1, max_size=20))
@example([6.555])
def test_every_value_is_in_a_bar(values: list[float]) -> None:
    bars = histogram("", "s", values)["bars"]
    assert sum(int(bar["label"].rpartition(" ")[2]) for bar in bars) == len(values)
