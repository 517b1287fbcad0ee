"""The folder of a series: whole after any end of the program, and of one series only."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.trials.log import PickSeries, open_log, read_log
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.placement import PickProtocol, PlacedObject
from dofbot_ros.trials.reporting.pick_report import write_report
from dofbot_ros.trials.reporting.pick_summary import summary
from dofbot_ros.trials.runner import missing
from dofbot_ros.trials.trial_log import TRIALS

WRITER = """
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from dofbot_ros.config.loader import load_yaml
from dofbot_ros.core.resources import share_file
from dofbot_ros.trials.log import PickSeries, open_log
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.placement import PickProtocol, PlacedObject

kit = load_yaml(PickProtocol, share_file("config", "trials.yaml"))
with open_log(Path(sys.argv[1]), PickSeries("aruco", "sim", 0, "truth", "", kit)) as log:
    for number in count():
        log.append(PickRecord("single", number, (PlacedObject("red", 0.2, 0.0, 0.0),), "lifted", "truth", "x" * 5000))
"""
LIMIT_S = 60.0


def series(kit: PickProtocol) -> PickSeries:
    return PickSeries("aruco", "sim", 0, "truth", "", kit)


def record(number: int, outcome: str = "lifted", condition: str = "single") -> PickRecord:
    return PickRecord(condition, number, (PlacedObject("red", 0.2, 0.0, 0.0),), outcome, "truth")  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_whole_trials_and_the_next_run_goes_on(
    tmp_path: Path, kit: PickProtocol
) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)])
    try:
        deadline = time.monotonic() + LIMIT_S
        while not (tmp_path / TRIALS).exists() or (tmp_path / TRIALS).stat().st_size < 100_000:
            assert writer.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    with (tmp_path / TRIALS).open("ab") as file:
        file.write(b'{"condition": "single", "numb')  # the kill may have come in the middle of a line
    done = len(read_log(tmp_path).records)
    assert done >= 15
    with open_log(tmp_path, series(kit)) as log:
        assert [r.number for r in log.records] == list(range(done))
        todo = missing(log, kit, done + 2)
        assert [(p.condition, p.number) for p in todo[:3]] == [("single", done), ("single", done + 1), ("clutter", 0)]
        log.append(record(done))
    assert [r.number for r in read_log(tmp_path).records] == list(range(done + 1))


def test_what_was_written_is_read_back(tmp_path: Path, kit: PickProtocol) -> None:
    whole = replace(record(0), rise_mm=61.5, plan={"x": 0.2, "rank": 0}, reason="why", episode="a.mcap")
    with open_log(tmp_path, series(kit)) as log:
        log.append(whole)
    held = read_log(tmp_path)
    assert held.records == [whole]
    assert held.series == series(kit)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"planner": "cnn"}, "planner aruco, not cnn"),
        ({"backend": "emulator"}, "backend sim, not emulator"),
        ({"seed": 1}, "seed 0, not 1"),
        ({"judge": "camera"}, "judge truth, not camera"),
        ({"model": "abc"}, "model none, not abc"),
    ],
)
def test_another_series_is_refused(change: dict[str, str], message: str, tmp_path: Path, kit: PickProtocol) -> None:
    with open_log(tmp_path, series(kit)):
        pass
    with pytest.raises(InputError, match=message), open_log(tmp_path, replace(series(kit), **change)):
        pass


def test_another_protocol_is_refused_by_what_differs(tmp_path: Path, kit: PickProtocol) -> None:
    with open_log(tmp_path, series(kit)):
        pass
    other = replace(series(kit), protocol=replace(kit, hold_s=2.0))
    with pytest.raises(InputError, match="protocol kit differs in: hold_s"), open_log(tmp_path, other):
        pass


def test_two_runs_do_not_write_one_folder(tmp_path: Path, kit: PickProtocol) -> None:
    with (
        open_log(tmp_path, series(kit)),
        pytest.raises(InputError, match="being written by another run"),
        open_log(tmp_path, series(kit)),
    ):
        pass


def test_a_folder_without_trials_and_a_spoilt_file_are_told(tmp_path: Path, kit: PickProtocol) -> None:
    with pytest.raises(InputError, match="holds no trials"):
        read_log(tmp_path)
    with open_log(tmp_path, series(kit)) as log:
        log.append(record(0))
    (tmp_path / TRIALS).write_text("{}\nnonsense\n")
    with pytest.raises(InputError, match=r"trials\.jsonl, line 1: missing"):
        read_log(tmp_path)
    for spoilt in (b"\xff\xfe\n", b"[" * 100_000 + b"\n"):
        (tmp_path / TRIALS).write_bytes(spoilt)
        with pytest.raises(InputError, match=r"trials\.jsonl, line 1 is no JSON"):
            read_log(tmp_path)


def test_skipped_trials_count_neither_way() -> None:
    figures = summary([record(0), record(1, "missed"), record(2, "skipped"), record(0, "no grasp", "dim")])
    assert (figures["lifted"], figures["trials"], figures["skipped"]) == (1, 3, 1)
    assert figures["failures"] == {"missed": 1, "no grasp": 1}
    assert figures["by_condition"]["single"]["success_rate"] == 0.5
    assert figures["by_condition"]["dim"]["interval"] == pytest.approx([0.0, 0.793], abs=1e-3)


def test_the_report_is_one_file_with_every_trial_and_what_failed(tmp_path: Path, kit: PickProtocol) -> None:
    with open_log(tmp_path, series(kit)) as log:
        log.append(replace(record(0), episode="single-000.mcap"))
        log.append(replace(record(1, "no grasp"), reason="red is not seen; <nothing> is"))
        page = write_report(log).read_text(encoding="utf-8")
    assert "1 of 2" in page
    assert "9.5 to 90.5" in page
    assert 'id="single-001"' in page
    assert 'href="#single-001"' in page
    assert 'href="episodes/single-000.mcap"' in page
    assert "&lt;nothing&gt; is" in page
    assert "http" not in page
