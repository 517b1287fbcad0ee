"""The commands behind the documentation's pictures and figures run and give what they promise."""

from __future__ import annotations

from pathlib import Path

import cv2

from dofbot_ros.bench import sim as bench
from dofbot_ros.sim import snapshot


def test_snapshot_writes_both_pictures_small_enough_for_a_repository(tmp_path: Path) -> None:
    snapshot.main(str(tmp_path))
    for name in ("sim_overhead.png", "sim_arm.png"):
        picture = cv2.imread(str(tmp_path / name))
        assert picture is not None
        assert picture.std() > 10, "an empty picture"
        assert (tmp_path / name).stat().st_size < 150_000


def test_bench_reports_every_figure() -> None:
    result = bench.measure(seconds=0.2, renders=1)
    assert set(result) == {"step_hz", "moving", "holding", "render_ms"}
    for run in ("moving", "holding"):
        assert result[run]["steps_per_s"] == result[run]["real_time_factor"] * result["step_hz"] > 0
    assert list(result["render_ms"]) == ["64x64", "224x224", "640x480"]
    assert all(ms > 0 for ms in result["render_ms"].values())
