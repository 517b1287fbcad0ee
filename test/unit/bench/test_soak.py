"""Three minutes of an arm's work in virtual time, and a soak that is interrupted and goes on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.bench.soak import run
from dofbot_ros.bench.soak.run import measure
from dofbot_ros.bench.soak.script import ready, segment
from dofbot_ros.errors import InputError


@pytest.mark.slow
def test_three_minutes_of_mixed_work_break_no_rule_and_leave_nothing_behind() -> None:
    result = measure(3.0, virtual=True)
    assert result["minutes"] >= 3.0
    assert result["segments"] > 40
    assert result["violations"] == []
    assert result["memory_growth_mb"] < 5.0
    assert result["thread_growth"] <= 0
    assert result["descriptor_growth"] <= 0


@pytest.mark.slow
def test_a_soak_that_is_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    state = tmp_path / "soak.json"
    first = measure(0.2, seed=5, virtual=True, state=state)
    held = json.loads(state.read_text())
    assert held["segments"] == first["segments"]
    longer = measure(0.4, seed=5, virtual=True, state=state)
    assert longer["segments"] > first["segments"]
    assert len(longer["parts"]) == 2
    assert measure(0.4, seed=5, virtual=True, state=state) == longer


@pytest.mark.slow
def test_a_file_of_another_soak_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "soak.json"
    measure(0.1, seed=5, virtual=True, state=state)
    with pytest.raises(InputError, match="seed 5"):
        measure(0.2, seed=6, virtual=True, state=state)
    state.write_text("[]")
    with pytest.raises(InputError, match="no file of a soak"):
        measure(0.2, seed=5, virtual=True, state=state)


def test_a_segment_is_decided_by_its_number_alone() -> None:
    first, again = segment(17, 3), segment(17, 3)
    assert first[0].name == again[0].name
    np.testing.assert_array_equal(first[1].random(5), again[1].random(5))
    assert len({segment(k, 3)[0].name for k in range(60)}) == 9


@pytest.mark.slow
def test_an_arm_that_does_not_come_back_ends_the_soak_as_a_broken_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = iter([True, True, False])
    monkeypatch.setattr(run, "ready", lambda rig: next(asked) and ready(rig))
    state = tmp_path / "soak.json"
    result = measure(5.0, virtual=True, state=state)
    (broken,) = result["violations"]
    assert (broken["rule"], broken["segment"]) == ("recovery", 2)
    assert broken["what"].startswith("the arm does not come to HOLD, the driver says ")
    assert json.loads(state.read_text())["violations"] == [broken]
