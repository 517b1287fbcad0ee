"""Pages of success rates: what is said is on the page, and the chart stands where the figures are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("jinja2")

from dofbot_ros.trials.compare import compare
from dofbot_ros.trials.placement import PickProtocol
from dofbot_ros.trials.reporting.rates import _row, write_comparison, write_evaluation

from ..test_compare import log


def test_a_comparison_has_a_page(kit: PickProtocol, tmp_path: Path) -> None:
    result = compare(log(kit, "aruco", single=(18, 20), dim=(1, 2)), log(kit, "cnn", single=(10, 20)))
    text = write_comparison(result, Path("A dir"), Path("B"), tmp_path / "compare.html").read_text()
    assert result["verdict"] in text
    assert "18 of 20" in text
    assert "10 of 20" in text
    assert "Left out, as only one of them has it: dim." in text
    assert "dofbot trials compare &#39;A dir&#39; B" in text
    assert "prefers-color-scheme: dark" in text
    assert "by dofbot_ros " in text


def test_a_measured_policy_has_a_page(tmp_path: Path) -> None:
    result = {"success_rate": 0.9, "interval": [0.7, 0.97], "episodes": 20, "mean_return": 1.23456, "task": "reach",
              "obs": "state", "domain": "source"}  # fmt: skip
    text = write_evaluation(result, Path("run"), tmp_path / "page.html").read_text()
    assert "18 of 20" in text
    assert "Policy: reach from state" in text
    assert "mean_return: 1.235" in text


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_chart_keeps_its_order_and_its_picture(counts: tuple[int, int]) -> None:
    row = _row("x", counts, "A")
    assert 10.0 <= row["low"] <= row["dot"] <= row["high"] <= 410.0
