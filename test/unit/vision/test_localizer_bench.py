from __future__ import annotations

import pytest

from dofbot_ros.bench import corners
from dofbot_ros.bench.localizer import measure
from dofbot_ros.errors import InputError


@pytest.mark.slow
@pytest.mark.parametrize("scenes", ["drawn", "sim"])
def test_blocks_on_the_table_are_all_found_well_within_the_goal(scenes: str) -> None:
    if scenes == "sim":
        pytest.importorskip("pybullet", reason="the simulation needs pybullet")

    result = measure(scenes, trials=6, seed=1)

    assert result["found"] == result["blocks"] == result["flat"] == 24
    assert result["wrong"] == 0
    # The goal is 1.5 mm in the median and 4 mm at the 95th percentile: this is a tenth of it.
    assert result["position_mm"]["median"] < 0.15
    assert result["position_mm"]["p95"] < 0.4


@pytest.mark.slow
def test_blocks_in_the_air_are_found_or_refused() -> None:
    result = measure("drawn-lifted", trials=6, seed=2)

    assert result["flat"] == result["wrong"] == 0
    assert result["found"] + sum(result["refused"].values()) >= 24
    assert result["found"] > 18


def test_unknown_scenes_are_named() -> None:
    with pytest.raises(InputError, match="scenes 'drawm' is not one of sim, drawn, drawn-lifted"):
        measure("drawm")


@pytest.mark.slow
def test_the_edge_fit_finds_corners_several_times_better_than_the_corner_filter() -> None:
    result = corners.measure(trials=6, seed=3)

    assert result["refined_px"] < 0.12
    assert result["refined_px"] < 0.3 * result["opencv_px"]
