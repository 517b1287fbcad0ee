"""The measured samples of a real arm; they are not part of this package."""

from __future__ import annotations

from pathlib import Path

import pytest

from dofbot_ros.calibration.hand_eye_samples import COLUMNS, load_samples
from dofbot_ros.calibration.real_arm import measure
from dofbot_ros.errors import ConfigError

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "dofbot_se"
ROW = "0,90,60,60,60,90,10,20,20,20,20,10,10,10"


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not there: samples of a real arm, not to be redistributed")
def test_a_real_arm_is_predicted_to_a_millimetre() -> None:
    found = measure(DATA, shuffles=2)

    assert found["samples"] == 52
    assert found["servo1_rising"] == "counter_clockwise"
    held_out = found["models"]["once_per_turn"]["held_out"]
    assert held_out["median_mm"] <= 1.5
    assert held_out["p95_mm"] <= 3.3


def written(tmp_path: Path, *rows: str, header: str = ",".join(COLUMNS)) -> Path:
    path = tmp_path / "samples.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_samples_are_read(tmp_path: Path) -> None:
    samples = load_samples(written(tmp_path, ROW, ROW, "7" + ROW[1:]))

    assert samples.group.tolist() == [0, 0, 1]
    assert samples.joints()[0].round(4).tolist() == [0.0, 0.5236, 0.5236, 0.5236, 0.0]
    assert samples.corners[0, 0].tolist() == [10.0, 10.0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((ROW, ROW), "needs at least 3 rows"),
        ((ROW, ROW, ROW.replace("60", "nan", 1)), "needs at least 3 rows of finite numbers"),
        ((ROW, ROW, ROW.replace("60", "x", 1)), "each row needs 14 numbers"),
        ((ROW, ROW, "0,90"), "each row needs 14 numbers"),
        ((ROW, ROW, "0,90,60,60,60,90,10,10,20,10,20,20,10,20"), "row 4: corners must go counter-clockwise"),
    ],
)
def test_bad_samples_are_refused(tmp_path: Path, rows: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_samples(written(tmp_path, *rows))


def test_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected the columns group, servo1_deg"):
        load_samples(written(tmp_path, ROW, header="a,b"))
